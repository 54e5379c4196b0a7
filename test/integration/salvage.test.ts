import { describe, expect, test } from 'vitest';
import type { Progress } from '../../client/index.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { useCluster } from './cluster.ts';
import { keepPolicy } from './policy.ts';

const cluster = useCluster();
keepPolicy(cluster);

/** Nobody acknowledges, and the replicas receive nothing: what is acknowledged from here on is on db1 alone. */
async function acknowledgedAlone(ledger: Ledger): Promise<number> {
  const { lab, client } = cluster();
  await client.goAsync({ cluster: 'shop', reason: 'test' });
  for (const host of ['db2', 'db3']) await lab.host(host).sql('STOP SLAVE IO_THREAD');
  await ledger.acknowledged(20, { since: Ledger.now() });
  const faultAt = Ledger.now();
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  return faultAt;
}

describe('what only the dead primary has', () => {
  test('is read from its files and applied, so that nothing is lost in async mode either', async () => {
    const { client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = await acknowledgedAlone(ledger);
    const result = await client.failover({ cluster: 'shop' });
    expect(result.loss).toMatchObject({ lossless: true, lost: { count: 0 } });
    expect(result.decision?.coverage).toMatchObject({ by: 'salvage' });
    expect(result.loss?.salvage.applied.count).toBeGreaterThanOrEqual(20);
    expect(result.loss?.salvage.quarantined.count).toBe(0);
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: result.newPrimary, faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test('is lost when the policy only keeps it: counted, listed and accepted by a person before', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    lab.configure({ salvage: 'quarantine' });
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = await acknowledgedAlone(ledger);
    let asked: () => void = () => undefined;
    const question = new Promise<void>((resolve) => (asked = resolve));
    const onProgress = (progress: Progress): void => {
      if (progress.kind === 'phase' && progress.phase === 'asks a person') asked();
    };
    const running = client.failover({ cluster: 'shop', askWithin: '5m' }, { onProgress });
    await question;
    await client.accept({ cluster: 'shop', by: 'Kari Nordmann', reason: 'the shop must open', loss: 100_000 });
    const result = await running;
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: result.newPrimary, faultAt });
    expect(verdict).toMatchObject({ duplicated: [], twoWriters: [] });
    expect(verdict.lost.length).toBeGreaterThanOrEqual(20);
    // Everything in the tail is the ledger's: acknowledged, or sent when the server died and never answered.
    const stated = result.loss?.lost?.count ?? 0;
    expect(stated).toBeGreaterThanOrEqual(verdict.lost.length);
    expect(stated).toBeLessThanOrEqual(verdict.lost.length + verdict.unknown);
    expect(result.loss?.salvage.quarantined.gtids).toHaveLength(stated);
    expect(result.decision?.accepted).toMatchObject({ by: 'Kari Nordmann', loss: 100_000 });
    const kept = await lab.host('db1').exec(['ls', result.loss?.salvage.folder ?? '/nowhere']);
    expect(kept.stdout).toContain('tail.sql');
  });
});
