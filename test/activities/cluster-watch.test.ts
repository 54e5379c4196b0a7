import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClusterWatch } from '../../activities/cluster-watch.ts';
import type { Attempted, RunsPort } from '../../adapters/ports.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import type { HostName } from '../../domain/cluster.ts';
import type { Transition } from '../../domain/watch.ts';
import { FRESH } from '../../domain/watch.ts';
import { SHOP } from '../domain/shop.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const POLICY = { ...SHOP.watch, automatic: true };
/** One that looks, and one that reads the heartbeat row. */
const CONNECTIONS = 2;

let over = new AbortController();
afterEach(() => {
  over.abort();
});

/** A watched shop whose failovers go on until the test ends them. */
async function watchedShop({ isHeld = false, graceMs = 0, hears = 1 } = {}) {
  over = new AbortController();
  const shop = new SimulatedShop({ watch: { ...POLICY, graceMs } });
  const told: Transition[] = [];
  const onOperation = vi.fn();
  const started: number[] = [];
  const [opened, gaveWay]: [string[], string[]] = [[], []];
  const rooms: number[] = [];
  const recorded = { ackers: ['db2', 'db3'], isRoomLeft: false };
  let end: (how: Attempted) => void = () => undefined;
  const runs: RunsPort = {
    failOver: () => {
      started.push(performance.now());
      if (isHeld) return Promise.resolve({ kind: 'busy' });
      return Promise.resolve({ kind: 'started', ended: new Promise((resolve) => (end = resolve)) });
    },
    reopen: (_cluster, host) => {
      opened.push(host);
      return Promise.resolve({ kind: 'started', ended: new Promise((resolve) => (end = resolve)) });
    },
    makeRoom: () => {
      rooms.push(performance.now());
      if (isHeld) return Promise.resolve({ kind: 'busy' });
      return Promise.resolve({ kind: 'started', ended: new Promise((resolve) => (end = resolve)) });
    },
    primaryDied: (_cluster, why) => {
      gaveWay.push(why);
      return Promise.resolve(gaveWay.length >= hears);
    },
    rehearse: () => Promise.reject(new Error('the policy asks for none')),
    sinceLastFailover: () => Promise.resolve(null),
    tell: () => Promise.resolve(),
  };
  const watch = new ClusterWatch({
    ...{
      cluster: await shop.cluster('shop'),
      primary: 'db1',
      memory: FRESH,
      runs,
      onOperation,
    },
    recorded: () => recorded,
    tell: (transition) => told.push(transition),
    onFault: (error) => {
      throw error;
    },
  });
  void watch.run(over.signal);
  await pass(1_000);
  return {
    ...{ shop, watch, onOperation, started, opened, gaveWay, rooms, recorded },
    endRun: (how: Attempted) => {
      end(how);
    },
    toldOf: (host: HostName) => told.filter((one) => one.host === host).map((one) => one.code),
    /** How often a host was looked at in so many milliseconds from now on. */
    looksDuring: async (ms: number): Promise<Readonly<Record<HostName, number>>> => {
      const before = shop.looks.length;
      await pass(ms);
      const since = shop.looks.slice(before).map((one) => one.host);
      return Object.fromEntries(SHOP.hosts.map(({ name }) => [name, since.filter((host) => host === name).length]));
    },
  };
}

/** In simulated time, which passes at once when somebody waits in real time. */
async function until(isSo: () => boolean): Promise<void> {
  const endsAt = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > endsAt) throw new Error('it did not come to be so');
    await pass(1);
  }
}

/** The claim of the failover ends the sessions of everybody who looks. */
const claim = (shop: SimulatedShop): void => {
  shop.claimByOther('run-5', ['db2', 'db3']);
};

/** Closed, as after every start, and sooner than the grace is over. */
async function restart(shop: SimulatedShop): Promise<void> {
  shop.kill('db1');
  await pass(1_000);
  shop.database('db1').boot();
}

describe('what holds the cluster when the primary dies', () => {
  it('is told to give way when it is another operation', async () => {
    const { shop, started, gaveWay } = await watchedShop({ isHeld: true });
    shop.kill('db1');
    await until(() => started.length > 0);
    await pass(100);
    expect(gaveWay).toHaveLength(1);
    expect(gaveWay[0]).toMatch(/^watched: the primary/);
  });

  it('is told once when it is the opening of a primary that died again, and the failover begins when that has ended', async () => {
    const { shop, opened, started, gaveWay, endRun, onOperation, watch } = await watchedShop({ graceMs: 3_000 });
    await restart(shop);
    await until(() => opened.length > 0);
    expect(gaveWay).toEqual([]);
    shop.kill('db1');
    await pass(5_000);
    expect(gaveWay).toHaveLength(1);
    expect(started).toEqual([]);
    endRun({ kind: 'failed', why: 'it gave way' });
    await until(() => onOperation.mock.calls.length > 0);
    expect(watch.memory.restUntilMs).toBeLessThanOrEqual(performance.now());
  });

  it('is told again until it has heard it', async () => {
    const { shop, opened, gaveWay } = await watchedShop({ graceMs: 3_000, hears: 3 });
    await restart(shop);
    await until(() => opened.length > 0);
    shop.kill('db1');
    await pass(10_000);
    expect(gaveWay).toHaveLength(3);
  });

  it('is left to open a primary that lives', async () => {
    const { shop, opened, gaveWay } = await watchedShop({ graceMs: 3_000 });
    await restart(shop);
    await until(() => opened.length > 0);
    await pass(5_000);
    expect({ opened, gaveWay }).toEqual({ opened: ['db1'], gaveWay: [] });
  });
});

