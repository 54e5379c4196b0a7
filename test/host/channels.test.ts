import { afterAll, beforeAll, expect, it } from 'vitest';
import { readStatus } from '../../adapters/mariadb-status.ts';
import { Sandbox, until } from './sandbox.ts';
import { at, sessionOn, startServer } from './tails.ts';

let primary: Sandbox;
let replica: Sandbox;

const BY = `MASTER_USER='repl', MASTER_PASSWORD='x', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos`;
/** To the same server by another address, as the VIP is one: the server itself refuses a second channel to an address and port that it knows (error 1934). */
const ANOTHER = `CHANGE MASTER 'b' TO MASTER_HOST='10.9.0.11', ${BY}; START SLAVE 'b'`;

beforeAll(async () => {
  primary = await Sandbox.start('db1');
  replica = await Sandbox.start('db2');
  primary.join(replica, { mine: '10.9.0.1', theirs: '10.9.0.2' });
  primary.must('ip', 'addr', 'add', '10.9.0.11/24', 'dev', 'eth0');
  startServer(primary, 1);
  startServer(replica, 2);
  primary.sql(`SET GLOBAL read_only=0; CREATE USER repl IDENTIFIED BY 'x'; GRANT REPLICATION SLAVE ON *.* TO repl;
    CREATE DATABASE shop; CREATE TABLE shop.t (i INT PRIMARY KEY)`);
  replica.sql(`SET GLOBAL rpl_semi_sync_slave_enabled=1; CHANGE MASTER TO MASTER_HOST='10.9.0.1', ${BY}; START SLAVE`);
  await until('it has caught up', applied, (seen) => seen === written());
});
afterAll(() => Promise.all([primary.stop(), replica.stop()]));

const applied = () => replica.sql('SELECT @@gtid_slave_pos');
const written = () => primary.sql('SELECT @@gtid_binlog_pos');
const channels = async () => {
  const status = await readStatus(sessionOn(replica), (address) => (address === '10.9.0.1' ? 'db1' : null));
  return { own: status.replication?.source, others: status.otherChannels };
};
const acknowledged = () => Number(primary.sql("SHOW STATUS LIKE 'Rpl_semi_sync_master_yes_tx'").split('\t')[1]);

it('a server names every channel that it has beside its own, stopped ones too, and no more once they are reset', async () => {
  expect(await channels()).toEqual({ own: 'db1', others: [] });
  replica.sql(`CHANGE MASTER 'b' TO MASTER_HOST='10.9.0.77', MASTER_USER='repl'`);
  const stopped = { receiver: 'stopped', applier: 'stopped' };
  expect(await channels()).toEqual({ own: 'db1', others: [{ name: 'b', source: null, ...stopped }] });
  replica.sql("RESET SLAVE 'b' ALL");
  expect(await channels()).toEqual({ own: 'db1', others: [] });
});

it('a replica whose own receiver was stopped goes on acknowledging through another channel', async () => {
  primary.sql(`SET GLOBAL rpl_semi_sync_master_timeout=5000; SET GLOBAL rpl_semi_sync_master_wait_no_slave=1;
    SET GLOBAL rpl_semi_sync_master_enabled=1`);
  replica.sql('STOP SLAVE IO_THREAD');
  replica.sql(ANOTHER);
  await until(
    'the primary has an acker',
    () => primary.sql("SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'"),
    (seen) => seen.endsWith('\t1'),
  );
  const before = acknowledged();
  primary.sql('INSERT INTO shop.t VALUES (1)');
  expect(acknowledged()).toBe(before + 1);
  expect((await channels()).others).toMatchObject([{ name: 'b', source: null, receiver: 'running' }]);
});

it('what another channel received does not make the relay logs of its own whole', async () => {
  expect(replica.fields('relay-source')).toMatchObject({ source: 'yes' });
  replica.sql(`STOP ALL SLAVES; ${ANOTHER}`);
  // Nobody is there: what a start begins with is all that is in them.
  replica.sql('STOP SLAVE; CHANGE MASTER TO MASTER_PORT=3399; START SLAVE');
  await until(
    'another channel holds an event of the source',
    () => replica.shell("cat /var/lib/mysql/*relay-bin-b.0* | grep -ac 'mariadb-bin.000001' || true"),
    (seen) => Number(seen) > 0,
  );
  expect(replica.fields('relay-source')).toMatchObject({ source: 'no' });
  const kept = replica.fields('keep-relay', at(1));
  expect(kept).toMatchObject({ source: 'no' });
  expect(replica.shell(`ls ${kept['path'] ?? ''}`)).toMatch(/relay-bin-b\.0/);
});
