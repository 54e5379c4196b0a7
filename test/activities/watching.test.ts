import { activityInfo, asyncLocalStorage, Context } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { ActivityCancellationDetails, CancelledFailure, noopMetricMeter } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Shards } from '../../activities/shard.ts';
import { watchActivities } from '../../activities/watching.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import type { RunsPort, Started, WatchListing } from '../../adapters/ports.ts';
import type { WatchActivities } from '../../activities/watch-contract.ts';
import { SHOP } from '../domain/shop.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

let logged: { readonly message: string; readonly facts: unknown }[];
const note = (message: string, facts: unknown): void => void logged.push({ message, facts });
const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: note, error: note };

let shop: SimulatedShop;
let watching: WatchActivities;
/** By the instant at which the attempt that said it was scheduled. */
let told: { readonly by: number; readonly what: string }[];
let started: number[];
let reopened: number[];
let rehearsed: number;
/** Who gave way to a failover. */
let gaveWay: string[];
/** How Temporal answers the start of a failover. */
let answer: () => Promise<Started>;
/** The ports of each watch that was begun; the host helpers of one that is stuck answer no more. */
let taken: { isStuck: boolean }[];
let listed: WatchListing[];
/** Why the inventory cannot be read; empty: it can. */
let unread: string;
const ends: (() => void)[] = [];

