import { readFileSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Crowd } from '../../lab/crowd.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { caughtUp, useCluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();
const db3 = { cluster: 'shop', host: 'db3' };
const IDS: Readonly<Record<string, string>> = { db1: '1', db2: '2', db3: '3' };

/** Epoch, mode, ackers, k, as the members have them in their files. */
const record = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['cat', '/var/lib/standfast/sync'])).stdout.trim().replace(/^\d+ /, '');
const records = (hosts: readonly string[] = ['db1', 'db2']): Promise<readonly string[]> =>
  Promise.all(hosts.map(record));
/** Whether `host` is connected to the primary now, as that says. */
const isConnected = async (host: string, primary = 'db1'): Promise<boolean> =>
  (await cluster().lab.host(primary).sql('SHOW SLAVE HOSTS')).some(([id]) => id === IDS[host]);
const receiver = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['mariadb', '-e', 'SHOW SLAVE STATUS\\G'])).stdout.match(
    /Slave_IO_Running: (\w+)/,
  )?.[1] ?? '';
const acknowledges = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).sql("SHOW STATUS LIKE 'Rpl_semi_sync_slave_status'"))[0]?.[1] ?? '';

/** A write waits on the primary, and none that was sent after `since` has been answered. */
async function expectNoAnswer(ledger: Ledger, since: number): Promise<void> {
  const waits = "STATE LIKE 'Waiting for semi-sync%' AND TIME >= 1";
  await until('a commit that waits for an acknowledgement', async () => {
    const rows = await cluster().lab.host('db1').sql(`SELECT 1 FROM information_schema.PROCESSLIST WHERE ${waits}`);
    return rows.length > 0 ? true : undefined;
  });
  const answered = ledger.attempts().filter((one) => one.outcome === 'ack' && one.sentAt >= since);
  expect(answered).toEqual([]);
}

describe('an acker that is gone', () => {
  test('is removed, and the other one covers a failover without loss; before that it was refused', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    await lab.host('db3').powerOff();
    const removed = await client.removeAcker({ ...db3, reason: 'its disk is dead' });
    expect(removed).toMatchObject({ outcome: 'removed', mode: 'lossless', ackers: ['db2'], primary: 'db1' });
    expect(await records()).toEqual(['lossless db2 1', 'lossless db2 1']);
    await ledger.acknowledged(20, { since: Ledger.now() });
    // As a member it is back, for the majority; as a replica it stands, and knows less than it acknowledged.
    await lab.host('db3').powerOn();
    const faultAt = Ledger.now();
    await lab.host('db1').powerOff();
    const result = await client.failover({ cluster: 'shop' });
    expect(result).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2', loss: { lossless: true } });
    expect(result.decision?.coverage).toMatchObject({ by: 'ackers' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db2', faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test('cannot acknowledge when only its network was gone, and comes back by admission', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.cut('control', 'db3');
    const removed = await client.removeAcker(db3);
    expect(removed.refused).toEqual([expect.stringContaining('db3')]);
    const ledger = startLedger({ hosts: ['db1'] });
    await ledger.acknowledged(20);
    expect(await receiver('db3')).toBe('Connecting');
    expect(await isConnected('db3')).toBe(false);
    await lab.host('db2').sql('STOP SLAVE IO_THREAD');
    const alone = Ledger.now();
    await expectNoAnswer(ledger, alone);
    await lab.host('db2').sql('START SLAVE IO_THREAD');
    await ledger.acknowledged(20, { since: Ledger.now() });
    await lab.heal();
    expect(await isConnected('db3')).toBe(false);
    expect(await client.admitReplica(db3)).toMatchObject({ mode: 'lossless', ackers: ['db2', 'db3'] });
    expect(await records(['db1', 'db2', 'db3'])).toEqual(Array(3).fill('lossless db2,db3 1'));
    expect([await isConnected('db3'), await acknowledges('db3')]).toEqual([true, 'ON']);
    await ledger.stop();
    expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
  });

  test('stays out when it was frozen, thaws, and the primary has lost power meanwhile', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    lab.host('db3').signal('mariadbd', 'SIGSTOP');
    expect((await client.removeAcker(db3)).refused).toHaveLength(1);
    await lab.host('db1').powerOff();
    await lab.host('db1').powerOn();
    lab.host('db3').signal('mariadbd', 'SIGCONT');
    // Closed, the primary is open to whoever connects; it is opened for writes only behind the rule.
    await until('db3 is back at the closed primary', async () => ((await isConnected('db3')) ? true : undefined));
    await client.preparePrimary({ cluster: 'shop', host: 'db1' });
    expect(await isConnected('db3')).toBe(false);
    expect(await receiver('db3')).not.toBe('Yes');
    expect(await records()).toEqual(['lossless db2 1', 'lossless db2 1']);
  });

  test('goes on replicating, and counts for nothing, when it is alive', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    expect(await client.removeAcker(db3)).toMatchObject({ refused: [], ackers: ['db2'] });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    await caughtUp(lab, 'db3', 'db1');
    expect([await acknowledges('db3'), await acknowledges('db2')]).toEqual(['OFF', 'ON']);
    expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
    expect(await client.admitReplica(db3)).toMatchObject({ ackers: ['db2', 'db3'] });
  });
});

