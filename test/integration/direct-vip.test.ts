import { expect, test } from 'vitest';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();
const primary = { cluster: 'shop', host: 'db1' };
const hosts = ['db1', 'db2', 'db3'];

const holders = async (): Promise<readonly string[]> => {
  const { lab } = cluster();
  const held = await Promise.all(
    hosts.map(async (host) => {
      if (!lab.host(host).isOn()) return [];
      const { stdout } = await lab.host(host).exec(['ip', '-o', 'addr', 'show', 'eth0']);
      return stdout.includes(`${lab.vip}/`) ? [host] : [];
    }),
  );
  return held.flat();
};

test('without keepalived the VIP follows the primary as well, and does not come back with an old one', async () => {
  const { lab, client, startLedger, restoreWithWorker } = cluster();
  await restoreWithWorker('cluster', 'only');
  lab.configure({ driver: 'direct' });
  try {
    const explained = await until('the driver of the new inventory', async () => {
      const ended = await client.preparePrimary(primary).then(
        () => null,
        (error: unknown) => String(error),
      );
      return ended ?? undefined;
    });
    expect(explained).toContain('/etc/keepalived/keepalived.conf');
    for (const host of hosts) {
      await lab.host(host).exec(['service', 'keepalived', 'stop'], { timeoutMs: 30_000 });
      await lab.host(host).exec(['rm', '/etc/keepalived/keepalived.conf']);
    }
    // The service says that it has stopped a moment before the last process gives up the address.
    await until('keepalived gone everywhere', () =>
      hosts.every((host) => lab.host(host).processes('keepalived').length === 0) ? true : undefined,
    );
    expect(await client.preparePrimary(primary)).toMatchObject({ outcome: 'open', mode: 'lossless' });
    expect(await holders()).toEqual(['db1']);

    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await lab.host('db1').powerOff();
    const { newPrimary } = await client.failover({ cluster: 'shop', reason: 'test' });
    expect(await holders()).toEqual([newPrimary]);
    await ledger.acknowledged(20, { since: Ledger.now() });
    await lab.host('db1').powerOn();
    ledger.hostIsBack('db1');
    // A write that no replica had received when its power went, and nobody was told of, bars it from coming back.
    const { outcome } = await client.rejoinReplica({ cluster: 'shop', host: 'db1' });
    expect(['rejoined', 'quarantined']).toContain(outcome);
    expect(await holders()).toEqual([newPrimary]);
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: newPrimary, faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  } finally {
    lab.configure({});
  }
});