beforeEach(() => {
  shop = new SimulatedShop({ watch: { ...SHOP.watch, automatic: true } });
  [reopened, rehearsed, gaveWay] = [[], 0, []];
  answer = () => Promise.resolve({ kind: 'started', ended: new Promise(() => undefined) });
  [told, started, logged, listed, unread] = [[], [], [], [{ cluster: 'shop', version: '1' }], ''];
  const by = (): number => activityInfo().currentAttemptScheduledTimestampMs;
  const runs: RunsPort = {
    failOver: () => {
      started.push(by());
      return answer();
    },
    makeRoom: () => Promise.reject(new Error('nobody is locked out')),
    reopen: () => {
      reopened.push(by());
      return Promise.resolve({ kind: 'busy' });
    },
    primaryDied: (name) => {
      gaveWay.push(name);
      return Promise.resolve(true);
    },
    rehearse: () => {
      rehearsed += 1;
      return Promise.resolve({ kind: 'planned', sentence: 'it would go through' });
    },
    sinceLastFailover: () => Promise.resolve(null),
    tell: (transitions) => {
      told.push(...transitions.map(({ host, code }) => ({ by: by(), what: `${host} ${code}` })));
      return Promise.resolve();
    },
  };
  const watched = () =>
    unread === ''
      ? Promise.resolve(listed)
      : Promise.reject(new AdapterFailure({ type: 'BadInput', host: 'shard main', message: unread }));
  taken = [];
  const cluster = async (name: string) => {
    const [ports, own] = [await shop.cluster(name), { isStuck: false }];
    taken.push(own);
    const helper = (host: string) => {
      const real = ports.helper(host);
      const request: typeof real.request = (...order) =>
        own.isStuck ? new Promise(() => undefined) : real.request(...order);
      return Object.assign(Object.create(real) as typeof real, { request });
    };
    return { ...ports, helper };
  };
  watching = watchActivities(new Shards({ cluster, watched, runs }));
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** An attempt of the activity in one process, and how Temporal ends it. */
function attempt(scheduledAtMs: number) {
  const [cancelled, holder] = [new AbortController(), {} as { details?: ActivityCancellationDetails }];
  const endAs = (details: Partial<Record<'notFound' | 'cancelRequested' | 'workerShutdown', boolean>>) => (): void => {
    holder.details = new ActivityCancellationDetails(details);
    cancelled.abort(new CancelledFailure('over'));
  };
  const info = { activityType: 'watchShard', currentAttemptScheduledTimestampMs: scheduledAtMs } as unknown as Info;
  const never = new Promise<never>(() => undefined);
  const { signal } = cancelled;
  let details: unknown;
  const heard = (said: unknown): void => {
    details = said;
  };
  const context = new Context(info, never, signal, heard, undefined, quiet, noopMetricMeter, holder);
  const ended = asyncLocalStorage
    .run(context, () => watching.watchShard({ shard: 'main' }))
    .then(
      () => 'completed',
      (error: unknown) => (error instanceof CancelledFailure ? 'cancelled' : String(error)),
    );
  const shutDown = endAs({ workerShutdown: true });
  ends.push(shutDown);
  const [cancel, lose] = [endAs({ cancelRequested: true }), endAs({ notFound: true })];
  return { ended, cancel, heard: () => details, lose, shutDown };
}

const open = (): ReadonlySet<unknown> => new Set(shop.sessions);
const toldBy = (scheduledAtMs: number): readonly string[] =>
  told.filter(({ by }) => by === scheduledAtMs).map(({ what }) => what);

const ALL_WELL = ['db1 PrimaryServes', 'db2 Replicates', 'db3 Replicates'];

describe('an attempt whose heartbeat was lost', () => {
  it('leaves the shard as it is to the next one, which tells anew how it stands', async () => {
    const first = attempt(1);
    await pass(1_500);
    expect([...toldBy(1)].sort()).toEqual(ALL_WELL);
    const connections = open();
    expect(connections.size).toBeGreaterThanOrEqual(6);
    first.lose();
    expect(await first.ended).toBe('cancelled');
    const looks = shop.looks.length;
    await pass(1_000);
    expect(shop.looks.length).toBeGreaterThan(looks);
    attempt(2);
    await pass(1_500);
    expect(open()).toEqual(connections);
    expect([...connections].every((one) => open().has(one))).toBe(true);
    expect([...toldBy(2)].sort()).toEqual(ALL_WELL);
    expect(toldBy(1)).toHaveLength(3);
  });

  it('starts and tells nothing any more: another worker may watch by now; the next attempt here does both', async () => {
    const first = attempt(1);
    await pass(1_500);
    first.lose();
    await first.ended;
    shop.kill('db1');
    await pass(3_000);
    expect(started).toEqual([]);
    expect(told).toHaveLength(3);
    attempt(2);
    await pass(3_000);
    expect(started).toEqual([2]);
    expect(toldBy(2)).toContain('db1 PrimaryProcessDead');
  });

  it('gives the shard up when no other one comes here', async () => {
    const first = attempt(1);
    await pass(1_500);
    first.lose();
    await first.ended;
    await pass(11_000);
    expect(open().size).toBe(0);
    attempt(3);
    await pass(1_500);
    expect([...toldBy(3)].sort()).toEqual(ALL_WELL);
  });
});

it('an attempt whose worker is shut down ends the watch before it ends itself', async () => {
  const only = attempt(1);
  await pass(1_500);
  only.shutDown();
  expect(await only.ended).toBe('cancelled');
  expect(open().size).toBe(0);
});

describe('an attempt that is cancelled', () => {
  it('by the run, which goes on as a new one, leaves the shard to the attempt of that, and starts nothing meanwhile', async () => {
    const first = attempt(1);
    await pass(1_500);
    const connections = open();
    first.cancel();
    expect(await first.ended).toBe('cancelled');
    expect(open()).toEqual(connections);
    shop.kill('db1');
    await pass(3_000);
    expect(started).toEqual([]);
    expect(toldBy(1)).toHaveLength(3);
    attempt(2);
    await pass(3_000);
    expect(started).toEqual([2]);
  });

  it('does not make the next one open a primary that somebody closed', async () => {
    const first = attempt(1);
    await pass(1_500);
    first.cancel();
    await first.ended;
    shop.database('db1').readOnly = true;
    attempt(2);
    await pass(3_000);
    expect(toldBy(2)).toContain('db1 PrimaryClosed');
    expect(reopened).toEqual([]);
  });

  it('by a person ends the watch ten seconds later', async () => {
    const only = attempt(1);
    await pass(1_500);
    only.cancel();
    await only.ended;
    await pass(11_000);
    expect(open().size).toBe(0);
  });
});

it('while nobody has the shard no failover is rehearsed', async () => {
  shop = new SimulatedShop({ watch: { ...SHOP.watch, rehearsalMs: 5_000 } });
  const first = attempt(1);
  await pass(7_000);
  expect(rehearsed).toBeGreaterThan(0);
  first.lose();
  await first.ended;
  await pass(100);
  const before = rehearsed;
  await pass(8_000);
  expect(rehearsed).toBe(before);
  attempt(2);
  await pass(8_000);
  expect(rehearsed).toBeGreaterThan(before);
});

describe('of two attempts at the same time', () => {
  it('the later one has the shard, and the earlier one ends without touching it', async () => {
    const first = attempt(1);
    await pass(1_500);
    const connections = open();
    attempt(2);
    shop.kill('db1');
    await pass(3_000);
    expect(await first.ended).toContain('a later attempt watches the shard main');
    first.lose();
    expect(started).toEqual([2]);
    expect(toldBy(1)).toHaveLength(3);
    expect(toldBy(2)).toContain('db1 PrimaryProcessDead');
    expect([...connections].filter((one) => open().has(one)).length).toBeGreaterThanOrEqual(4);
  });

  it('one that was scheduled earlier and comes late ends at once', async () => {
    attempt(2);
    await pass(1_500);
    expect(await attempt(1).ended).toContain('a later attempt watches the shard main');
    shop.kill('db1');
    await pass(2_000);
    expect(started).toEqual([2]);
  });
});

describe('what it tells Temporal', () => {
  it('is each cluster that it has taken up, by which inventory, and whose primary it does not know', async () => {
    const only = attempt(1);
    await pass(1_500);
    expect(only.heard()).toMatchObject({ clusters: { shop: '1' }, withoutPrimary: [] });
    listed = [{ cluster: 'shop', version: '2' }];
    await pass(2_500);
    expect(only.heard()).toMatchObject({ clusters: { shop: '2' }, withoutPrimary: [] });
    listed = [];
    await pass(2_000);
    expect(only.heard()).toMatchObject({ clusters: {}, withoutPrimary: [] });
  });

  it('does not call a cluster watched in which nobody is on record as primary', async () => {
    for (const member of shop.members.values()) member.primary = { epoch: 0, host: '', run: '' };
    const only = attempt(1);
    await pass(1_500);
    expect(only.heard()).toMatchObject({ clusters: { shop: '1' }, withoutPrimary: ['shop'] });
  });
});

it('an inventory that cannot be read is logged once, and again when it is another fault or has been right between', async () => {
  attempt(1);
  await pass(1_500);
  unread = 'line 3 is no YAML';
  await pass(5_000);
  expect(logged).toMatchObject([{ facts: { why: 'line 3 is no YAML' } }]);
  unread = 'line 4 is no YAML';
  await pass(5_000);
  expect(logged).toHaveLength(2);
  unread = '';
  await pass(2_000);
  unread = 'line 4 is no YAML';
  await pass(5_000);
  expect(logged).toHaveLength(3);
  expect(open().size).toBeGreaterThanOrEqual(6);
});

describe('a watch that does not end when the inventory has another version of its cluster', () => {
  const stick = async (): Promise<ReturnType<typeof attempt>> => {
    const only = attempt(1);
    await pass(1_500);
    for (const one of taken) one.isStuck = true;
    await pass(6_000);
    listed = [{ cluster: 'shop', version: '2' }];
    return only;
  };

  it('is given up after ten seconds with an error, another one begins, and knows what it had seen', async () => {
    const only = await stick();
    await pass(8_000);
    expect(taken).toHaveLength(1);
    shop.database('db1').readOnly = true;
    await pass(4_500);
    expect(taken).toHaveLength(2);
    expect(only.heard()).toMatchObject({ clusters: { shop: '2' }, withoutPrimary: [] });
    expect(logged).toMatchObject([{ facts: { cluster: 'shop' } }]);
    expect(toldBy(1)).toContain('db1 PrimaryClosed');
    expect(reopened).toEqual([]);
  });

  it('does not keep a worker that is shut down', async () => {
    const only = await stick();
    only.shutDown();
    await pass(11_000);
    expect(await Promise.race([only.ended, Promise.resolve('not yet')])).toBe('cancelled');
  });

  it.each<[string, Started]>([
    ['asks nobody to give way any more', { kind: 'busy' }],
    ['tells no outcome any more', { kind: 'started', ended: Promise.resolve({ kind: 'failed', why: 'refused' }) }],
  ])('%s', async (_, late) => {
    let say: (said: Started) => void = () => undefined;
    answer = () => new Promise((resolve) => (say = resolve));
    const only = attempt(1);
    await pass(1_500);
    for (const one of taken) one.isStuck = true;
    await pass(6_000);
    shop.kill('db1');
    await pass(1_500);
    expect(started).toHaveLength(1);
    const sayLate = say;
    listed = [];
    await pass(13_000);
    expect(only.heard()).toMatchObject({ clusters: {} });
    sayLate(late);
    await pass(3_000);
    expect(gaveWay).toEqual([]);
    expect(toldBy(1).filter((one) => one.includes('Attempt'))).toEqual([]);
    expect(started).toHaveLength(1);
  });
});