describe('ackers that were away', () => {
  test('come back to a primary whose other connections all wait for them, when its applications leave them room', async () => {
    const { lab, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const most = 12;
    await lab.host('db1').sql('CREATE TABLE shop.crowd (id BIGINT AUTO_INCREMENT PRIMARY KEY)');
    await lab.host('db1').sql("ALTER USER 'app'@'localhost' WITH MAX_USER_CONNECTIONS 8");
    await lab.host('db1').sql(`SET GLOBAL max_connections = ${String(most)}`);
    for (const host of ['db2', 'db3']) await lab.host(host).sql('STOP SLAVE IO_THREAD');
    const crowd = Crowd.gather(lab, { host: 'db1', size: 2 * most, over: 'socket', forSeconds: 60 });
    onTestFinished(() => {
      crowd.disperse();
    });
    const own = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app'";
    const counted = async (host: string, query: string): Promise<number> =>
      Number((await lab.host(host).exec(['mariadb', '-N', '-e', query])).stdout);
    await until('the crowd has all that it may', async () => ((await counted('db1', own)) === 8 ? true : undefined));
    for (const host of ['db2', 'db3']) await lab.host(host).sql('START SLAVE IO_THREAD');
    await until('both receive', async () =>
      (await Promise.all(['db2', 'db3'].map(receiver))).every((state) => state === 'Yes') ? true : undefined,
    );
    await until('the crowd is served', async () =>
      (await counted('db2', 'SELECT COUNT(*) FROM shop.crowd')) > 2 * most ? true : undefined,
    );
  });
});

describe('a removal', () => {
  /** The crash matrix has them all. */
  const STEPS = ['refuse', 'record'].map((step) => `removeAcker.${step}:after`);

  test('ends in another worker when the first is killed, where it changes who counts', async () => {
    const { client, restore, startWorker, startLedger } = cluster();
    await restore('cluster');
    const ledger = startLedger();
    for (const holdAt of STEPS) {
      const first = await startWorker('first', holdAt);
      const removing = client.removeAcker(db3);
      await first.says(/^held at /m);
      const second = await startWorker('second');
      await first.kill();
      expect(await removing, holdAt).toMatchObject({ outcome: 'removed', ackers: ['db2'], refused: [] });
      expect(await records(), holdAt).toEqual(['lossless db2 1', 'lossless db2 1']);
      await ledger.acknowledged(5, { since: Ledger.now() });
      await client.admitReplica(db3);
      expect(await records(), holdAt).toEqual(['lossless db2,db3 1', 'lossless db2,db3 1']);
      await second.kill();
    }
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db1' });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  }, 300_000);

  test('is undone when nobody else covers: the record is as before, and the replica is let in again', async () => {
    const { lab, client, restoreWithWorker, startWorker } = cluster();
    const first = await restoreWithWorker('cluster', 'first', 'removeAcker.refuse:after');
    const removing = refusalOf(client.removeAcker(db3));
    await first.says(/^held at /m);
    expect(await isConnected('db3')).toBe(false);
    await lab.host('db2').sql('STOP SLAVE IO_THREAD');
    await startWorker('second');
    await first.kill();
    const refusal = await removing;
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 5 });
    expect(refusal.message).toContain('db2 is not connected');
    expect(await records()).toEqual(['lossless db2,db3 1', 'lossless db2,db3 1']);
    await until('db3 is connected again', async () => ((await isConnected('db3')) ? true : undefined));
  });

  test('is refused, with nothing changed, for the primary, and when nobody else is connected', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    expect(await refusalOf(client.removeAcker({ cluster: 'shop', host: 'db1' }))).toMatchObject({ exitCode: 4 });
    expect(await refusalOf(client.removeAcker({ cluster: 'shop', host: 'db9' }))).toMatchObject({ type: 'BadInput' });
    await lab.host('db2').sql('STOP SLAVE IO_THREAD');
    const refusal = await refusalOf(client.removeAcker(db3));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toContain('Nothing was changed');
    expect(await records()).toEqual(['lossless db2,db3 1', 'lossless db2,db3 1']);
  });

  test('of the last acker goes async, unless the policy is to stop', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await client.removeAcker(db3);
    const inventory = readFileSync(lab.etc('standfast.yaml'), 'utf8');
    onTestFinished(() => {
      writeFileSync(lab.etc('standfast.yaml'), inventory);
    });
    writeFileSync(lab.etc('standfast.yaml'), inventory.replace(/^( +)policy:$/m, '$1policy:\n$1  alone: stop'));
    for (const call of [
      () => client.removeAcker({ cluster: 'shop', host: 'db2' }),
      () => client.goAsync({ cluster: 'shop' }),
    ]) {
      const refusal = await refusalOf(call());
      expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
      expect(refusal.message).toContain('policy.alone of shop is stop');
    }
    expect(await records()).toEqual(['lossless db2 1', 'lossless db2 1']);
    writeFileSync(lab.etc('standfast.yaml'), inventory);
    expect(await client.removeAcker({ cluster: 'shop', host: 'db2' })).toMatchObject({ mode: 'async', ackers: [] });
    expect(await records()).toEqual(['async - 0', 'async - 0']);
    expect(await lab.host('db1').sql('SELECT @@rpl_semi_sync_master_enabled')).toEqual([['0']]);
  });
});

