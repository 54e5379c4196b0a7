import { describe, expect, test } from 'vitest';
import { replicaStatus } from '../../chaos/invariants.ts';
import { unhealthyVerdict } from '../../client/index.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { caughtUp, checksums, useCluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();
const order = { cluster: 'shop', reason: 'test' };
const back = { cluster: 'shop', host: 'db1' };
const ROWS = 7;

const syncOn = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['cat', '/var/lib/standfast/sync'])).stdout;

/** One that writes a row each second, as somebody whom nobody else is; and one that a person has disabled, which would delete what the other writes. */
async function scheduleEvents(): Promise<void> {
  const { lab, client } = cluster();
  const db1 = lab.host('db1');
  await db1.sql(`CREATE DATABASE ticks; CREATE USER ticker@'10.1.%' IDENTIFIED BY 'x'; GRANT INSERT, EVENT ON ticks.* TO ticker@'10.1.%';
    CREATE TABLE ticks.t (id INT AUTO_INCREMENT PRIMARY KEY, server INT, mode TEXT, who TEXT);
    CREATE EVENT ticks.purge ON SCHEDULE EVERY 1 SECOND DO DELETE FROM ticks.t; ALTER EVENT ticks.purge DISABLE;
    SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT';
    CREATE DEFINER = ticker@'10.1.%' EVENT ticks.tick ON SCHEDULE EVERY 1 SECOND
      DO INSERT INTO ticks.t (server, mode, who) VALUES (@@server_id, @@sql_mode, CURRENT_USER() || '')`);
  // The watcher notes within seconds what is enabled, and this does at once.
  await client.preparePrimary({ cluster: 'shop', host: 'db1' });
  await expectTicks('db1');
}

/** From now on the event is carried out on `primary`, and nowhere else. */
async function expectTicks(primary: string): Promise<void> {
  const host = cluster().lab.host(primary);
  const [[id = '', last = '0'] = []] = await host.sql('SELECT @@server_id, COALESCE(MAX(id), 0) FROM ticks.t');
  const ticks = () => host.sql(`SELECT server, mode, who FROM ticks.t WHERE id > ${last} ORDER BY id`);
  const seen = await until('a row of the event', async () => ((await ticks()).length > 0 ? ticks() : undefined));
  for (const row of seen) expect(row).toEqual([id, 'PIPES_AS_CONCAT,ANSI_QUOTES', 'ticker@10.1.%']);
}

/** db2 or db3 is primary afterwards; db1 holds rows that nobody else has, as in async mode. */
async function failOverFromAsync(): Promise<{ readonly primary: string; readonly lost: readonly string[] }> {
  const { lab, client } = cluster();
  const db1 = lab.host('db1');
  await db1.sql('SET GLOBAL rpl_semi_sync_master_enabled = 0');
  for (const replica of ['db2', 'db3']) await lab.host(replica).sql('STOP SLAVE IO_THREAD');
  const lost: string[] = [];
  for (let row = 0; row < ROWS; row += 1) {
    const said = await db1.sql(
      `INSERT INTO ledger.writes (token, route, server) VALUES (${String(row)}, 'test', 1); SELECT @@last_gtid`,
    );
    lost.push(said[0]?.[0] ?? '');
  }
  await db1.powerOff();
  return { primary: (await client.failover(order)).newPrimary, lost };
}

