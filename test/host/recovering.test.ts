import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

let epoch = 0;
/** The next epoch. */
const next = () => {
  epoch += 1;
  return { owner: 'plane-1', epoch, run: `run-${String(epoch)}`, account: 'standfast' };
};

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
});
afterAll(() => host.stop());

describe('a claim of a server that recovers from a crash', () => {
  /** Its process is there and has no socket yet; the one in the file system is left from before. */
  const recovering = (input: string): void => {
    host.shell(`mkdir -p /run/mysqld; install /bin/sleep /run/mariadbd
      timeout 0.2 socat UNIX-LISTEN:/run/mysqld/mysqld.sock,unlink-close=0 PIPE; test -S /run/mysqld/mysqld.sock
      setsid /run/mariadbd 600 ${input} >/dev/null 2>&1 &
      until pgrep -x mariadbd >/dev/null; do sleep 0.01; done`);
  };
  const gone = (): void => {
    host.shell('pkill -KILL -f ^/run/mariadbd; rm -f /run/mariadbd /run/mysqld/mysqld.sock');
  };

  it('waits for no answer: nobody can have a session there, and whoever comes later asks for the epoch', () => {
    recovering('</dev/null');
    try {
      const from = performance.now();
      expect(host.fields('claim', next())).toMatchObject({ sessions: '0', mysqld: 'running' });
      expect(performance.now() - from).toBeLessThan(2_000);
    } finally {
      gone();
    }
  });

  it('does not take one for it that has a socket, whatever that is for: it may have sessions', () => {
    recovering('</dev/null 3<>/dev/udp/127.0.0.1/9');
    try {
      expect(host.fields('claim', next())).toMatchObject({ mysqld: 'hung' });
    } finally {
      gone();
    }
  });
});
