import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import type { Circumstances } from './sim/attempt.ts';
import { firstOf, nthOf, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const LIMIT = 12;
const CROWD = { overNetwork: 30, overSocket: 0 };

/** Both ackers were away, and the clients that wait for them have every connection of db1. */
function lockedOut(crowd: { overNetwork: number; overSocket: number } = CROWD): SimulatedShop {
  const shop = new SimulatedShop({ alone: 'async' });
  const db1 = shop.database('db1');
  db1.limit = LIMIT;
  const replicas = ['db2', 'db3'].map((host) => shop.database(host));
  for (const replica of replicas) replica.stop('receiver');
  Object.assign(db1.crowd, crowd);
  shop.move();
  expect(shop.write('db1')).toBe('waits');
  for (const replica of replicas) replica.start('receiver');
  shop.move();
  expect(db1.attached).toEqual([]);
  return shop;
}

/** It was the quickest when one of the crowd left. */
function letDb2In(shop: SimulatedShop): void {
  const [db1, db2] = [shop.database('db1'), shop.database('db2')];
  if (db2.channel !== null) db2.channel.receiver = 'running';
  Object.assign(db1, { taken: LIMIT - 1, attached: [db2.host] });
}

/** Whoever was served goes; a client that is answered wants nothing more. */
function leaveWhenServed(shop: SimulatedShop): void {
  const db1 = shop.database('db1');
  const leave = (): void => {
    if (db1.pending.size === 0) Object.assign(db1.crowd, { overNetwork: 0, overSocket: 0 });
    if (db1.pending.size === 0) db1.taken = 0;
    shop.interrupt('before', /^db1 sql SELECT VARIABLE_NAME AS counter/, leave);
  };
  leave();
}

const makeRoom = (shop: SimulatedShop, how: Circumstances = {}) => attempt(shop, 'makeRoom', { ...how, input: RUN });

describe('making room', () => {
  it('lets the ackers into a full primary, and puts the limit back', async () => {
    const shop = lockedOut();
    leaveWhenServed(shop);
    const outcome = await makeRoom(shop);
    assert(outcome.kind === 'done', JSON.stringify(outcome));
    expect(outcome.value).toMatchObject({
      ...{ outcome: 'made-room', primary: 'db1', attached: ['db2', 'db3'] },
      limit: { configured: LIMIT, now: LIMIT },
    });
    const db1 = shop.database('db1');
    expect({ pending: db1.pending.size, limit: db1.limit, out: db1.keepsClientsOut }).toEqual({
      ...{ pending: 0, limit: LIMIT, out: false },
    });
    expect(shop.member('db1').room).toBeNull();
  });

  it('sees an acker attached by the ID that its server has, whatever the inventory says', async () => {
    const shop = lockedOut();
    const hosts = shop.description.hosts.map((host) => ({ ...host, serverId: host.serverId + 100 }));
    Object.assign(shop.description, { hosts });
    leaveWhenServed(shop);
    expect(await makeRoom(shop)).toMatchObject({
      kind: 'done',
      value: { outcome: 'made-room', attached: ['db2', 'db3'], limit: { now: LIMIT } },
    });
  });

  it('lets them in also while the primary has their old connections, whose end it has not heard of', async () => {
    const shop = lockedOut();
    const db1 = shop.database('db1');
    const ghosts = ['db2', 'db3'].map((host) => shop.database(host).host);
    Object.assign(db1, { taken: LIMIT - 2, ghosts, attached: ghosts });
    shop.move();
    leaveWhenServed(shop);
    expect(await makeRoom(shop)).toMatchObject({
      kind: 'done',
      value: { outcome: 'made-room', attached: ['db2', 'db3'], limit: { now: LIMIT } },
    });
  });

  it('has everybody else refused before the limit is raised, by as many as there are members', async () => {
    const shop = lockedOut();
    leaveWhenServed(shop);
    await makeRoom(shop);
    expect(firstOf(shop, /^db1 make-room/)).toBeLessThan(firstOf(shop, /^db1 sql SET GLOBAL max_connections = 15/));
    expect(firstOf(shop, /max_connections = (?!15|12)/)).toBe(Infinity);
  });

  it('raises it further where clients by the local socket take what was added, and never beyond its bound', async () => {
    const shop = lockedOut({ overNetwork: 0, overSocket: 20 });
    leaveWhenServed(shop);
    expect(await makeRoom(shop)).toMatchObject({ kind: 'done', value: { outcome: 'made-room' } });
    expect(firstOf(shop, /max_connections = 24/)).toBeLessThan(firstOf(shop, /max_connections = 12$/));
    const endless = lockedOut({ overNetwork: 0, overSocket: 1_000 });
    const outcome = await makeRoom(endless);
    assert(outcome.kind === 'failed', JSON.stringify(outcome));
    expect(outcome).toMatchObject({ type: 'Unsafe' });
    expect(outcome.message).toContain('standfast acker none shop');
    const limits = endless.log.flatMap((event) => /max_connections = (\d+)/.exec(event)?.[1] ?? []);
    expect(Math.max(...limits.map(Number))).toBe(27);
  });

  it('leaves the place of an administrator when nobody came: a person can still go async', async () => {
    const shop = lockedOut({ overNetwork: 0, overSocket: 20 });
    for (const host of ['db2', 'db3']) shop.cut.add(`${host} db1`);
    const outcome = await makeRoom(shop);
    assert(outcome.kind === 'failed', JSON.stringify(outcome));
    expect(outcome.message).toMatch(/did not come back .* max_connections is 27 until fewer than 12/);
    expect([shop.database('db1').limit, shop.member('db1').room]).toEqual([27, LIMIT]);
    const gone = await attempt(shop, 'goAsync', { input: { ...RUN, run: 'run-6' } });
    assert(gone.kind === 'done', JSON.stringify(gone));
  });

  it('has the crowd refused until the limit is lowered again, when nobody came', async () => {
    const shop = lockedOut();
    for (const host of ['db2', 'db3']) shop.cut.add(`${host} db1`);
    const outcome = await makeRoom(shop);
    assert(outcome.kind === 'failed', JSON.stringify(outcome));
    expect(outcome.message).toContain('max_connections is 12 as before');
    const db1 = shop.database('db1');
    expect([db1.limit, db1.taken, db1.keepsClientsOut, shop.member('db1').room]).toEqual([LIMIT, LIMIT, false, null]);
  });

  it('ends no connection', async () => {
    const shop = lockedOut();
    await makeRoom(shop);
    expect(firstOf(shop, /KILL/)).toBe(Infinity);
  });

  it('leaves a limit raised that more are connected than, lets everybody in, and the next run puts it back', async () => {
    const shop = lockedOut();
    const outcome = await makeRoom(shop);
    expect(outcome).toMatchObject({ kind: 'done', value: { limit: { configured: LIMIT, now: 15 } } });
    const db1 = shop.database('db1');
    expect([db1.limit, db1.keepsClientsOut, shop.member('db1').room]).toEqual([15, false, LIMIT]);
    Object.assign(db1.crowd, { overNetwork: 0 });
    db1.taken = 0;
    expect(await makeRoom(shop)).toMatchObject({
      kind: 'done',
      value: { outcome: 'put-back', limit: { now: LIMIT } },
    });
    expect([db1.limit, shop.member('db1').room]).toEqual([LIMIT, null]);
  });

  it.each([500, 20])('leaves a limit that a person has set meanwhile: %s', async (theirs) => {
    const shop = lockedOut();
    await makeRoom(shop);
    const db1 = shop.database('db1');
    Object.assign(db1, { limit: theirs, taken: 0 });
    Object.assign(db1.crowd, { overNetwork: 0 });
    expect(await makeRoom(shop)).toMatchObject({
      kind: 'done',
      value: { outcome: 'put-back', sentence: expect.stringContaining(`is ${String(theirs)}, which somebody has set`) },
    });
    expect([db1.limit, shop.member('db1').room]).toEqual([theirs, null]);
  });

  it('raises the limit that a person has set, when the ackers are locked out again, and puts that one back', async () => {
    const shop = lockedOut();
    await makeRoom(shop);
    const [db1, replicas] = [shop.database('db1'), ['db2', 'db3'].map((host) => shop.database(host))];
    for (const replica of replicas) replica.stop('receiver');
    Object.assign(db1, { limit: 20, taken: 20 });
    shop.move();
    shop.write('db1');
    for (const replica of replicas) replica.start('receiver');
    shop.move();
    leaveWhenServed(shop);
    const before = shop.log.length;
    expect(await makeRoom(shop)).toMatchObject({
      kind: 'done',
      value: { outcome: 'made-room', limit: { configured: 20, now: 20 } },
    });
    const set = shop.log.slice(before).flatMap((event) => /max_connections = (\d+)/.exec(event)?.[1] ?? []);
    expect(set).toEqual(['23', '20']);
  });

  it.each([
    [
      'an acker is attached, though the other one is refused',
      (shop: SimulatedShop) => {
        letDb2In(shop);
      },
    ],
    [
      'async is on record',
      (shop: SimulatedShop) => {
        for (const member of shop.members.values()) member.sync = { epoch: 4, mode: 'async', ackers: '', k: '0' };
      },
    ],
    [
      'the receivers stand still',
      (shop: SimulatedShop) => {
        for (const host of ['db2', 'db3']) shop.database(host).stop('receiver');
      },
    ],
  ])('changes nothing when %s', async (_when, change) => {
    const shop = lockedOut();
    change(shop);
    expect(await makeRoom(shop)).toMatchObject({ kind: 'done', value: { outcome: 'left-alone', limit: null } });
    expect(firstOf(shop, /make-room|max_connections/)).toBe(Infinity);
  });

  it('changes nothing when the primary says that an acker is connected, which does not answer here', async () => {
    const shop = lockedOut();
    letDb2In(shop);
    shop.cutFromWorker.add('db2');
    expect(await makeRoom(shop)).toMatchObject({ kind: 'done', value: { outcome: 'left-alone' } });
    expect(firstOf(shop, /make-room|max_connections/)).toBe(Infinity);
  });

  it('is refused of a primary that does not answer', async () => {
    const shop = lockedOut();
    shop.kill('db1');
    const outcome = await makeRoom(shop);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unsafe' });
    expect(firstOf(shop, /make-room|max_connections/)).toBe(Infinity);
  });
});

describe('a limit that was raised', () => {
  it('is not lowered by a second attempt, which would keep the administrator out', async () => {
    const shop = lockedOut({ overNetwork: 0, overSocket: 1_000 });
    await makeRoom(shop);
    const before = shop.log.length;
    await makeRoom(shop, { attempt: 2 });
    const set = shop.log.slice(before).flatMap((event) => /max_connections = (\d+)/.exec(event)?.[1] ?? []);
    expect(Math.min(...set.map(Number))).toBeGreaterThanOrEqual(shop.database('db1').taken);
  });
});

describe('a worker that dies while it makes room', () => {
  it('leaves no raised limit that the next attempt takes for the configured one, while the ackers are still out', async () => {
    const shop = lockedOut({ overNetwork: 0, overSocket: 1_000 });
    expect((await makeRoom(shop, { holdAt: 'makeRoom.room:after' })).kind).toBe('held');
    expect(shop.database('db1').limit).toBe(15);
    expect(await makeRoom(shop, { attempt: 2 })).toMatchObject({ kind: 'failed', type: 'Unsafe' });
    expect(shop.member('db1').room).toBe(LIMIT);
    Object.assign(shop.database('db1'), { taken: 0, crowd: { overNetwork: 0, overSocket: 0 } });
    await makeRoom(shop, { attempt: 3 });
    expect(shop.database('db1').limit).toBe(LIMIT);
  });

  it.each(['room:before', 'room:after', 'attach:before', 'attach:after', 'restore:before', 'restore:after'] as const)(
    'at %s leaves it to the next attempt, which puts back the limit of before',
    async (point) => {
      const shop = lockedOut();
      leaveWhenServed(shop);
      const held = await makeRoom(shop, { holdAt: `makeRoom.${point}` });
      expect(held.kind).toBe('held');
      expect(await makeRoom(shop, { attempt: 2 })).toMatchObject({ kind: 'done' });
      const db1 = shop.database('db1');
      expect({ pending: db1.pending.size, limit: db1.limit, room: shop.member('db1').room }).toEqual({
        ...{ pending: 0, limit: LIMIT, room: null },
      });
      expect(nthOf(shop, /KILL/, 1)).toBe(Infinity);
    },
  );
});
