import { describe, expect, test } from 'vitest';
import type { FailoverResult } from '../../client/index.ts';
import type { Lab } from '../../lab/lab.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { caughtUp, checksums, killPrimaryBefore, useCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();
const order = { cluster: 'shop', reason: 'test' };

/** What every failover of these tests has to end with, seen from outside. */
async function expectNothingLost(
  { lab }: Cluster,
  ledger: Ledger,
  ended: { readonly result: FailoverResult; readonly faultAt: number },
): Promise<void> {
  const { result, faultAt } = ended;
  await ledger.acknowledged(20, { since: Ledger.now() });
  await ledger.stop();
  const verdict = await ledger.verdict({ primary: result.newPrimary, faultAt });
  expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  expect(verdict.acknowledged).toBeGreaterThan(40);
  const others = ['db1', 'db2', 'db3'].filter((host) => host !== result.newPrimary && host !== result.oldPrimary);
  for (const host of others) {
    await caughtUp(lab, host, result.newPrimary);
    expect(await checksums(lab, host)).toEqual(await checksums(lab, result.newPrimary));
    expect(await lab.host(host).sql('SELECT @@read_only')).toEqual([['1']]);
  }
}

/** What every member has on record. */
const recordsOf = (lab: Lab): Promise<readonly string[]> =>
  Promise.all(
    ['db1', 'db2', 'db3'].map(async (host) => {
      const command = 'cd /var/lib/standfast && cat owner epoch primary sync journal';
      return (await lab.host(host).exec(['sh', '-c', command])).stdout;
    }),
  );

describe('the plan of a failover', () => {
  test('changes nothing, and is what is done when the primary dies', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const records = await recordsOf(lab);
    const planned = await client.planFailover({ cluster: 'shop' });
    expect(planned).toMatchObject({ outcome: 'planned', primary: 'db1', diagnosis: { code: 'PrimaryServes' } });
    expect(planned.loss).toMatch(/^none: 2 of 2 recorded ackers/);
    expect(await recordsOf(lab)).toEqual(records);
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    for (const host of ['db2', 'db3']) await caughtUp(lab, host, 'db1');
    const { winner, fence, ackers } = await client.planFailover({ cluster: 'shop' });
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const result = await client.failover(order);
    expect(result.newPrimary).toBe(winner);
    expect(fence).toContain(result.decision?.fence.rung);
    expect(await lab.host(winner ?? '').sql("SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'")).toEqual([
      ['Rpl_semi_sync_master_clients', String(ackers.length)],
    ]);
  });
});

describe('a failover', () => {
  test('promotes a replica after SIGKILL of mysqld and loses nothing', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const result = await client.failover(order);
    expect(result).toMatchObject({ outcome: 'failed-over', oldPrimary: 'db1', loss: { lossless: true } });
    expect(result.decision?.fence.rung).toBe('ssh');
    await expectNothingLost(cluster(), ledger, { result, faultAt });
  });

  test('of a powered-off host rests on the power hook, and the host cannot be written to when it comes back', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await lab.host('db1').powerOff();
    const result = await client.failover(order);
    expect(result.decision?.fence).toMatchObject({ rung: 'powerOff', host: 'db1' });
    await lab.host('db1').powerOn();
    ledger.hostIsBack('db1');
    const back = Ledger.now();
    await ledger.attempted(20, { route: 'db1', since: back });
    await ledger.attempted(20, { route: 'db1/socket', since: back });
    await expectNothingLost(cluster(), ledger, { result, faultAt });
    expect(await lab.host('db1').sql('SELECT @@read_only, @@event_scheduler')).toEqual([['1', 'OFF']]);
    expect((await lab.host('db1').exec(['ip', '-o', 'addr', 'show', 'eth0'])).stdout).not.toContain(lab.vip);
    const written = ledger.attempts().filter((one) => one.route.startsWith('db1') && one.sentAt > back);
    expect(written.filter((one) => one.outcome === 'ack')).toEqual([]);
  });

  test('whose winner dies after it was recorded starts it again, closed, and goes forward', async () => {
    const { lab, client, restoreWithWorker, startLedger } = cluster();
    const worker = await restoreWithWorker('cluster', 'held', 'promoteAndRoute.siblings:before');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await killPrimaryBefore(cluster(), { ledger, candidate: 'db2' });
    const running = client.failover({ ...order, candidate: 'db2' });
    await worker.says(/^held at /m);
    lab.host('db2').signal('mariadbd', 'SIGKILL');
    worker.release();
    const result = await running;
    expect(result).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
    await expectNothingLost(cluster(), ledger, { result, faultAt });
  });

  test('is refused with nothing changed when no replica is safe', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const epochs = () =>
      Promise.all(['db2', 'db3'].map((host) => lab.host(host).exec(['cat', '/var/lib/standfast/epoch'])));
    const before = await epochs();
    for (const host of ['db2', 'db3']) await lab.host(host).sql('STOP SLAVE; RESET SLAVE ALL');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const refusal = await refusalOf(client.failover(order));
    expect(refusal.type).toBe('Unsafe');
    expect(refusal.exitCode).toBe(4);
    expect(refusal.message).toContain('Nothing was changed');
    expect(await epochs()).toEqual(before);
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
  });

  test('is refused when the second acker is gone as well and the old binlog cannot be read', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db1').powerOff();
    await lab.host('db3').powerOff();
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
  });

  test('leaves a living primary alone', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toContain('db1 is alive');
    expect(await lab.host('db1').sql('SELECT @@read_only')).toEqual([['0']]);
  });

  test('is refused while another one runs, and names it', async () => {
    const { lab, client, restoreWithWorker, startWorker } = cluster();
    const held = await restoreWithWorker('cluster', 'held', 'fenceAndDrain.claim:before');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const first = client.failover(order);
    await held.says(/^held at /m);
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({ type: 'Busy', exitCode: 4 });
    expect(refusal.message).toContain('operation/shop');
    expect(refusal.runningOperation?.type).toBe('failover');
    await startWorker('second');
    await held.kill();
    expect((await first).outcome).toBe('failed-over');
  });
});
