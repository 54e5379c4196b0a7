import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endTail, startTail } from '../../adapters/mariadb-tail.ts';
import { Sandbox, until } from './sandbox.ts';
import { at, killServer, owner, sessionOn, startServer } from './tails.ts';

let primary: Sandbox;
let replica: Sandbox;
const ROWS = 20;

beforeAll(async () => {
  primary = await Sandbox.start('db1');
  replica = await Sandbox.start('db2');
  primary.join(replica, { mine: '10.9.0.1', theirs: '10.9.0.2' });
  startServer(primary, 1);
  startServer(replica, 2);
  primary.sql(`SET GLOBAL read_only=0; CREATE USER repl IDENTIFIED BY 'x'; GRANT REPLICATION SLAVE ON *.* TO repl;
    CREATE DATABASE shop; CREATE TABLE shop.t (i INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB); INSERT INTO shop.t VALUES (1, 'a')`);
  replica.sql(`CHANGE MASTER TO MASTER_HOST='10.9.0.1', MASTER_USER='repl', MASTER_PASSWORD='x', MASTER_CONNECT_RETRY=1,
    MASTER_USE_GTID=slave_pos; START SLAVE`);
});
afterAll(() => Promise.all([primary.stop(), replica.stop()]));

const sequence = (set: string) => Number(set.split('-')[2]);
const applied = () => replica.sql('SELECT @@gtid_slave_pos');
const received = () => /\t(0-1-\d+)\t/.exec(replica.sql('SHOW SLAVE STATUS'))?.[1] ?? '';
const rows = () => Number(replica.sql('SELECT COUNT(*) FROM shop.t'));
const list = () => replica.fields('tail-list', { logs: 'relay', beyond: applied() });
const insert = (count: number) =>
  primary.shell(
    `for i in $(seq ${String(count)}); do echo "INSERT INTO shop.t (b) VALUES (REPEAT('x', 2000));"; done | mariadb --no-defaults -uroot -S /run/mysqld/mysqld.sock`,
  );
const lastRelayLog = () =>
  replica.shell(
    'cd /var/lib/mysql; for log in $(cat mysqld-relay-bin.index); do [ $(stat -c %s $log) -lt 600 ] || last=$log; done; realpath $last',
  );

/** Leaves rows in the relay logs alone: the replica has them and has not applied them. */
async function receiveOnly(count: number): Promise<void> {
  replica.sql('START SLAVE');
  const before = primary.sql('SELECT @@gtid_binlog_pos');
  await until('it has caught up', applied, (seen) => seen === before);
  replica.sql('STOP SLAVE SQL_THREAD');
  insert(count);
  const goal = primary.sql('SELECT @@gtid_binlog_pos');
  await until('it has received them', received, (seen) => seen === goal);
}

/** The helper's verbs, and the channel, as an operation uses them. */
async function applyAll(): Promise<void> {
  const beyond = applied();
  const { tail = '', sha256 = '', up_to: goal } = replica.fields('tail-export', { ...at(1), logs: 'relay', beyond });
  const { log = '' } = replica.fields('tail-stage', { ...at(1), tail, sha256, beyond });
  await startTail(sessionOn(replica), log);
  await until('the relay logs are applied', applied, (seen) => seen === goal);
  await endTail(sessionOn(replica));
  expect(replica.fields('tail-stage', { ...at(1), tail, sha256, beyond: applied() })).toMatchObject({ count: '0' });
}

describe('the server of another host', () => {
  const greets = (address = '10.9.0.1') => replica.fields('server-probe', { address, target_port: '3306' })['greets'];

  it('greets whoever connects while it serves, and does not when it hangs', () => {
    expect(greets()).toBe('yes');
    primary.shell('pkill -STOP -x mariadbd');
    try {
      expect(greets()).toBe('no');
    } finally {
      primary.shell('pkill -CONT -x mariadbd');
    }
    expect(greets()).toBe('yes');
  });

  it('does not greet from an address that nobody has', () => {
    expect(greets('10.9.0.99')).toBe('no');
  });
});

