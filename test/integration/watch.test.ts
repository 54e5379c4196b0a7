import { expect, test } from 'vitest';
import type { FailoverResult } from '../../client/index.ts';
import { until } from '../../lab/run.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import type { ClusterSettings } from '../../lab/lab-files.ts';
import type { Cluster } from './cluster.ts';
import { useCluster } from './cluster.ts';
import { keepPolicy } from './policy.ts';
import { failureOf, useTemporal } from './temporal.ts';
import { useWatch } from './watching.ts';

const cluster = useCluster();
const temporal = useTemporal();
const watch = useWatch(temporal);
keepPolicy(cluster);

/** db1 is open, and watched under this policy. @param statements carried out on it before */
async function watched(policy: ClusterSettings, statements?: string): Promise<Cluster> {
  await cluster().restore('cluster');
  if (statements !== undefined) await cluster().lab.host('db1').sql(statements);
  cluster().lab.configure(policy);
  await cluster().startWatcher('watcher');
  await watch.tells('db1 PrimaryServes');
  return cluster();
}

test('a watched primary that is killed is failed over without a person, and nothing acknowledged is lost', async () => {
  const nightly = 'CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.nothing';
  const { lab, startLedger } = await watched({ automatic: true, cooldown: '1s' }, nightly);
  const ledger = startLedger();
  await ledger.acknowledged(50);
  const noted = async () => (await lab.host('db1').sql('SELECT events FROM standfast.enabled_events')).join();
  await until('a note of the event', async () => (await noted()).includes('nightly') || undefined);

  const faultAt = Ledger.now();
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await ledger.acknowledged(50, { since: faultAt });

  const result = (await temporal().workflow.getHandle('operation/shop').result()) as FailoverResult;
  expect(result).toMatchObject({
    outcome: 'failed-over',
    oldPrimary: 'db1',
    decision: { coverage: { kind: 'lossless' } },
    events: { enabled: ['shop.nightly'], disabled: [], leftOff: [] },
  });
  await ledger.stop();
  const { lost, twoWriters } = await ledger.verdict({ primary: result.newPrimary, faultAt });
  expect({ lost, twoWriters }).toEqual({ lost: [], twoWriters: [] });
  await watch.tells(`${result.newPrimary} PrimaryServes`);
});

test('a watcher that alone is cut off from the primary starts nothing, and says what it sees', async () => {
  const { lab } = await watched({ automatic: true, cooldown: '1s' });
  await lab.cut('control', 'db1');
  await watch.tells('db1 PrimaryHeardByReplicas');
  await lab.heal();
  await watch.tells('db1 PrimaryServes', 2);
  expect(await watch.failovers()).toEqual([]);
  // It is told the most while a failover needs the processor.
  expect(await watch.isKept()).toBe(true);
});

test('a failover that would refuse is told of while the primary still serves, and when it would go through again', async () => {
  const { lab } = await watched({ automatic: true, rehearsal: '1s' });
  const replicas = ['db2', 'db3'];
  await Promise.all(replicas.map((host) => lab.host(host).powerOff()));
  await watch.tells(' FailoverWouldRefuse');
  const powered = replicas.map(async (name) => {
    const host = lab.host(name);
    await host.powerOn();
    await host.exec(['service', 'mariadb', 'start'], { timeoutMs: 60_000 });
    await host.sql('START SLAVE');
  });
  await Promise.all(powered);
  await watch.tells(' FailoverPossible');
  expect(await watch.failovers()).toEqual([]);
});

test('a primary that restarts within the grace is opened again, and nobody else is promoted', async () => {
  const { lab, restoreWithWorker, startWatcher, startLedger } = cluster();
  await restoreWithWorker('cluster', 'runbooks');
  lab.configure({ automatic: true, grace: '60s' });
  await startWatcher('watcher');
  await watch.tells('db1 PrimaryServes');
  const ledger = startLedger();
  await ledger.acknowledged(20);
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await watch.tells('db1 PrimaryProcessDead');
  const since = Ledger.now();
  await lab.host('db1').exec(['service', 'mariadb', 'start'], { timeoutMs: 60_000 });
  await ledger.acknowledged(20, { since });
  expect(await watch.failovers()).toEqual([]);
});