describe('a removed acker', () => {
  test('whose data is gone is provisioned again, though it is refused', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db3').powerOff();
    expect((await client.removeAcker(db3)).refused).toHaveLength(1);
    await lab.host('db3').powerOn();
    const wipe = 'service mariadb stop && rm -rf /var/lib/mysql/* /var/lib/mysql/.standfast';
    expect(await lab.host('db3').exec(['sh', '-c', wipe])).toMatchObject({ exitCode: 0 });
    expect(await client.provisionReplica(db3)).toMatchObject({ outcome: 'admitted' });
    expect(await records(['db1', 'db2', 'db3'])).toEqual(Array(3).fill('lossless db2,db3 1'));
    expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
  });

  test('whose admission is cancelled half-way is out again, in the order of a removal', async () => {
    const { client, restoreWithWorker, startWorker, temporal } = cluster();
    const first = await restoreWithWorker('cluster', 'first', 'admitReplica.replica:after');
    await client.removeAcker(db3);
    await client.admitReplica(db3, { detach: true });
    await first.says(/^held at /m);
    expect([await records(), await acknowledges('db3')]).toEqual([Array(2).fill('lossless db2,db3 1'), 'ON']);
    const connection = await Connection.connect({ address: temporal });
    onTestFinished(() => connection.close());
    const run = new Client({ connection }).workflow.getHandle('operation/shop');
    await run.cancel();
    // A second attempt that began before could finish the work: too late is too late.
    await until('an activity that is asked to end', async () => {
      const { events } = await run.fetchHistory();
      return events?.some((event) => event.activityTaskCancelRequestedEventAttributes) === true ? true : undefined;
    });
    await first.kill();
    await startWorker('second');
    await expect(run.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect([await records(), await acknowledges('db3')]).toEqual([Array(2).fill('lossless db2 1'), 'OFF']);
    await until('db3 is connected again', async () => ((await isConnected('db3')) ? true : undefined));
  });
});

