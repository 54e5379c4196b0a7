import type { Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { baseTables, endSums, openSnapshot, prepareToSum, sumTable } from '../../adapters/mariadb-checksum.ts';
import { stopUncounted } from '../../adapters/mariadb.ts';
import type { Session } from '../../adapters/ports.ts';
import { openSession } from '../../adapters/sql.ts';
import { freePort, Oracle } from './server.ts';

let oracle: Oracle;
let server: Connection;
let session: Session;
let open: () => Promise<Session>;
const { signal: never } = new AbortController();

beforeAll(async () => {
  const port = await freePort();
  oracle = await Oracle.mariadb(port);
  server = oracle.connection;
  await server.query("CREATE USER standfast@'%' IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO standfast@'%'");
  open = () => openSession({ host: 'db1', address: '127.0.0.1', port, user: 'standfast', password: 'secret' });
  session = await open();
}, 60_000);
afterAll(async () => {
  session.close();
  await oracle.stop();
});
beforeEach(async () => {
  await server.query('DROP DATABASE IF EXISTS shop; CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.orders (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1), (2)');
});
// Its snapshot keeps definitions from changing.
afterEach(() => session.rows('ROLLBACK'));

const sum = (name: string) => sumTable(session, name, { job: 'j1', signal: never });

it('names the base tables, and whether a snapshot shows their rows as they were', async () => {
  await server.query(
    'CREATE TABLE shop.`a``b` (id INT) ENGINE=MyISAM; CREATE VIEW shop.v AS SELECT * FROM shop.orders',
  );
  expect((await baseTables(session)).filter(({ name }) => name.startsWith('`shop`'))).toEqual([
    { name: '`shop`.`a``b`', hasSnapshots: false },
    { name: '`shop`.`orders`', hasSnapshots: true },
  ]);
});

it('sums what the snapshot shows, whatever was written since', async () => {
  await openSnapshot(session);
  await server.query('INSERT INTO shop.orders VALUES (3)');
  const before = await sum('shop.orders');
  await openSnapshot(session);
  const after = await sum('shop.orders');
  await server.query('DELETE FROM shop.orders WHERE id = 3');
  await openSnapshot(session);
  expect(before).toEqual(await sum('shop.orders'));
  expect(after).not.toEqual(before);
  expect(before.kind).toBe('sum');
});

it.each([
  ['TRUNCATE shop.orders', 'unreadable'],
  ['ALTER TABLE shop.orders FORCE, ALGORITHM=COPY', 'unreadable'],
  ['DROP TABLE shop.orders', 'absent'],
  ['DROP DATABASE shop', 'absent'],
])('gives no sum in a snapshot that is older than %s', async (statement, kind) => {
  await openSnapshot(session);
  await server.query(statement);
  expect(await sum('shop.orders')).toMatchObject({ kind });
});

it('a second snapshot lets go of the definitions that the first one kept from changing', async () => {
  await openSnapshot(session);
  await sum('shop.orders');
  await server.query('SET lock_wait_timeout = 1');
  const alter = () => server.query('ALTER TABLE shop.orders ADD COLUMN note INT');
  await expect(alter()).rejects.toThrow(/Lock wait timeout/);
  await openSnapshot(session);
  await alter();
  expect(await sum('shop.orders')).toMatchObject({ kind: 'sum' });
});

it('a table with history is one with rows', async () => {
  await server.query('CREATE TABLE shop.prices (id INT PRIMARY KEY) WITH SYSTEM VERSIONING');
  expect((await baseTables(session)).map(({ name }) => name)).toContain('`shop`.`prices`');
});

it('a table that somebody has locked is waited for a few seconds, and told', async () => {
  const looking = await open();
  await prepareToSum(looking);
  await looking.rows('SET SESSION lock_wait_timeout = 1');
  await server.query('LOCK TABLES shop.orders WRITE');
  try {
    expect(await sumTable(looking, 'shop.orders', { job: 'j1', signal: never })).toEqual({ kind: 'locked' });
  } finally {
    await server.query('UNLOCK TABLES');
    looking.close();
  }
});

const sums = async (): Promise<unknown> => {
  const [rows] = await server.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CHECKSUM TABLE%'");
  return rows;
};

describe('a sum of many rows', () => {
  beforeEach(() => server.query('USE shop; INSERT INTO orders SELECT seq FROM seq_10_to_1000000'));

  it('that is given up is ended on the server as well', async () => {
    const giveUp = new AbortController();
    const summing = sumTable(await open(), 'shop.orders', { job: 'j1', signal: giveUp.signal });
    await expect.poll(sums, { interval: 5 }).toHaveLength(1);
    giveUp.abort(new Error('nobody waits for it'));
    await expect(summing).rejects.toThrow('nobody waits for it');
    expect(await sums()).toEqual([]);
  });

  it('that a worker has left is ended by the next attempt at the same job, and by no other', async () => {
    const summing = sumTable(await open(), 'shop.orders', { job: 'j1', signal: never });
    const ended = summing.then(String, String);
    await expect.poll(sums, { interval: 5 }).toHaveLength(1);
    await endSums(session, 'j2');
    expect(await sums()).toHaveLength(1);
    await endSums(session, 'j1');
    expect(await ended).toContain('failed');
    // Its client hears of the end a moment before the thread is off the list.
    await expect.poll(sums, { interval: 5 }).toEqual([]);
  });
});

it('a replica is stopped when it acknowledges nothing, and not when it does, by one statement', async () => {
  await server.query(
    "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'nobody'; START SLAVE",
  );
  const threads = async (): Promise<string> => (await oracle.row('SHOW SLAVE STATUS'))[11] ?? '';
  expect(await threads()).toBe('Yes');
  await server.query('SET GLOBAL rpl_semi_sync_slave_enabled = 1');
  await expect(stopUncounted(session)).rejects.toMatchObject({
    type: 'Unverified',
    message: expect.stringContaining('it acknowledges writes, so it was not stopped'),
  });
  expect(await threads()).toBe('Yes');
  await server.query('SET GLOBAL rpl_semi_sync_slave_enabled = 0');
  await stopUncounted(session);
  expect(await threads()).toBe('No');
  await server.query('RESET SLAVE ALL');
});
