import { describe, expect, onTestFinished, test } from 'vitest';
import type { MakeRoomResult } from '../../client/index.ts';
import { lockAckersOut } from '../../lab/crowd.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { useCluster } from './cluster.ts';
import { useTemporal } from './temporal.ts';
import { useWatch } from './watching.ts';

const cluster = useCluster();
const temporal = useTemporal();
const watch = useWatch(temporal);

const MOST = 12;
/** More than would fit into twice the limit, were they not refused; those of the socket cannot be. */
const SIZE = { network: 3 * MOST, socket: MOST + 6 } as const;
const WISH = { host: 'db1', forSeconds: 120, most: MOST } as const;

/** The crowd may have filled it again. */
const limit = (): Promise<string> =>
  until('an answer of db1', async () => {
    const query = ['mariadb', '-N', '-e', 'SELECT @@GLOBAL.max_connections'];
    return (await cluster().lab.host('db1').exec(query)).stdout.trim() || undefined;
  });

/** A crowd that has every connection of db1, and the ackers out. */
async function lockOut(over: 'socket' | 'network'): Promise<void> {
  const crowd = await lockAckersOut(cluster().lab, { ...WISH, size: SIZE[over], over });
  onTestFinished(() => {
    crowd.disperse();
  });
}

/** Nothing is acknowledged while nobody does anything about it. */
async function expectStandstill(ledger: Ledger, ms: number): Promise<void> {
  const since = Ledger.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  expect(ledger.attempts().filter((one) => one.outcome === 'ack' && one.sentAt >= since)).toEqual([]);
}

async function expectNothingLost(ledger: Ledger): Promise<void> {
  await ledger.stop();
  expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
}

describe('ackers that are back and find no connection free', () => {
  test.each(['network', 'socket'] as const)(
    'are let in without a person when a watcher looks, though the crowd has no limit: over the %s',
    { timeout: 180_000 },
    async (over) => {
      const { client, restore, startWatcher, startWorker, startLedger } = cluster();
      await restore('cluster');
      const ledger = startLedger({ hosts: [] });
      await ledger.acknowledged(20);
      await lockOut(over);
      await expectStandstill(ledger, 3_000);
      await Promise.all([startWatcher('watcher'), startWorker('runbooks')]);
      await watch.tells('db1 AckersLockedOut');
      await ledger.acknowledged(20, { since: Ledger.now(), timeoutMs: 60_000 });
      const result = (await temporal().workflow.getHandle('operation/shop').result()) as MakeRoomResult;
      expect(result).toMatchObject({ outcome: 'made-room', primary: 'db1', limit: { configured: MOST, now: MOST } });
      await watch.tells('db1 AttemptDone');
      expect(await watch.failovers()).toEqual([]);
      expect(await limit()).toBe(String(MOST));
      expect(result.timeline.map(({ step }) => step)).toEqual(['claim', 'check', 'room', 'attach', 'restore']);
      await expectNothingLost(ledger);
      expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
    },
  );
});

describe('making room', () => {
  test('is ended by another worker when the first is killed, at whatever step, and the limit is as before', async () => {
    const { lab, client, restore, startWorker, startLedger } = cluster();
    await restore('cluster');
    const ledger = startLedger({ hosts: [] });
    for (const step of ['room', 'attach']) {
      await ledger.acknowledged(5, { since: Ledger.now() });
      const crowd = await lockAckersOut(lab, { ...WISH, size: SIZE.network, over: 'network' });
      const first = await startWorker('first', `makeRoom.${step}:after`);
      const making = client.makeRoom({ cluster: 'shop' });
      await first.says(/^held at /m);
      const second = await startWorker('second');
      await first.kill();
      crowd.disperse();
      expect((await making).limit, step).toEqual({ configured: MOST, now: MOST });
      expect(await limit(), step).toBe(String(MOST));
      await ledger.acknowledged(5, { since: Ledger.now() });
      await second.kill();
    }
    await expectNothingLost(ledger);
  }, 300_000);

  test('changes nothing on a primary whose ackers are attached', async () => {
    const { client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const before = await limit();
    expect(await client.makeRoom({ cluster: 'shop' })).toMatchObject({ outcome: 'left-alone', limit: null });
    expect(await limit()).toBe(before);
  });

  test('says what a person can do when nobody comes, who still gets in to do it', { timeout: 120_000 }, async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lockOut('network');
    // What a firewall between the sites does: they look as before, and do not get there.
    await lab.cut('db1', 'db2');
    await lab.cut('db1', 'db3');
    const error: unknown = await client.makeRoom({ cluster: 'shop' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ type: 'Unsafe', message: expect.stringContaining('standfast acker none shop') });
    expect(await client.goAsync({ cluster: 'shop' })).toMatchObject({ outcome: 'async', primary: 'db1' });
    await lab.heal();
    await until('the port is open to everybody', async () => {
      const { stdout } = await lab.host('db1').exec(['nft', 'list', 'tables']);
      return stdout.includes('standfast_room') ? undefined : true;
    });
  });
});
