import { afterEach, expect, it } from 'vitest';
import type { WatchPlane } from '../../activities/watched-cluster.ts';
import { WatchedCluster } from '../../activities/watched-cluster.ts';
import type { RunsPort } from '../../adapters/ports.ts';
import { Turns } from '../../adapters/turns.ts';
import type { Transition } from '../../domain/watch.ts';
import { SHOP } from '../domain/shop.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { onlyRuns } from './sim/only-runs.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

let over = new AbortController();
afterEach(() => {
  over.abort();
});

const planeOf = (runs: RunsPort, tell: WatchPlane['tell'] = () => undefined): WatchPlane => ({
  ...{ runs, tell, beginning: new Turns(4), rehearsing: new Turns(1) },
});

/** db2 is recorded as primary, and open; db3 follows it. */
function promoteDb2(shop: SimulatedShop): void {
  for (const member of ['db2', 'db3'] as const) shop.member(member).primary = { epoch: 5, host: 'db2', run: 'run-5' };
  const [db2, db3] = [shop.database('db2'), shop.database('db3')];
  db2.channel = null;
  db2.readOnly = false;
  db3.follow('db2');
  db3.start('applier');
  db3.start('receiver');
}

it('keeps the cooldown also when its failover is seen in the records before the run has ended', async () => {
  over = new AbortController();
  const shop = new SimulatedShop({ watch: { ...SHOP.watch, automatic: true } });
  const [told, started]: [Transition[], string[]] = [[], []];
  const runs = onlyRuns({
    failOver: (_cluster, reason) => {
      started.push(reason);
      return Promise.resolve({ kind: 'started', ended: new Promise(() => undefined) });
    },
  });
  const plane = planeOf(runs, (one) => void told.push(one));
  const watched = new WatchedCluster(await shop.cluster('shop'), plane, null);
  void watched.run(over.signal);
  await pass(1_000);
  shop.kill('db1');
  await pass(1_000);
  expect(started).toHaveLength(1);
  promoteDb2(shop);
  await pass(6_000);
  const ofDb2 = (): readonly Transition[] => told.filter((one) => one.host === 'db2');
  expect(ofDb2().at(-1)?.code).toBe('PrimaryServes');
  shop.kill('db2');
  await pass(2_000);
  expect(started).toHaveLength(1);
  expect(ofDb2().at(-1)?.reaction).toContain('policy.failover.cooldown');
});

it('sees at once that its primary has lost its power, also when it has just begun to look at it', async () => {
  over = new AbortController();
  const shop = new SimulatedShop({ watch: { ...SHOP.watch, automatic: true } });
  const started: number[] = [];
  const runs = onlyRuns({
    failOver: () => {
      started.push(performance.now());
      return Promise.resolve({ kind: 'started', ended: new Promise(() => undefined) });
    },
  });
  shop.powerOff('db1');
  const began = performance.now();
  void new WatchedCluster(await shop.cluster('shop'), planeOf(runs), null).run(over.signal);
  await pass(10_000);
  expect(started).toHaveLength(1);
  expect((started[0] ?? 0) - began).toBeLessThan(2_000);
});

/** A watched shop in which nothing may be done but to make room. */
async function withRoom(): Promise<{ readonly shop: SimulatedShop; readonly made: readonly number[] }> {
  over = new AbortController();
  const shop = new SimulatedShop();
  const made: number[] = [];
  const runs = onlyRuns({
    makeRoom: () => {
      made.push(performance.now());
      return Promise.resolve({ kind: 'started', ended: new Promise(() => undefined) });
    },
  });
  void new WatchedCluster(await shop.cluster('shop'), planeOf(runs), null).run(over.signal);
  await pass(1_000);
  return { shop, made };
}

it('makes room for the ackers that are on record by now', async () => {
  const { shop, made } = await withRoom();
  const db1 = shop.database('db1');
  db1.limit = 12;
  shop.database('db3').stop('receiver');
  Object.assign(db1.crowd, { overNetwork: 30 });
  shop.move();
  shop.database('db3').start('receiver');
  await pass(10_000);
  expect(made).toEqual([]);
  for (const member of shop.members.values()) member.sync = { epoch: 4, mode: 'lossless', ackers: 'db3', k: '1' };
  await pass(10_000);
  expect(made).toHaveLength(1);
});

it('has a limit put back that the records say was raised', async () => {
  const { shop, made } = await withRoom();
  expect(made).toEqual([]);
  shop.member('db1').room = 12;
  await pass(10_000);
  expect(made).toHaveLength(1);
});
