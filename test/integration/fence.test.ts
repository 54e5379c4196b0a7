import { describe, expect, test } from 'vitest';
import type { Progress } from '../../client/index.ts';
import type { FenceRung } from '../../domain/cluster.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { useCluster } from './cluster.ts';
import { keepPolicy } from './policy.ts';
import { refusalOf } from './refusal.ts';
import { useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();
const order = { cluster: 'shop', reason: 'test' };

keepPolicy(cluster);
const allow = (...fence: readonly FenceRung[]): void => {
  cluster().lab.configure({ fence });
};

/** The old primary lives on with its clients, and nobody else reaches it. */
async function isolate(host: string): Promise<void> {
  for (const other of ['control', 'db1', 'db2', 'db3'].filter((name) => name !== host))
    await cluster().lab.cut(host, other);
}

const addressesOn = async (host: string): Promise<string> =>
  (await cluster().lab.host(host).exec(['ip', '-o', 'addr', 'show', 'eth0'])).stdout;

describe('a primary that is cut off with its clients', () => {
  test('is deprived of its ackers, cannot acknowledge, and is shut off as soon as it is reached again', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    allow('ssh', 'revocation');
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await isolate('db1');
    const result = await client.failover(order);
    expect(result).toMatchObject({ outcome: 'failed-over', oldPrimary: 'db1', loss: { lossless: true } });
    expect(result.decision?.fence).toMatchObject({ rung: 'revocation', host: 'db1' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    // It is alive and open, and its own clients still try.
    expect(await lab.host('db1').sql('SELECT @@read_only')).toEqual([['0']]);
    const alone = Ledger.now();
    await ledger.attempted(1, { route: 'db1', since: faultAt });
    expect(ledger.attempts().filter((one) => one.serverId === 1 && one.sentAt > alone)).toEqual([]);
    await lab.heal();
    const fenced = await temporal().workflow.getHandle('deposed/shop/db1').result();
    expect(fenced).toMatchObject({ outcome: 'fenced' });
    expect(lab.host('db1').processes('mariadbd')).toEqual([]);
    expect(await addressesOn('db1')).not.toContain(lab.vip);
    expect(await addressesOn(result.newPrimary)).toContain(lab.vip);
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: result.newPrimary, faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test('is not failed over without a proof, and nothing is changed', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    allow('ssh');
    await restoreWithWorker('cluster', 'only');
    await isolate('db1');
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toContain('it cannot be proven that db1 accepts no more writes');
    expect(refusal.message).toContain('Nothing was changed');
    expect(refusal.message).toContain('{"by":"YOUR NAME","reason":"WHY","fence":true}');
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
  });

  test('is failed over when a person answers for it, by name and with a reason that are kept', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    allow('ssh');
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await lab.host('db1').powerOff();
    let asked: () => void = () => undefined;
    const question = new Promise<void>((resolve) => (asked = resolve));
    const running = client.failover(
      { ...order, askWithin: '5m' },
      {
        onProgress: (progress: Progress) => {
          if (progress.kind === 'phase' && progress.phase === 'asks a person') asked();
        },
      },
    );
    await question;
    const answer = { cluster: 'shop', by: 'Kari Nordmann', reason: 'I pulled its plug' };
    const wrong = await refusalOf(client.accept({ ...answer, loss: 5 }));
    expect(wrong).toMatchObject({ type: 'BadInput', exitCode: 2 });
    expect(wrong.message).toContain('it cannot be proven that db1 accepts no more writes');
    await client.accept({ ...answer, fence: true });
    const result = await running;
    expect(result.outcome).toBe('failed-over');
    expect(result.decision?.fence).toMatchObject({ rung: 'accepted', host: 'db1' });
    expect(result.decision?.accepted).toMatchObject({ by: 'Kari Nordmann', reason: 'I pulled its plug', fence: true });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: result.newPrimary, faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test('is not failed over when nobody answers in time', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    allow('ssh');
    await restoreWithWorker('cluster', 'only');
    await lab.host('db1').powerOff();
    const refusal = await refusalOf(client.failover({ ...order, askWithin: '1s' }));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    const late = await refusalOf(client.accept({ cluster: 'shop', by: 'Kari', reason: 'late', fence: true }));
    expect(late).toMatchObject({ type: 'BadInput' });
    expect(late.message).toContain('no operation runs on shop');
  });
});
