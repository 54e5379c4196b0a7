import { afterEach, describe, expect, it } from 'vitest';
import { ClusterWatch } from '../../activities/cluster-watch.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import type { Transition } from '../../domain/watch.ts';
import { FRESH } from '../../domain/watch.ts';
import { SHOP } from '../domain/shop.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { onlyRuns } from './sim/only-runs.ts';
import { fence } from './sim/runs.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

let over = new AbortController();
afterEach(() => {
  over.abort();
});

const REPLICAS = ['db2', 'db3'];

const watchedShop = (): SimulatedShop => new SimulatedShop({ watch: { ...SHOP.watch, automatic: true } });

/** Replicas that were built by hand keep what MariaDB takes by itself, half of `slave_net_timeout`; 0: no heartbeat at all. */
function handMade(shop: SimulatedShop, heartbeatSeconds: number): SimulatedShop {
  for (const host of REPLICAS) {
    const { channel } = shop.database(host);
    if (channel !== null) channel.heartbeatSeconds = heartbeatSeconds;
  }
  return shop;
}

/** As after a power cut: their servers boot, and their threads are not started. */
function atRest(shop: SimulatedShop): SimulatedShop {
  for (const host of REPLICAS) {
    shop.kill(host);
    shop.database(host).boot();
  }
  return shop;
}

/** As one whose host lost its power, with receivers that have not noticed. */
function goSilent(shop: SimulatedShop): void {
  shop.cutFromWorker.add('db1');
  for (const replica of REPLICAS) shop.cut.add(`db1 ${replica}`);
}

const probes = (shop: SimulatedShop): readonly string[] =>
  shop.asked.filter((label) => label.endsWith(' server-probe'));

async function watched(shop: SimulatedShop) {
  over = new AbortController();
  const told: Transition[] = [];
  const startedAtMs: number[] = [];
  let probedBefore = 0;
  const runs = onlyRuns({
    failOver: () => {
      startedAtMs.push(performance.now());
      probedBefore = probes(shop).length;
      return Promise.resolve({ kind: 'started', ended: new Promise(() => undefined) });
    },
  });
  const watch = new ClusterWatch({
    ...{ cluster: await shop.cluster('shop'), primary: 'db1', memory: FRESH, runs, onOperation: () => undefined },
    recorded: () => ({ ackers: REPLICAS, isRoomLeft: false }),
    tell: (transition) => told.push(transition),
    onFault: (error) => {
      throw error;
    },
  });
  void watch.run(over.signal);
  await pass(1_000);
  const probedSince = (): number => probes(shop).length - probedBefore;
  return { startedAtMs, probedSince, codes: () => told.filter(({ host }) => host === 'db1').map(({ code }) => code) };
}

describe.each([30, 0])('a failover of replicas whose source sends a heartbeat every %d s', (heartbeatSeconds) => {
  it('is refused when the worker alone is cut off from a primary that nobody writes to', async () => {
    const shop = handMade(new SimulatedShop(), heartbeatSeconds);
    shop.cutFromWorker.add('db1');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('a replica still hears it') },
    });
    expect(shop.log).toEqual([]);
    expect(shop.off.has('db1')).toBe(false);
  });

  it.each(['powerOff', 'kill', 'hang'] as const)('goes on when its host says nothing to theirs: %s', async (fault) => {
    const shop = handMade(new SimulatedShop(), heartbeatSeconds);
    shop[fault]('db1');
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'ready' } });
    expect(shop.lostOn('db2')).toEqual([]);
  });
});

it('a failover asks no host what a receiver can say itself', async () => {
  const shop = new SimulatedShop();
  shop.powerOff('db1');
  expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'ready' } });
  expect(probes(shop)).toEqual([]);
});

const CANNOT_SAY: readonly (readonly [string, (shop: SimulatedShop) => SimulatedShop])[] = [
  ['have rare heartbeats', (shop) => handMade(shop, 30)],
  ['have no heartbeats', (shop) => handMade(shop, 0)],
  ['are at rest', atRest],
];

describe.each(CANNOT_SAY)('a watcher whose replicas %s', (_, make) => {
  it('asks none of their hosts while all is well', async () => {
    const shop = make(watchedShop());
    await watched(shop);
    await pass(10_000);
    expect(probes(shop)).toEqual([]);
  });

  it('starts no failover when it alone is cut off from the primary', async () => {
    const shop = make(watchedShop());
    const { startedAtMs, codes } = await watched(shop);
    shop.cutFromWorker.add('db1');
    await pass(20_000);
    expect(startedAtMs).toEqual([]);
    expect(codes()).toEqual(['PrimaryServes', 'PrimaryHeardByReplicas']);
  });

  it('starts a failover when the primary greets their hosts no more, and leaves them alone while that runs', async () => {
    const shop = make(watchedShop());
    const { startedAtMs, codes, probedSince } = await watched(shop);
    const silentAtMs = performance.now();
    goSilent(shop);
    await pass(5_000);
    expect(startedAtMs).toHaveLength(1);
    expect((startedAtMs[0] ?? Infinity) - silentAtMs).toBeLessThan(2_000);
    expect(codes().slice(0, 2)).toEqual(['PrimaryServes', 'PrimaryHostDead']);
    expect(probedSince()).toBe(0);
  });

  it('starts none when their hosts cannot look, and asks each of them once a second', async () => {
    const shop = make(watchedShop());
    const { startedAtMs, codes } = await watched(shop);
    goSilent(shop);
    for (let n = 0; n < 100; n += 1)
      shop.interrupt('before', / server-probe$/, () => {
        throw new AdapterFailure({ type: 'BadInput', host: 'db2', message: 'there is no verb "server-probe"' });
      });
    await pass(5_000);
    const before = probes(shop).length;
    await pass(10_000);
    expect(startedAtMs).toEqual([]);
    expect(codes()).toEqual(['PrimaryServes', 'PrimaryUncertain']);
    expect(probes(shop).length - before).toBeLessThanOrEqual(2 * 10 + 2);
    expect(probes(shop).length - before).toBeGreaterThanOrEqual(2 * 8);
  });
});

it('a watcher asks only the hosts of replicas that cannot say themselves', async () => {
  const shop = watchedShop();
  shop.database('db3').stop('receiver');
  const { startedAtMs, codes } = await watched(shop);
  shop.cutFromWorker.add('db1');
  await pass(5_000);
  expect(startedAtMs).toEqual([]);
  expect(codes()).toEqual(['PrimaryServes', 'PrimaryHeardByReplicas']);
  expect(new Set(probes(shop))).toEqual(new Set(['db3 server-probe']));
});
