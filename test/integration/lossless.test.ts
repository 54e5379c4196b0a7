import { describe, expect, test } from 'vitest';
import { unhealthyVerdict } from '../../client/index.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { killPrimaryBefore, useCluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();
const shop = { cluster: 'shop' };
const db3 = { ...shop, host: 'db3' };

const record = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['cat', '/var/lib/standfast/sync'])).stdout.trim().replace(/^\d+ /, '');
const acknowledges = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).sql("SHOW STATUS LIKE 'Rpl_semi_sync_slave_status'"))[0]?.[1] ?? '';

/** What a verification finds that is bad, as host and code, and the sentence of one. */
async function findings(): Promise<readonly { readonly at: string; readonly explains: string }[]> {
  const verdict = unhealthyVerdict(await refusalOf(cluster().client.verify(shop)));
  return (verdict?.findings ?? []).map(({ host, code, explains }) => ({ at: `${host} ${code}`, explains }));
}

describe('a promise that somebody breaks by hand', () => {
  test('is named by a verification, setting by setting, and kept again by what that names', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    for (const [setting, explains] of [
      ['rpl_semi_sync_master_enabled=0', 'semi-sync is switched off on it'],
      ['rpl_semi_sync_master_timeout=60000', 'it stops waiting after 60000 ms'],
      ['rpl_semi_sync_master_wait_no_slave=0', 'wait_no_slave is off'],
      ["rpl_semi_sync_master_wait_point='AFTER_COMMIT'", 'it waits at AFTER_COMMIT'],
    ] as const) {
      await lab.host('db1').sql(`SET GLOBAL ${setting}`);
      expect(await findings(), setting).toEqual([
        { at: 'db1 NotLossless', explains: expect.stringContaining(explains) },
      ]);
      expect(await client.preparePrimary({ ...shop, host: 'db1' })).toMatchObject({ mode: 'lossless' });
      expect(await client.verify(shop), setting).toMatchObject({ outcome: 'ok' });
    }
  });

  test('is named when a recorded acker is not connected, and when one acknowledges off the record', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db3').sql('STOP SLAVE IO_THREAD');
    expect((await findings()).map((one) => one.at)).toContain('db3 AckerDetached');
    await client.removeAcker(db3);
    expect(await acknowledges('db3')).toBe('OFF');
    await lab.host('db3').sql('SET GLOBAL rpl_semi_sync_slave_enabled=1; STOP SLAVE IO_THREAD; START SLAVE IO_THREAD');
    await until('db3 acknowledges', async () => ((await acknowledges('db3')) === 'ON' ? true : undefined));
    expect((await findings()).map((one) => one.at)).toEqual(['db3 AckerUnrecorded']);
    await client.removeAcker(db3);
    expect(await acknowledges('db3')).toBe('OFF');
    expect(await client.verify(shop)).toMatchObject({ outcome: 'ok' });
  });
});

describe('a promotion', () => {
  test('leaves nobody acknowledging off the record, not even who could not be told when it was removed', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.cut('control', 'db3');
    await client.removeAcker(db3);
    await lab.heal();
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await killPrimaryBefore(cluster(), { ledger, candidate: 'db2' });
    const result = await client.failover({ ...shop, candidate: 'db2' });
    expect(result).toMatchObject({ newPrimary: 'db2', loss: { lossless: true } });
    expect(result.sentence).toContain('async');
    expect(await record('db2')).toBe('async - 0');
    expect(await lab.host('db3').sql('SELECT @@rpl_semi_sync_slave_enabled')).toEqual([['0']]);
    await ledger.acknowledged(20, { since: Ledger.now() });
    expect(await client.admitReplica(db3)).toMatchObject({ mode: 'lossless', ackers: ['db3'] });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db2', faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test('lets its siblings in, and keeps out whom the winner refused when it was primary before', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const sibling = lab.host('db3').address;
    const stranger = '10.77.0.9';
    const leaveBehind = `printf '${sibling} 1\\n${stranger} 1\\n' >/var/lib/standfast/refused`;
    expect(await lab.host('db2').exec(['sh', '-c', leaveBehind])).toMatchObject({ exitCode: 0 });
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    await client.failover({ ...shop, candidate: 'db2' });
    expect([await record('db2'), await acknowledges('db3')]).toEqual(['lossless db3 1', 'ON']);
    const rules = (await lab.host('db2').exec(['nft', 'list', 'table', 'inet', 'standfast_replicas'])).stdout;
    expect(rules).toContain(`ip saddr ${stranger} `);
    expect(rules).not.toContain(`ip saddr ${sibling} `);
  });

  test('opens a server that waits already, for whom the record names: the one that is left, not itself', async () => {
    const { lab, client, restoreWithWorker, startWorker, startLedger } = cluster();
    const first = await restoreWithWorker('cluster', 'first', 'promoteAndRoute.open:before');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await killPrimaryBefore(cluster(), { ledger, candidate: 'db2' });
    const running = client.failover({ ...shop, candidate: 'db2' });
    await first.says(/^held at /m);
    const settings = 'SELECT @@read_only, @@rpl_semi_sync_master_enabled, @@rpl_semi_sync_master_wait_no_slave';
    expect(await lab.host('db2').sql(settings)).toEqual([['1', '1', '1']]);
    expect([await record('db2'), await acknowledges('db3')]).toEqual(['async db3 1', 'ON']);
    await startWorker('second');
    await first.kill();
    expect(await running).toMatchObject({ newPrimary: 'db2' });
    expect(await record('db2')).toBe('lossless db3 1');
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db2', faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });
});
