import { guardsOf } from './guard.ts';

/** Which processes of a host are ours to end, and which of them are seen. */
export const PROCESSES = [
  ...guardsOf('adapters/host/parts/30-processes.sh', 'test/host/database.test.ts', [
    [
      'a question is no server',
      'a server is started although an init script asks its program for its settings',
      'only_prints "$pid" || ',
      '',
      'does not take the program for a server when an init script asks it for its settings',
    ],
  ]),
  ...guardsOf('adapters/host/parts/30-processes.sh', 'test/host/instances.test.ts', [
    [
      'supervisor of another instance',
      'what is done to our server is not done to another instance on its machine',
      '! is_our_supervisor "$pid" || ',
      '',
      'leaves another instance on the same machine alone, and its supervisor',
    ],
    [
      'supervisor in doubt',
      'a supervisor that may start our server again is ended, though nothing says whose it is',
      '[[ $data == /* && ',
      '[[ ',
      'ends a supervisor that has no server now and',
    ],
    [
      'supervisor told by its own groups',
      'a supervisor whose data directory is named in a group for supervisors is known by it, whatever the servers are told',
      '"${@:2}")',
      ')',
      'ends a supervisor that has no server now and',
    ],
    [
      "a dead server is nobody's",
      'a supervisor that has not heard yet that our server is dead, and would start it again, is ended',
      'elif shows_root "$pid"; then',
      'elif true; then',
      'ends the supervisor of a server that is dead, and of which it has not heard yet',
    ],
    [
      'a server that is ending counts',
      'a server of which nothing can be told any more, though it has threads, is not called gone',
      'elif ! is_zombie "$pid"; then',
      'elif false; then',
      'ends what may be our server when nothing can be told of it any more but that it has threads',
    ],
  ]),
];
