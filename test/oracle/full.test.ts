import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noteEvents } from '../../adapters/mariadb-events.ts';
import { SqlPulse } from '../../adapters/pulse.ts';
import { openSession } from '../../adapters/sql.ts';
import { freePort, Oracle } from './server.ts';

const MOST = 10;
let oracle: Oracle;
let port: number;

beforeAll(async () => {
  port = await freePort();
  oracle = await Oracle.mariadb(port);
  await oracle.connection.query(
    `SET GLOBAL max_connections=${String(MOST)}; CREATE USER app@'%' IDENTIFIED BY 'secret'; CREATE USER standfast@'%' IDENTIFIED BY 'secret'; GRANT SUPER, PROCESS, CONNECTION ADMIN ON *.* TO standfast@'%'`,
  );
}, 60_000);
afterAll(() => oracle.stop());

it('a watcher of a full server is told that it is full, and leaves the last place to whoever can make room', async () => {
  const target = { host: 'db1', address: '127.0.0.1', port, user: 'standfast', password: 'secret' };
  const clients = [];
  // One is the oracle's own.
  for (let taken = 1; taken < MOST; taken += 1)
    clients.push(await mysql.createConnection({ host: '127.0.0.1', port, user: 'app', password: 'secret' }));
  const pulse = new SqlPulse('db1', () => Promise.resolve(target));
  const look = () => pulse.rows('SELECT 1 AS one', { timeoutMs: 2_000 });
  try {
    await expect(look()).rejects.toMatchObject({
      silence: 'full',
      message: expect.stringContaining('administrator') as string,
    });
    const session = await openSession(target);
    expect(await session.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // A note may wait for whoever would come in there, to acknowledge it.
    await expect(noteEvents(session)).rejects.toMatchObject({ silence: 'full' });
    session.close();
    await clients.pop()?.end();
    await expect.poll(look, { timeout: 5_000 }).toEqual([{ one: 1 }]);
  } finally {
    pulse.close();
    for (const client of clients) client.destroy();
  }
});
