import { afterEach, describe, expect, it } from 'vitest';
import { ClusterWatch } from '../../activities/cluster-watch.ts';
import { observe } from '../../activities/observing.ts';
import { observerActivities } from '../../activities/observing-alone.ts';
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

const shopWith = (...observers: readonly string[]): SimulatedShop =>
  new SimulatedShop({ watch: { ...SHOP.watch, automatic: true, observers } });

/** The primary serves its clients, and neither the worker nor the replicas reach it. */
function cutOff(shop: SimulatedShop): void {
  shop.cutFromWorker.add('db1');
  for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
}

async function watched(shop: SimulatedShop) {
  over = new AbortController();
  const told: Transition[] = [];
  const startedAtMs: number[] = [];
  const runs = onlyRuns({
    failOver: () => {
      startedAtMs.push(performance.now());
      return Promise.resolve({ kind: 'started', ended: new Promise(() => undefined) });
    },
  });
  const watch = new ClusterWatch({
    ...{ cluster: await shop.cluster('shop'), primary: 'db1', memory: FRESH, runs, onOperation: () => undefined },
    recorded: () => ({ ackers: ['db2', 'db3'], isRoomLeft: false }),
    tell: (transition) => told.push(transition),
    onFault: (error) => {
      throw error;
    },
  });
  void watch.run(over.signal);
  await pass(1_000);
  return { startedAtMs, codes: () => told.filter(({ host }) => host === 'db1').map(({ code }) => code) };
}

describe('a watcher that the replicas agree with', () => {
  it('starts no failover while the worker of another site reaches the primary, and starts it when that one does not', async () => {
    const shop = shopWith('bergen');
    shop.seenElsewhere.set('bergen', 'answers');
    const { startedAtMs, codes } = await watched(shop);
    cutOff(shop);
    await pass(20_000);
    expect(startedAtMs).toEqual([]);
    expect(codes()).toEqual(['PrimaryServes', 'PrimaryReachedElsewhere']);
    shop.seenElsewhere.set('bergen', 'silent');
    await pass(10_000);
    expect(startedAtMs).toHaveLength(1);
    expect(codes().at(-1)).toBe('PrimaryHostDead');
  });

  it.each([['full'], ['denied']] as const)('takes a primary for alive that is "%s" there', async (reach) => {
    const shop = shopWith('bergen');
    shop.seenElsewhere.set('bergen', reach);
    const { startedAtMs } = await watched(shop);
    cutOff(shop);
    await pass(5_000);
    expect(startedAtMs).toEqual([]);
  });

  it('waits for a site that is silent for as long as that may take, and no longer', async () => {
    const shop = shopWith('bergen');
    const { startedAtMs } = await watched(shop);
    const cutAtMs = performance.now();
    cutOff(shop);
    await pass(5_000);
    expect(startedAtMs).toHaveLength(1);
    expect((startedAtMs[0] ?? 0) - cutAtMs).toBeGreaterThan(1_000);
    expect((startedAtMs[0] ?? 0) - cutAtMs).toBeLessThan(2_000);
  });

  it('believes a vote for two seconds', async () => {
    const shop = shopWith('bergen');
    shop.seenElsewhere.set('bergen', 'answers');
    const { startedAtMs } = await watched(shop);
    cutOff(shop);
    await pass(4_000);
    shop.seenElsewhere.delete('bergen');
    const muteAtMs = performance.now();
    await pass(10_000);
    expect(startedAtMs).toHaveLength(1);
    expect((startedAtMs[0] ?? 0) - muteAtMs).toBeGreaterThan(1_000);
  });

  it('asks nobody while the primary answers, then twice a second at most, and does not wait for them where no server runs', async () => {
    const shop = shopWith('bergen');
    shop.seenElsewhere.set('bergen', 'answers');
    const { startedAtMs } = await watched(shop);
    expect(shop.askedElsewhere).toEqual([]);
    cutOff(shop);
    await pass(4_000);
    const [first = 0, ...later] = shop.askedElsewhere.map(({ atMs }) => atMs);
    expect(later.length).toBeGreaterThan(4);
    expect(later.length).toBeLessThanOrEqual(8);
    expect((later[0] ?? 0) - first).toBeGreaterThanOrEqual(500);

    const killed = shopWith('bergen');
    const other = await watched(killed);
    const killedAtMs = performance.now();
    killed.kill('db1');
    await pass(3_000);
    expect(startedAtMs).toEqual([]);
    expect(other.startedAtMs).toHaveLength(1);
    expect((other.startedAtMs[0] ?? Infinity) - killedAtMs).toBeLessThan(700);
  });
});

