import { guardsOf } from './guard.ts';

const HOST = 'test/host/encrypted-logs.test.ts';
const RUNS = 'test/activities/encrypted-logs.test.ts';

/** Logs that nobody but their own server can read. */
export const UNREADABLE = [
  ...guardsOf('adapters/host/parts/63-tail-scan.sh', HOST, [
    [
      'an encrypted log is no tail',
      'what cannot be read is said to be encrypted, not damaged, and never called whole',
      '! is_encrypted "$log" || break',
      'true',
      'of a dead primary is no tail and has no end',
    ],
    [
      'an encrypted binlog says nothing of a purge',
      'a log whose list cannot be read does not tell that others were purged',
      'is_encrypted "${LOGS[0]}" ||',
      'false ||',
      'of a dead primary is no tail and has no end',
    ],
  ]),
  ...guardsOf('adapters/host/parts/60-logs.sh', HOST, [
    [
      'encrypted relay logs were not thrown away',
      'relay logs that cannot be read are not taken for empty, which would let them be deleted',
      '((status != 3)) || encrypted=2',
      'true',
      'of a replica that stands still is no tail',
    ],
  ]),
  ...guardsOf('activities/foreseeing.ts', RUNS, [
    [
      'relay logs that nobody can read are foreseen',
      'a replica that will not be counted is not counted on before anything is changed',
      "return source === 'unknown' ?",
      "return source === 'x' ?",
      'counts a replica for nothing whose relay logs nobody can read',
    ],
    [
      'a binlog that nobody can read is a loss to answer for',
      'a failover that would rest on it asks a person, with the reason',
      'return lossOf({ ...byAckers, why: `${byAckers.why} (${end})` });',
      'return null;',
      'asks a person when it would rest on a binlog',
    ],
  ]),
  ...guardsOf('activities/rejoining.ts', RUNS, [
    [
      'relay logs that nobody can read are kept',
      'what a replica received from elsewhere is not deleted unread',
      "if (relay['source'] === 'unknown') throw unreadable(standing, why);",
      "if (relay['source'] === 'unknown') return why !== '';",
      'keeps relay logs that nobody can read',
    ],
    [
      'nothing read is not nothing held',
      'a host whose logs cannot be read is not called a stranger, which may be emptied',
      "if (!tail.complete && tail.held === '') throw unreadable(standing, tail.why);",
      '',
      'is not said to be a stranger',
    ],
  ]),
  ...guardsOf('domain/preflight.ts', 'test/domain/preflight.test.ts', [
    [
      'logs that others can read',
      'a server whose logs are encrypted does not come into care',
      'binlog.encrypted === true',
      'binlog.sync === -1',
      'must have logs that others can read',
    ],
  ]),
  ...guardsOf('activities/adopting.ts', 'test/activities/opening.test.ts', [
    [
      'fitness of a primary',
      'a server that a failover could not replace is not made primary',
      'checkFitness(cluster, host, own);',
      '',
      'is refused when nobody else could read the logs of its primary',
    ],
  ]),
  ...guardsOf('activities/admitting.ts', 'test/activities/admitting.test.ts', [
    [
      'fitness of an acker',
      'a replica that would count for nothing in a failover is not counted on',
      'checkFitness(cluster, host, status);',
      '',
      'is refused to a replica whose logs nobody else can read',
    ],
  ]),
  ...guardsOf('activities/replicating.ts', 'test/activities/provisioning.test.ts', [
    [
      'fitness of a copy',
      'a copy that could not count is not started as a replica',
      'checkFitness(cluster, target, status);',
      '',
      'a copy whose logs nobody else can read is not started',
    ],
  ]),
  ...guardsOf('activities/provisioning.ts', 'test/activities/provisioning.test.ts', [
    [
      'fitness of a donor',
      'no byte moves from a server that could not be replaced',
      ', ...judgeFitness(server.status)]',
      ']',
      'a donor whose logs nobody else can read is refused',
    ],
  ]),
];
