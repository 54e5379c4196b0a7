import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureHeartbeat, missingWriter, writeBeat } from '../../adapters/mariadb-heartbeat.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import { Sandbox, until } from './sandbox.ts';
import { sessionOn, startServer } from './tails.ts';

const CLIENT = ['mariadb', '--no-defaults', '-uroot', '-S', '/run/mysqld/mysqld.sock'];
let host: Sandbox;

beforeAll(async () => {
  host = await Sandbox.start('db1');
  startServer(host, 1);
  host.sql('SET GLOBAL read_only=0');
  expect(host.sql('CREATE DATABASE standfast')).toBe('');
  host.sql((await missingWriter(sessionOn(host))) ?? '');
  expect(await missingWriter(sessionOn(host))).toBeNull();
  await ensureHeartbeat(sessionOn(host));
});
afterAll(() => host.stop());

const position = () => Number(host.sql('SELECT @@gtid_binlog_pos').split('-')[2]);

/** Of a statement that the server refuses. */
const errnoOf = (statement: string): number =>
  Number(/ERROR (\d+)/.exec(host.run(...CLIENT, '-e', statement).stderr)?.[1]);

/** What a watcher sends. */
async function heartbeat(): Promise<string> {
  let sent = '';
  const rows = (statement: string) => {
    sent = statement;
    return Promise.resolve([{ affectedRows: 1 }]);
  };
  await writeBeat({ host: 'db1', connections: 1, rows, onLost: () => undefined, close: () => undefined }, 'w/1', {
    timeoutMs: 1_000,
  });
  return sent;
}

it('a server that an earlier version prepared is named with what it lacks', async () => {
  host.sql('DROP PROCEDURE standfast.beat');
  const rows = () =>
    Promise.reject(
      new AdapterFailure({
        type: 'Unverified',
        host: 'db1',
        facts: { errno: errnoOf('CALL standfast.beat(1, 2)') },
        message: 'db1',
      }),
    );
  const pulse = { host: 'db1', connections: 1, rows, onLost: () => undefined, close: () => undefined };
  await expect(writeBeat(pulse, 'w/1', { timeoutMs: 1_000 })).rejects.toThrow(
    /CREATE USER 'standfast_beat'.*standfast prepare/,
  );
  await ensureHeartbeat(sessionOn(host));
});

it('no heartbeat is committed on a server that is closed, also one that was under way, by an account that may write there', async () => {
  const statement = (await heartbeat()).replace("'w/1'", 'UUID()');
  const writers = Array.from({ length: 4 }, () =>
    host.start('bash', '-c', `yes "${statement};" | ${CLIENT.join(' ')} --force >/dev/null 2>&1`),
  );
  const before = position();
  await until('they write', position, (now) => now > before + 100);
  // It is open until they have gone on.
  const turn = `SET GLOBAL read_only=1// SELECT @@gtid_binlog_pos// DO SLEEP(0.02)// SET @was=@@gtid_binlog_pos// SELECT @was//
    SET GLOBAL read_only=0// BEGIN NOT ATOMIC REPEAT DO SLEEP(0.02); UNTIL @@gtid_binlog_pos <> @was END REPEAT; END//`;
  const said = host.must(...CLIENT, '-N', '-B', '--delimiter=//', '-e', turn.repeat(50));
  const seen = said.split('\n');
  for (const writer of writers) writer.kill();
  const pairs = Array.from({ length: 50 }, (_, index) => seen.slice(2 * index, 2 * index + 2));
  expect(pairs.filter(([closed, later]) => closed !== later)).toEqual([]);
  expect(new Set(pairs.map(([closed]) => closed)).size).toBe(50);
});
