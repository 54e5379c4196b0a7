import { afterEach, beforeEach, expect, it } from 'vitest';
import { asyncLocalStorage } from '@temporalio/activity';
import type { ClusterPorts, Deadline } from '../../adapters/ports.ts';
import { keepNotingEvents } from '../../activities/event-watch.ts';
import { contextOf, inSimulatedTime } from './sim/attempt.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

let over = new AbortController();
beforeEach(() => {
  over = new AbortController();
});
afterEach(() => {
  over.abort();
});

async function begin(change: (shop: SimulatedShop) => void = () => undefined) {
  const shop = new SimulatedShop();
  shop.runsEvents = true;
  const db1 = shop.database('db1');
  db1.events = [{ name: 'hourly', status: 'ENABLED' }];
  change(shop);
  const state = { serves: true, ended: false };
  const cluster = await shop.cluster('shop');
  const asked: (Deadline | undefined)[] = [];
  const session: ClusterPorts['session'] = (host, deadline) => {
    asked.push(deadline);
    return cluster.session(host, deadline);
  };
  const noting = { cluster: { ...cluster, session }, primary: 'db1', serves: () => state.serves };
  void asyncLocalStorage
    .run(contextOf('watchShard', 1), () => keepNotingEvents(noting, over.signal))
    .then(() => (state.ended = true));
  const notes = () => shop.log.filter((event) => event.includes('CALL standfast.note_events')).length;
  return { shop, db1, state, notes, asked };
}

const HOURLY = '{"enabled":[["shop","hourly"]],"disabled":[]}';

it('notes which events are enabled, and again when that has changed', async () => {
  const { db1, notes } = await begin();
  await pass(1_000);
  expect(db1.notedEvents).toBe(HOURLY);
  await pass(60_000);
  expect(notes()).toBe(1);
  db1.events = [{ name: 'hourly', status: 'DISABLED' }];
  await pass(11_000);
  expect(db1.notedEvents).toBe('{"enabled":[],"disabled":[["shop","hourly"]]}');
});

it('forgets nothing between a promotion and its end, when replication keeps the events off', async () => {
  const { db1, notes } = await begin((shop) => {
    shop.database('db1').events = [{ name: 'hourly', status: 'SLAVESIDE_DISABLED' }];
    shop.database('db1').notedEvents = HOURLY;
  });
  await pass(30_000);
  expect([db1.notedEvents, notes()]).toEqual([HOURLY, 0]);
});

it('waits until the primary serves, and goes on after one that did not answer', async () => {
  const { shop, db1, state } = await begin();
  await pass(1_000);
  state.serves = false;
  db1.events = [];
  await pass(30_000);
  expect(db1.notedEvents).toBe(HOURLY);
  shop.kill('db1');
  state.serves = true;
  await pass(15_000);
  db1.boot();
  db1.readOnly = false;
  await pass(15_000);
  expect(db1.notedEvents).toBe('{"enabled":[],"disabled":[]}');
});

it('ends at once where the policy is not to run events', async () => {
  const { state, notes } = await begin((shop) => (shop.runsEvents = false));
  await pass(1_000);
  expect([state.ended, notes()]).toEqual([true, 0]);
});

it('ends at once when it is aborted while a note waits to be acknowledged', async () => {
  const { shop, db1, state, notes } = await begin();
  const waiting = new Promise<void>((resolve) => {
    shop.interrupt('before', /^db1 sql CALL standfast.note_events/, async () => {
      resolve();
      await pass(14_000);
    });
  });
  await waiting;
  over.abort();
  await pass(1);
  expect(state.ended).toBe(true);
  expect(shop.sessions.size).toBe(1);
  await pass(20_000);
  expect([shop.sessions.size, notes()]).toEqual([0, 1]);
  expect(db1.notedEvents).toBe(HOURLY);
});

it('waits in no place that a full server keeps for its administrators, and does not wait for room', async () => {
  const { shop, db1, notes, asked } = await begin((made) => (made.database('db1').isInReserve = true));
  await pass(1_000);
  expect([notes(), shop.sessions.size, asked]).toEqual([0, 0, [{ fullMs: 0 }]]);
  db1.isInReserve = false;
  await pass(10_000);
  expect(notes()).toBe(1);
});