test('a primary that dies again while it is being opened is failed over, and the opening gives way', async () => {
  const { lab, restore, startWatcher, startWorker, startLedger } = cluster();
  await restore('cluster');
  // Longer than the restart takes on a busy machine.
  lab.configure({ automatic: true, cooldown: '1s', grace: '15s' });
  const [, opener] = await Promise.all([
    startWatcher('watcher'),
    startWorker('runbooks', 'openPrimary.semi-sync:before'),
  ]);
  await watch.tells('db1 PrimaryServes');
  const ledger = startLedger();
  await ledger.acknowledged(20);
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await lab.host('db1').exec(['service', 'mariadb', 'start'], { timeoutMs: 60_000 });
  await opener.says(/held at/);
  const opening = temporal().workflow.getHandle('operation/shop');
  const { runId } = await opening.describe();
  const faultAt = Ledger.now();
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await ledger.acknowledged(20, { since: faultAt, timeoutMs: 60_000 });
  const given = await failureOf(temporal().workflow.getHandle('operation/shop', runId).result());
  expect(given).toMatchObject({ type: 'Stale' });
  expect(given.message).toContain('a failover must not wait for it');
  const result = (await opening.result()) as FailoverResult;
  expect(result).toMatchObject({ outcome: 'failed-over', oldPrimary: 'db1' });
  await ledger.stop();
  const { lost, twoWriters } = await ledger.verdict({ primary: result.newPrimary, faultAt });
  expect({ lost, twoWriters }).toEqual({ lost: [], twoWriters: [] });
});

test('a hung primary is failed over', async () => {
  const { lab, startLedger } = await watched({ automatic: true, cooldown: '1s' });
  const ledger = startLedger();
  await ledger.acknowledged(50);
  const faultAt = Ledger.now();
  lab.host('db1').signal('mariadbd', 'SIGSTOP');
  await ledger.acknowledged(50, { since: faultAt });
  const result = (await temporal().workflow.getHandle('operation/shop').result()) as FailoverResult;
  await ledger.stop();
  const { lost, twoWriters } = await ledger.verdict({ primary: result.newPrimary, faultAt });
  expect({ lost, twoWriters }).toEqual({ lost: [], twoWriters: [] });
});

test('a failover that somebody terminated half-way is gone on with', async () => {
  const { lab, client, restoreWithWorker, startWorker, startWatcher, startLedger } = cluster();
  const held = await restoreWithWorker('cluster', 'held', 'promoteAndRoute.siblings:before');
  lab.configure({ automatic: true, cooldown: '1s' });
  const ledger = startLedger();
  await ledger.acknowledged(20);
  const faultAt = Ledger.now();
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await client.failover({ cluster: 'shop' }, { detach: true });
  await held.held('promoteAndRoute.siblings:before');
  await temporal().workflow.getHandle('operation/shop').terminate('a person was impatient');
  await held.kill();
  await Promise.all([startWatcher('watcher'), startWorker('runbooks')]);
  const since = Ledger.now();
  await ledger.acknowledged(20, { since, timeoutMs: 60_000 });
  const result = (await temporal().workflow.getHandle('operation/shop').result()) as FailoverResult;
  await ledger.stop();
  const { lost, twoWriters } = await ledger.verdict({ primary: result.newPrimary, faultAt });
  expect({ lost, twoWriters }).toEqual({ lost: [], twoWriters: [] });
});

test('without policy.failover.automatic a dead primary is told of, and left to a person', async () => {
  const { lab, restore, startWatcher } = cluster();
  await restore('cluster');
  await startWatcher('watcher');
  await watch.tells('db1 PrimaryServes');
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await watch.tells('db1 PrimaryProcessDead');
  expect(await watch.failovers()).toEqual([]);
});

