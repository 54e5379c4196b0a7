import { Client, Connection } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { killPrimaryBefore, useCluster } from './cluster.ts';
import { unhealthyVerdict } from '../../client/index.ts';
import { refusalOf } from './refusal.ts';
import { recordOn } from './small-lab.ts';

const cluster = useCluster();
const order = { cluster: 'shop', reason: 'test' };
const record = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['cat', '/var/lib/standfast/sync'])).stdout;

describe('a promise of losslessness', () => {
  test('is not recorded of an acker that could not attach to the new primary', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.cut('db3', 'db2');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    await killPrimaryBefore(cluster(), { ledger, candidate: 'db2' });
    const result = await client.failover({ ...order, candidate: 'db2' });
    expect(result.newPrimary).toBe('db2');
    expect(await record('db2')).toContain('async');
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db2' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });
});

describe('a failover that was terminated after it had recorded its decision', () => {
  test('is gone on with by the next one', async () => {
    const { lab, client, restoreWithWorker, startWorker, startLedger, temporal } = cluster();
    const first = await restoreWithWorker('cluster', 'first', 'promoteAndRoute.record:after');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    await client.failover(order, { detach: true });
    await first.says(/^held at /m);
    const primary = (await recordOn(lab, 'db2', 'primary')).includes(' db2 ') ? 'db2' : 'db3';
    const connection = await Connection.connect({ address: temporal });
    await new Client({ connection }).workflow.getHandle('operation/shop').terminate('a test ends it half-way');
    await connection.close();
    await first.kill();
    await startWorker('second');
    const result = await client.failover(order);
    expect(result).toMatchObject({ outcome: 'failed-over', newPrimary: primary, oldPrimary: 'db1' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary, faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    expect(await record(primary)).toContain('lossless');
  });
});

describe('a member whose record is damaged', () => {
  test('takes no part, is named, and does not keep the others from failing over', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db3').exec(['sh', '-c', 'echo nonsense >/var/lib/standfast/primary']);
    const finding = unhealthyVerdict(await refusalOf(client.verify({ cluster: 'shop' })))?.findings.find(
      ({ host }) => host === 'db3',
    );
    expect(finding).toMatchObject({
      code: 'HelperSilent',
      explains: expect.stringContaining('the record /var/lib/standfast/primary on db3 is damaged') as string,
    });
    const ledger = startLedger();
    await ledger.acknowledged(20);
    await killPrimaryBefore(cluster(), { ledger, candidate: 'db2' });
    expect(await client.failover(order)).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db2' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    expect(await recordOn(lab, 'db3', 'primary')).toBe('nonsense');
  });
});