describe('a primary whose failover was refused', () => {
  it('is opened as soon as it answers, as one that was started anew while the failover looked at it', async () => {
    const { shop, opened, started, endRun, onOperation } = await watchedShop();
    shop.kill('db1');
    await until(() => started.length > 0);
    endRun({ kind: 'failed', why: 'a replica still hears it' });
    await until(() => onOperation.mock.calls.length > 0);
    shop.database('db1').boot();
    await pass(1_000);
    expect({ opened, failovers: started.length }).toEqual({ opened: ['db1'], failovers: 1 });
  });
});

describe('a failover that was refused', () => {
  it('is tried again a second after a replica is back that was gone', async () => {
    const { shop, started, endRun, onOperation } = await watchedShop();
    shop.kill('db3');
    shop.kill('db1');
    await until(() => started.length > 0);
    endRun({ kind: 'failed', why: '1 of 2 recorded ackers contribute' });
    await until(() => onOperation.mock.calls.length > 0);
    await pass(5_000);
    expect(started).toHaveLength(1);
    shop.database('db3').boot();
    await pass(900);
    expect(started).toHaveLength(1);
    await pass(1_000);
    expect(started).toHaveLength(2);
  });
});

describe('while the failover that it started runs', () => {
  it('a watcher looks twice in a silence, whatever connections it loses', async () => {
    const { shop, started, looksDuring } = await watchedShop();
    shop.kill('db1');
    await until(() => started.length > 0);
    claim(shop);
    const looks = await looksDuring(2_000);
    // What a lost connection was asked is asked once more.
    const most = CONNECTIONS * (2_000 / (POLICY.silenceMs / 2) + 2);
    for (const { name } of SHOP.hosts) expect(looks[name]).toBeLessThanOrEqual(most);
    for (const name of ['db2', 'db3']) expect(looks[name]).toBeGreaterThanOrEqual(2_000 / POLICY.silenceMs);
  });

  it('a watcher still tells what becomes of a replica, and does not take the primary for anything but dead', async () => {
    const { shop, started, toldOf } = await watchedShop();
    shop.kill('db1');
    await until(() => started.length > 0);
    claim(shop);
    shop.database('db3').stop('applier');
    await pass(2_000);
    expect(toldOf('db3').at(-1)).toBe('ApplierStopped');
    expect(toldOf('db1')).toEqual(['PrimaryServes', 'PrimaryProcessDead']);
  });

  it('a watcher looks at its period again when the run takes long, as one that waits for a person', async () => {
    const { shop, started, looksDuring } = await watchedShop();
    shop.kill('db1');
    await until(() => started.length > 0);
    await pass(10_000);
    const { db2 = 0 } = await looksDuring(2_000);
    expect(db2).toBeGreaterThan(0.8 * CONNECTIONS * (2_000 / POLICY.everyMs));
  });

  it('a watcher learns at once that it was refused, and starts no other before the rest is over', async () => {
    const { shop, watch, started, endRun, onOperation, toldOf } = await watchedShop();
    shop.kill('db1');
    await until(() => started.length > 0);
    await pass(700);
    const nowMs = performance.now();
    endRun({ kind: 'failed', why: 'nobody is covered' });
    await until(() => onOperation.mock.calls.length > 0);
    expect(performance.now() - nowMs).toBeLessThan(100);
    expect(toldOf('db1').at(-1)).toBe('AttemptFailed');
    expect(watch.memory.refusedUntilMs).toBeGreaterThan(nowMs);
    await pass(5_000);
    expect(started).toHaveLength(1);
  });
});

/** Both ackers come back to a primary without a connection free. */
function lockOut(shop: SimulatedShop): void {
  const db1 = shop.database('db1');
  Object.assign(db1, { limit: 12 });
  for (const host of ['db2', 'db3']) shop.database(host).stop('receiver');
  Object.assign(db1.crowd, { overNetwork: 30 });
  while (!db1.isFull || db1.attached.length > 0) shop.move();
  for (const host of ['db2', 'db3']) shop.database(host).start('receiver');
}