describe('the relay logs of a replica that stands still', () => {
  it.each([
    ['both threads were stopped', () => replica.sql('STOP SLAVE')],
    [
      'it was restarted',
      () => {
        replica.fields('service-stop', { owner });
        replica.fields('service-start', { owner });
      },
    ],
    [
      'it was killed',
      () => {
        killServer(replica);
        replica.fields('service-start', { owner });
      },
    ],
    [
      'it was killed twice, and its logs lie in several files',
      () => {
        replica.sql('FLUSH RELAY LOGS');
        insert(1);
        for (let round = 0; round < 2; round += 1) {
          killServer(replica);
          replica.fields('service-start', { owner });
        }
      },
    ],
  ])('hold what it had received, when %s; all of it is applied, and it goes on by GTID', async (_, stop) => {
    await receiveOnly(ROWS);
    const before = rows();
    stop();
    const { count, complete, why, up_to: goal } = list();
    expect({ complete, why }).toEqual({ complete: 'yes', why: '' });
    expect(Number(count)).toBeGreaterThanOrEqual(ROWS);
    expect(sequence(goal ?? '') - sequence(applied())).toBe(Number(count));
    expect(replica.fields('relay-source')).toMatchObject({ source: 'yes' });
    expect(replica.fields('keep-relay', at(1))).toMatchObject({ source: 'yes' });
    await applyAll();
    expect(rows()).toBe(before + Number(count));
    expect(replica.sql('SHOW SLAVE STATUS')).toContain('Slave_Pos');
    replica.sql('START SLAVE');
    insert(1);
    const end = primary.sql('SELECT @@gtid_binlog_pos');
    await until('it follows again', applied, (seen) => seen === end);
    expect(replica.sql('CHECKSUM TABLE shop.t')).toBe(primary.sql('CHECKSUM TABLE shop.t'));
  });

  it('are not trusted after the host was started anew, unless they were closed in order or synced at every event', async () => {
    await receiveOnly(3);
    killServer(replica);
    const logs = '/var/lib/mysql/*-relay-bin.0*';
    // Older than the first process of this host, as after a power cut.
    replica.shell(`touch -d '2 days ago' ${logs}`);
    replica.fields('service-start', { owner });
    expect(list()).toMatchObject({ complete: 'no', why: expect.stringContaining('was started anew') });
    // The clock of this host was ahead before it, or is behind since: what was written before looks as if it came afterwards.
    replica.shell(`touch -d '1 hour' ${logs}`);
    expect(list()).toMatchObject({ complete: 'no', why: expect.stringContaining('was started anew') });
    replica.shell(`printf '[mariadb]\nsync_relay_log=1\n' >/etc/mysql/mariadb.conf.d/60-sync.cnf`);
    expect(list()).toMatchObject({ count: '3', complete: 'yes' });
    replica.must('rm', '/etc/mysql/mariadb.conf.d/60-sync.cnf');
    await applyAll();
    await receiveOnly(3);
    replica.fields('service-stop', { owner });
    replica.shell(`touch -d '2 days ago' ${logs}`);
    replica.fields('service-start', { owner });
    expect(list()).toMatchObject({ count: '3', complete: 'yes' });
    await applyAll();
  });

  it('do not hold a transaction that was received in part', async () => {
    await receiveOnly(ROWS);
    killServer(replica);
    replica.must('truncate', '-s', '-5', lastRelayLog());
    replica.fields('service-start', { owner });
    expect(list()).toMatchObject({ count: String(ROWS - 1), complete: 'yes' });
  });

  it('are not complete when they are damaged, and say up to where they can be read', () => {
    const log = lastRelayLog();
    replica.shell(`printf XXXXXXXX | dd of=${log} bs=1 seek=$(($(stat -c %s ${log}) / 2)) conv=notrunc status=none`);
    const { complete, why, count } = list();
    expect(complete).toBe('no');
    expect(why).toMatch(/relay-bin\.\d+ can be read up to byte \d+/);
    expect(Number(count)).toBeLessThan(ROWS - 1);
  });

  it('are known to be gone after a start with nobody to receive from', async () => {
    killServer(primary);
    replica.sql('START SLAVE');
    const status = () => replica.sql('SHOW SLAVE STATUS');
    await until(
      'its receiver looks for the primary',
      status,
      (seen) => seen.includes('Connecting') || seen.includes('Preparing'),
    );
    expect(received()).not.toBe('');
    expect(replica.fields('relay-source')).toMatchObject({ source: 'no' });
    expect(replica.fields('keep-relay', at(1))).toMatchObject({ source: 'no' });
    replica.sql('STOP SLAVE');
    expect(list()).toMatchObject({ complete: 'no', why: expect.stringContaining('thrown away') });
  });
});