describe('the old primary', () => {
  test('that holds nothing of its own follows the new one, is proven, and acknowledges again', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await scheduleEvents();
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const { newPrimary: primary, events } = await client.failover(order);
    expect(events).toEqual({ enabled: ['ticks.tick'], disabled: ['ticks.purge'], leftOff: [] });
    await expectTicks(primary);
    await lab.host('db1').exec(['service', 'mariadb', 'start']); // behind its fence, as somebody in a hurry does
    // There it cannot be told to acknowledge nothing, so the primary refuses it.
    const others = { cluster: 'shop', host: primary === 'db2' ? 'db3' : 'db2' };
    expect((await client.removeAcker(others)).refused).toEqual([expect.stringContaining('db1')]);
    const result = await client.rejoinReplica(back);
    expect(result).toMatchObject({ outcome: 'rejoined', primary, mode: 'lossless' });
    expect(await client.rejoinReplica(back)).toMatchObject({ outcome: 'rejoined', checksum: null });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary, faultAt })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    await caughtUp(lab, 'db1', primary);
    expect(await checksums(lab, 'db1')).toEqual(await checksums(lab, primary));
    expect(await lab.host('db1').sql('SELECT @@read_only, @@event_scheduler')).toEqual([['1', 'OFF']]);
    expect(await lab.host('db1').sql("SELECT status FROM mysql.event WHERE name = 'tick'")).toEqual([
      ['SLAVESIDE_DISABLED'],
    ]);
    await expectTicks(primary);
    expect(await syncOn(primary)).toMatch(/lossless .*db1/);
    // And it can be primary again.
    lab.host(primary).signal('mariadbd', 'SIGKILL');
    expect(await client.failover({ ...order, candidate: 'db1' })).toMatchObject({
      newPrimary: 'db1',
      loss: { lossless: true },
      events: { enabled: ['ticks.tick'] },
    });
    await expectTicks('db1');
  });

  test('is compared with what its primary has committed, not with what waits for an acknowledgement there', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await client.removeAcker({ cluster: 'shop', host: 'db3' });
    const ledger = startLedger();
    await ledger.acknowledged(20);
    // db3 is sent the writes that the only acker does not acknowledge now, and applies them before their own server shows them.
    await lab.host('db2').sql('STOP SLAVE IO_THREAD');
    const shown = async (host: string) =>
      Number((await lab.host(host).sql('SELECT COUNT(*) FROM ledger.writes'))[0]?.[0]);
    await until(
      'db3 to be ahead',
      async () => ((await shown('db3')) > (await shown('db1')) ? true : undefined),
      30_000,
    );
    const proof = client.rejoinReplica({ cluster: 'shop', host: 'db3' });
    let standing = 0;
    const waits = async (): Promise<true | undefined> => {
      standing = (await replicaStatus(lab, 'db3')).get('Slave_SQL_Running') === 'No' ? standing + 1 : 0;
      return standing >= 10 ? true : undefined;
    };
    await Promise.race([until('the comparison to wait', waits, 60_000), proof]);
    await lab.host('db2').sql('START SLAVE IO_THREAD');
    expect(await proof).toMatchObject({ outcome: 'rejoined', primary: 'db1', mode: 'lossless' });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test('is proven while the definitions of its tables change one after the other', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const db1 = lab.host('db1');
    const tables = Array.from({ length: 300 }, (_, number) => `churn.t${String(number)}`);
    const made = tables.map((name) => `CREATE TABLE ${name} (id INT PRIMARY KEY); INSERT INTO ${name} VALUES (1)`);
    await db1.sql(`CREATE DATABASE churn; ${made.join('; ')}`, { timeoutMs: 60_000 });
    await client.removeAcker({ cluster: 'shop', host: 'db3' });
    const untouched = [...tables];
    const changing = (async () => {
      for (let name = untouched.pop(); name !== undefined; name = untouched.pop())
        await db1.sql(`ALTER TABLE ${name} ADD COLUMN note INT DEFAULT 7`, { timeoutMs: 30_000 });
    })();
    const result = await client.rejoinReplica({ cluster: 'shop', host: 'db3' });
    const left = untouched.splice(0);
    await changing;
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(tables.length - 10);
    expect(result).toMatchObject({ outcome: 'rejoined', primary: 'db1', mode: 'lossless' });
    await caughtUp(lab, 'db3', 'db1');
    expect(await checksums(lab, 'db3')).toEqual(await checksums(lab, 'db1'));
  });

  test('that wrote what nobody else has is kept down, and exactly that is set aside', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const { primary, lost } = await failOverFromAsync();
    const ledger = startLedger();
    await ledger.acknowledged(20);
    await lab.host('db1').powerOn();
    const result = await client.rejoinReplica(back);
    expect(result).toMatchObject({ outcome: 'quarantined', primary });
    const tails = result.outcome === 'quarantined' ? result.tails : [];
    expect(tails.flatMap((tail) => tail.gtids)).toEqual(lost);
    const folder = `/var/lib/standfast/quarantine/${tails[0]?.name ?? ''}`;
    const { stdout } = await lab
      .host('db1')
      .exec(['bash', '-c', `grep -c '^### INSERT INTO' ${folder}/tail.sql; cat ${folder}/gtids`]);
    expect(stdout.trim().split('\n')).toEqual([String(ROWS), ...lost]);
    expect(lab.host('db1').processes('mariadbd')).toEqual([]);
    expect(await client.rejoinReplica(back)).toMatchObject({ outcome: 'quarantined' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary })).toMatchObject({ lost: [], twoWriters: [] });
    // The remedy, to the letter.
    expect(result).toMatchObject({
      remedy: expect.stringContaining('standfast-host discard-data host=db1'),
    });
    const discarded = await lab.host('db1').exec(['standfast-host', 'discard-data', 'host=db1']);
    expect(discarded.stdout).toContain('fenced=no');
    expect(await client.provisionReplica({ cluster: 'shop', host: 'db1' })).toMatchObject({ outcome: 'admitted' });
  });
});