describe('going async', () => {
  test('releases the writers that hang, and has said so on a majority before, whenever its worker is killed', async () => {
    const { lab, client, restore, startWorker, startLedger } = cluster();
    await restore('cluster');
    const ledger = startLedger({ hosts: ['db1'] });
    await ledger.acknowledged(20);
    await lab.host('db3').powerOff();
    lab.host('db2').signal('mariadbd', 'SIGKILL');
    const hung = Ledger.now();
    await expectNoAnswer(ledger, hung);
    const first = await startWorker('first', 'goAsync.record:after');
    const going = client.goAsync({ cluster: 'shop', reason: 'both replicas are gone' });
    await first.says(/^held at /m);
    expect(await records()).toEqual(['async - 0', 'async - 0']);
    await expectNoAnswer(ledger, hung);
    const second = await startWorker('second', 'goAsync.release:after');
    await first.kill();
    await second.says(/^held at /m);
    await startWorker('third');
    await second.kill();
    expect(await going).toMatchObject({ outcome: 'async', primary: 'db1', refused: [expect.stringContaining('db3')] });
    await ledger.acknowledged(20, { since: hung });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    const { verdict } = await client.status('shop');
    expect(verdict.findings.map((one) => one.code)).toContain('RunsAsync');
  });

  test('releases them also when they compete for the last connection of the server, whose vote is needed', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db1').sql('SET GLOBAL max_connections=20');
    await lab.host('db3').powerOff();
    lab.host('db2').signal('mariadbd', 'SIGKILL');
    const hung = Ledger.now();
    const ledger = startLedger({ hosts: ['db1'], vipWriters: 40, periodMs: 50 });
    await until('too many connections', () =>
      ledger.attempts().some((one) => one.outcome === 'refused') ? true : undefined,
    );
    expect(await client.goAsync({ cluster: 'shop' })).toMatchObject({
      outcome: 'async',
      refused: [expect.stringContaining('db3')],
    });
    await ledger.acknowledged(20, { since: hung });
  });

  test('is refused of a primary that does not answer', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    for (const call of [() => client.goAsync({ cluster: 'shop' }), () => client.removeAcker(db3)]) {
      const refusal = await refusalOf(call());
      expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
      expect(refusal.message).toContain('standfast failover shop');
    }
  });

  test('is no promise that a failover trusts: without the old binlog it is refused', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await client.goAsync({ cluster: 'shop' });
    await lab.host('db1').powerOff();
    const refusal = await refusalOf(client.failover({ cluster: 'shop' }));
    expect(refusal).toMatchObject({ type: 'Unsafe' });
    expect(refusal.message).toContain('async');
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
  });

  test('is ended by admissions: the first makes the primary wait again, the second widens the record', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await client.goAsync({ cluster: 'shop' });
    expect(await client.admitReplica({ cluster: 'shop', host: 'db2' })).toMatchObject({ ackers: ['db2'] });
    expect([await acknowledges('db2'), await acknowledges('db3')]).toEqual(['ON', 'OFF']);
    expect(await client.admitReplica(db3)).toMatchObject({ mode: 'lossless', ackers: ['db2', 'db3'] });
    expect(await lab.host('db1').sql('SELECT @@rpl_semi_sync_master_enabled')).toEqual([['1']]);
    expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
  });
});