describe('a failover', () => {
  it('is refused by the word of another site, with nothing changed', async () => {
    const shop = shopWith('bergen');
    cutOff(shop);
    shop.seenElsewhere.set('bergen', 'answers');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('another site reaches it') },
    });
    expect(shop.log).toEqual([]);
  });

  it('is refused under its claim when a site reaches the primary only then', async () => {
    const shop = shopWith('bergen');
    cutOff(shop);
    shop.seenElsewhere.set('bergen', 'silent');
    shop.interrupt('after', /^db3 claim/, () => {
      shop.seenElsewhere.set('bergen', 'answers');
    });
    expect(await fence(shop)).toMatchObject({
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('another site reaches it') },
    });
    expect(shop.off.has('db1')).toBe(false);
  });

  it('goes on when the site agrees, and when one of three cannot say', async () => {
    for (const reach of ['silent', undefined] as const) {
      const shop = shopWith('bergen');
      shop.powerOff('db1');
      if (reach !== undefined) shop.seenElsewhere.set('bergen', reach);
      expect(await fence(shop)).toMatchObject({ value: { kind: 'ready' } });
    }
  });

  it('waits for nobody elsewhere when the host says that no server runs', async () => {
    const [shop, usual] = [shopWith('bergen'), shopWith()];
    const took: number[] = [];
    for (const one of [shop, usual]) {
      one.kill('db1');
      const startedMs = performance.now();
      expect(await fence(one)).toMatchObject({ value: { kind: 'ready' } });
      took.push(performance.now() - startedMs);
    }
    const [here = 0, without = 0] = took;
    expect(here - without).toBeLessThan(200);
  });
});

describe('a look', () => {
  it('asks the sites only about a primary that does not answer, and says what each of them said', async () => {
    const shop = shopWith('bergen', 'paris');
    shop.seenElsewhere.set('bergen', 'refused');
    expect(await observe(await shop.cluster('shop'))).not.toHaveProperty('elsewhere');
    expect(shop.askedElsewhere).toEqual([]);
    cutOff(shop);
    expect(await observe(await shop.cluster('shop'))).toMatchObject({
      elsewhere: [
        { site: 'bergen', host: 'db1', reaches: false },
        { site: 'paris', host: 'db1', reaches: null },
      ],
    });
    expect(shop.askedElsewhere).toHaveLength(2);
  });

  it('asks nobody about a primary that is fenced', async () => {
    const shop = shopWith('bergen');
    cutOff(shop);
    const seen = await observe(await shop.cluster('shop'), 'db1');
    expect(seen.elsewhere).toEqual([{ site: 'bergen', host: 'db1', reaches: null }]);
    expect(shop.askedElsewhere).toEqual([]);
  });
});

describe('the worker of a site', () => {
  const look = (shop: SimulatedShop) => observerActivities(shop).observePrimary({ cluster: 'shop', host: 'db1' });

  it('says how the server answers, within the silence of the policy, and changes nothing', async () => {
    const shop = shopWith('bergen');
    expect(await look(shop)).toEqual({ reach: 'answers' });
    shop.database('db1').reach = 'full';
    expect(await look(shop)).toMatchObject({ reach: 'full' });
    shop.database('db1').reach = 'answers';
    shop.interrupt('before', /^db1 sql SELECT @@GLOBAL.read_only/, () => {
      throw new AdapterFailure({ type: 'Unverified', host: 'db1', facts: { errno: 1041 }, message: 'out of memory' });
    });
    expect(await look(shop)).toMatchObject({ reach: 'faulty' });
    shop.cutFromWorker.add('db1');
    const startedMs = performance.now();
    expect(await look(shop)).toMatchObject({ reach: 'silent', why: expect.stringContaining('db1') });
    expect(performance.now() - startedMs).toBeLessThan(SHOP.watch.silenceMs + 50);
    expect(shop.log).toEqual([]);
    expect(shop.sessions.size).toBe(0);
  });

  it('looks once more when a claim ended its session', async () => {
    const shop = shopWith('bergen');
    shop.interrupt('before', /^db1 sql SELECT @@GLOBAL.read_only/, () => {
      shop.claimByOther('run-5', ['db1']);
    });
    expect(await look(shop)).toEqual({ reach: 'answers' });
  });

  it('says what is wrong when it has not that cluster, or cannot log in for a reason of its own', async () => {
    const asked = observerActivities(shopWith('bergen')).observePrimary({ cluster: 'books', host: 'db1' });
    await expect(asked).rejects.toMatchObject({ type: 'BadInput', message: 'there is no cluster books' });
    const shop = shopWith('bergen');
    shop.interrupt('before', /^db1 connect/, () => {
      throw new AdapterFailure({ type: 'BadInput', host: 'db1', message: 'no password' });
    });
    await expect(look(shop)).rejects.toMatchObject({ type: 'BadInput', message: 'no password' });
  });
});