describe('ackers that find no connection free', () => {
  it('are given room when that lasts, once, and it is told', async () => {
    const { shop, rooms, started, toldOf } = await watchedShop();
    const sinceMs = performance.now();
    lockOut(shop);
    await until(() => rooms.length > 0);
    expect((rooms[0] ?? 0) - sinceMs).toBeGreaterThanOrEqual(3_000);
    await pass(5_000);
    expect({ rooms: rooms.length, failovers: started.length }).toEqual({ rooms: 1, failovers: 0 });
    expect(toldOf('db1')).toContain('AckersLockedOut');
  });

  it('are given room again a minute after it was in vain', async () => {
    const { shop, rooms, endRun } = await watchedShop();
    lockOut(shop);
    await until(() => rooms.length > 0);
    const endedMs = performance.now();
    endRun({ kind: 'failed', why: 'nobody came' });
    await pass(70_000);
    expect(rooms).toHaveLength(2);
    expect((rooms[1] ?? 0) - endedMs).toBeGreaterThanOrEqual(60_000);
  });

  it('are given none while one of them is attached, or nobody is on record', async () => {
    const { shop, rooms, recorded } = await watchedShop();
    lockOut(shop);
    const { channel } = shop.database('db2');
    if (channel !== null) channel.receiver = 'running';
    await pass(10_000);
    expect(rooms).toEqual([]);
    if (channel !== null) channel.receiver = 'connecting';
    recorded.ackers = [];
    await pass(10_000);
    expect(rooms).toEqual([]);
  });

  it('wait for no more than a second for another operation', async () => {
    const { shop, rooms } = await watchedShop({ isHeld: true });
    lockOut(shop);
    await until(() => rooms.length > 0);
    await pass(2_500);
    expect(rooms.length).toBeGreaterThanOrEqual(2);
    expect(rooms.length).toBeLessThanOrEqual(4);
  });

  it('have the limit put back later where that is left', async () => {
    const { rooms, recorded } = await watchedShop();
    recorded.isRoomLeft = true;
    await pass(500);
    expect(rooms).toHaveLength(1);
  });
});

describe('room that is being made when the primary dies', () => {
  it('gives way to the failover', async () => {
    const { shop, rooms, gaveWay, started, endRun } = await watchedShop();
    lockOut(shop);
    await until(() => rooms.length > 0);
    shop.kill('db1');
    await until(() => gaveWay.length > 0);
    endRun({ kind: 'failed', why: 'it gave way' });
    await until(() => started.length > 0);
    expect(gaveWay).toHaveLength(1);
  });
});

describe('a primary that dies while its ackers find no connection free', () => {
  it('gets no room, and is failed over', async () => {
    const { shop, rooms, started } = await watchedShop({ graceMs: 5_000 });
    lockOut(shop);
    await pass(2_000);
    shop.kill('db1');
    await pass(10_000);
    expect({ rooms: rooms.length, failovers: started.length }).toEqual({ rooms: 0, failovers: 1 });
  });
});

describe('a primary whose kernel lets only members in for a moment', () => {
  async function keptOut() {
    const watched = await watchedShop();
    lockOut(watched.shop);
    await pass(1_000);
    watched.shop.database('db1').keepsClientsOut = true;
    watched.shop.refusesWatcher = true;
    watched.shop.claimByOther('run-5', ['db1']);
    return watched;
  }

  it('is taken for full by a watcher that it refuses, not for dead', async () => {
    const { started, gaveWay, toldOf } = await keptOut();
    await pass(5_000);
    expect({ started, gaveWay }).toEqual({ started: [], gaveWay: [] });
    for (const dead of ['PrimaryHung', 'PrimaryHostDead', 'PrimaryProcessDead'])
      expect(toldOf('db1')).not.toContain(dead);
  });

  it('is failed over at once when its server dies meanwhile', async () => {
    const { shop, started } = await keptOut();
    await pass(1_500);
    const diedAtMs = performance.now();
    shop.kill('db1');
    await until(() => started.length > 0);
    expect((started[0] ?? 0) - diedAtMs).toBeLessThan(1_500);
  });
});

it('a primary that answers with an error of its own is alive to a watcher, as to a failover', async () => {
  const { shop, toldOf, started } = await watchedShop();
  for (let n = 0; n < 100; n += 1)
    shop.interrupt('before', /^db1 sql SELECT @@GLOBAL.read_only/, () => {
      throw new AdapterFailure({ type: 'Unverified', host: 'db1', facts: { errno: 1041 }, message: 'out of memory' });
    });
  await pass(5_000);
  expect(toldOf('db1')).toEqual(['PrimaryServes', 'PrimaryFaulty']);
  expect(started).toEqual([]);
});