describe('a replica', () => {
  test('that was off during the failover is pointed at the new primary and counts again', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db1').sql(`INSERT INTO ledger.writes (token, route, server) VALUES (1, 'test', 1)`);
    await caughtUp(lab, 'db3', 'db1');
    await lab.host('db3').exec(['service', 'mariadb', 'stop']);
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    expect(await client.failover(order)).toMatchObject({ newPrimary: 'db2' });
    await lab.host('db3').exec(['service', 'mariadb', 'start']);
    expect(await client.rejoinReplica({ ...back, host: 'db3' })).toMatchObject({ outcome: 'rejoined', primary: 'db2' });
    expect(await syncOn('db2')).toMatch(/lossless .*db3/);
  });
});

describe('a host that cannot come back is refused, and nothing is changed:', () => {
  const refusalFor = (host: string) => refusalOf(cluster().client.rejoinReplica({ cluster: 'shop', host }));
  const refused = (type: string, text: string) => ({ type, message: expect.stringContaining(text) as string });

  test('the primary itself, a name of no host, one that accepts writes, one that does not answer', async () => {
    const { lab, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ofPrimary = await refusalFor('db1');
    expect(ofPrimary).toMatchObject(refused('Unsafe', 'recorded as the primary'));
    expect(ofPrimary).toMatchObject({ facts: { undone: [], notUndone: [] } });
    expect(await refusalFor('db9')).toMatchObject(refused('BadInput', 'db9'));
    await lab.host('db3').sql('SET GLOBAL read_only = 0');
    expect(await refusalFor('db3')).toMatchObject(refused('Unsafe', 'accepts writes beside db1'));
    await lab.host('db3').powerOff();
    expect(await refusalFor('db3')).toMatchObject(refused('Unsafe', 'does not answer'));
  });

  test('a replica at rest of a primary that does not serve: its relay logs are as they were', async () => {
    const { lab, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db3').sql('STOP SLAVE SQL_THREAD');
    await lab.host('db1').sql(`INSERT INTO ledger.writes (token, route, server) VALUES (1, 'test', 1)`);
    await lab.host('db3').sql('STOP SLAVE');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const relayLogs = () => lab.host('db3').sql('SHOW SLAVE STATUS');
    const before = await relayLogs();
    expect(await refusalFor('db3')).toMatchObject(refused('Unsafe', 'does not serve'));
    expect(await relayLogs()).toEqual(before);
  });

  test('the old primary, when it has lost the last of what it wrote: replication would pass over that', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const db1 = lab.host('db1');
    await db1.sql(`INSERT INTO ledger.writes (token, route, server) VALUES (1, 'test', 1)`);
    for (const replica of ['db2', 'db3']) await caughtUp(lab, replica, 'db1');
    db1.signal('mariadbd', 'SIGKILL');
    await client.failover(order);
    // As after a loss of power of a server that does not sync its log.
    const cut = 'cd /var/lib/mysql && truncate -s -60 "$(tail -n 1 mariadb-bin.index)"';
    expect((await db1.exec(['bash', '-c', cut])).exitCode).toBe(0);
    for (let attempts = 0; attempts < 2; attempts += 1)
      expect(await refusalFor('db1')).toMatchObject(
        refused('Unsafe', 'the log of db1 lacks transactions that it wrote itself'),
      );
    expect(await db1.sql('SHOW SLAVE STATUS')).toEqual([]);
    expect(await db1.sql('SELECT @@read_only')).toEqual([['1']]);
    const verdict = unhealthyVerdict(await refusalOf(client.verify({ cluster: 'shop' })));
    expect(verdict?.findings).toContainEqual(expect.objectContaining({ host: 'db1', code: 'TransactionsLost' }));
  });

  test('one that never belonged to the cluster, its server stopped or running', async () => {
    const { lab, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    expect(await refusalFor('db2')).toMatchObject(refused('Unsafe', 'standfast provision'));
    await lab.host('db2').exec(['service', 'mariadb', 'start']);
    expect(await refusalFor('db2')).toMatchObject(refused('Unsafe', 'standfast provision'));
    expect(lab.host('db2').processes('mariadbd').length).toBe(1);
  });
});