test('a thread that stops is told of, with its error in words', async () => {
  const { lab, restore, startWatcher } = cluster();
  await restore('cluster');
  await startWatcher('watcher');
  await watch.tells('db3 Replicates');
  await lab.host('db3').sql('STOP SLAVE SQL_THREAD');
  await watch.tells('db3 ApplierStopped');
  await lab.host('db3').sql('START SLAVE SQL_THREAD');
  await watch.tells('db3 Replicates', 2);
});

test('a second failover within the cooldown is left to a person', async () => {
  const { lab } = await watched({ automatic: true, cooldown: '1s' });
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await watch.tells('db1 AttemptDone');
  const [first] = await watch.failovers();
  const { newPrimary } = (await temporal().workflow.getHandle('operation/shop').result()) as FailoverResult;
  await watch.tells(`${newPrimary} PrimaryServes`);
  // It begins anew with the policy, and remembers.
  lab.configure({ automatic: true, cooldown: '10m' });
  await watch.tells(`${newPrimary} PrimaryServes`, 2);
  lab.host(newPrimary).signal('mariadbd', 'SIGKILL');
  await watch.tells(`${newPrimary} PrimaryProcessDead`);
  expect(await watch.failovers()).toEqual([first]);
  expect(await watch.reactions()).toContain(
    'the last failover is not longer ago than policy.failover.cooldown, so a person has to start this one',
  );
});

test('another worker goes on with the watch when the first is killed', async () => {
  const { lab, restore, startWatcher } = cluster();
  await restore('cluster');
  lab.configure({ automatic: true, cooldown: '1s' });
  const watchers = [await startWatcher('watcher'), await startWatcher('second')];
  await watch.tells('db1 PrimaryServes');
  const watcher = await until(
    'who watches',
    async () => {
      const identity = await watch.watcher();
      return watchers.find((one) => one.isCalled(identity));
    },
    10_000,
  );
  await watcher.kill();
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  await until('a failover', async () => ((await watch.failovers()).length > 0 ? true : undefined), 30_000);
  await temporal().workflow.getHandle('operation/shop').result();
});

test('says how far a replica is behind and which clock it has, and tells of one that falls back', async () => {
  const { lab, client } = await watched({ automatic: false, lagFail: '20s' });
  const delayOf = async (host: string) => (await client.lag()).find((one) => one.host === host);
  const onTime = await until('the lag of db3', async () => {
    const delay = await delayOf('db3');
    return delay?.lag ? delay : undefined;
  });
  expect(onTime).toMatchObject({ cluster: 'shop', gtidGap: 0, why: null });
  // The hosts of the lab have one clock.
  expect(Math.abs(onTime.clock?.offsetMs ?? NaN)).toBeLessThanOrEqual(onTime.clock?.errorMs ?? 0);

  await lab.host('db3').sql('STOP SLAVE SQL_THREAD');
  await watch.tells('db3 ApplierStopped');
  const behind = await until('db3 to be behind', async () => {
    const delay = await delayOf('db3');
    return (delay?.lag?.lagMs ?? 0) > 3_000 ? delay : undefined;
  });
  expect(behind.gtidGap).toBeGreaterThan(1);
  // It applies again, behind a lock: its threads run, and it stays late.
  const locked = lab.host('db3').sql('LOCK TABLES standfast.heartbeat READ; DO SLEEP(4)', { timeoutMs: 30_000 });
  await lab.host('db3').sql('START SLAVE SQL_THREAD');
  await watch.tells('db3 LagHigh');
  await locked;
  await watch.tells('db3 Replicates', 2);
  // A lock on that table keeps the lag from being known, and nothing else.
  const shut = lab.host('db2').sql('LOCK TABLES standfast.heartbeat WRITE; DO SLEEP(4)', { timeoutMs: 30_000 });
  const unknown = await until('db2 to hold its row back', async () => {
    const delay = await delayOf('db2');
    return delay?.lag === null ? delay : undefined;
  });
  expect(unknown.why).toMatch(/no answer within|still waits on the server/);
  await shut;
  expect(await watch.told()).not.toContain('db2 ReplicaSilent');
});
