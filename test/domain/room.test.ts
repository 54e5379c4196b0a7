import { describe, expect, it } from 'vitest';
import type { ThreadState } from '../../domain/observation.ts';
import type { Receivers } from '../../domain/room.ts';
import { areLockedOut, isRaisedFrom, judgeLockout, raisedLimit, triedAt } from '../../domain/room.ts';

const receiver = (state: ThreadState, code: number | null, source = 'db1') => ({
  ...{ source, receiver: state },
  receiverError: code === null ? null : { code, message: 'so it says' },
});
const REFUSED = receiver('connecting', 1040);
const ackers = (db2: unknown, db3: unknown): Receivers => new Map(Object.entries({ db2, db3 })) as Receivers;

describe('ackers', () => {
  it.each([
    ['both are refused for want of a connection', REFUSED, REFUSED, true],
    ['one is refused and the other is away', REFUSED, null, true],
    ['one is refused and the other stands still', REFUSED, receiver('stopped', null), true],
    ['one of them receives', REFUSED, receiver('running', null), false],
    ['none says anything', null, null, false],
    ['they are refused for another reason', receiver('connecting', 1045), receiver('connecting', 2003), false],
    ['they stand still with the error of before', receiver('stopped', 1040), receiver('stopped', 1040), false],
    ['they are refused by another server', receiver('connecting', 1040, 'db9'), null, false],
  ])('when %s', (_when, db2, db3, expected) => {
    expect(areLockedOut('db1', ackers(db2, db3))).toBe(expected);
  });

  it('are not locked out while one of them receives, whatever keeps the others away', () => {
    expect(areLockedOut('db1', ackers(receiver('running', null), REFUSED))).toBe(false);
  });

  it('are not locked out when nobody is on record', () => {
    expect(areLockedOut('db1', new Map())).toBe(false);
  });
});

describe('room', () => {
  const NEVER = { lockedOutSinceMs: null, madeRoomAtMs: null };
  const OUT = { areLockedOut: true, isRoomLeft: false };
  const LEFT = { areLockedOut: false, isRoomLeft: true };

  it('is made when the ackers have been locked out for three seconds without a break', () => {
    const first = judgeLockout(OUT, { memory: NEVER, nowMs: 10_000 });
    expect(first).toEqual({ lockedOutSinceMs: 10_000, isLasting: false, isDue: false });
    const memory = { ...NEVER, ...first };
    expect(judgeLockout(OUT, { memory, nowMs: 12_999 }).isDue).toBe(false);
    expect(judgeLockout(OUT, { memory, nowMs: 13_000 })).toMatchObject({ isLasting: true, isDue: true });
    const broken = judgeLockout({ ...OUT, areLockedOut: false }, { memory, nowMs: 12_000 });
    expect(broken).toEqual({ lockedOutSinceMs: null, isLasting: false, isDue: false });
  });

  it('is made once a minute at most, and sooner when no run was started', () => {
    const since = { lockedOutSinceMs: 0 };
    const ended = { ...since, madeRoomAtMs: triedAt(100_000, true) };
    expect(judgeLockout(OUT, { memory: ended, nowMs: 159_999 })).toMatchObject({ isLasting: true, isDue: false });
    expect(judgeLockout(OUT, { memory: ended, nowMs: 160_000 }).isDue).toBe(true);
    const busy = { ...since, madeRoomAtMs: triedAt(100_000, false) };
    expect(judgeLockout(OUT, { memory: busy, nowMs: 100_999 }).isDue).toBe(false);
    expect(judgeLockout(OUT, { memory: busy, nowMs: 101_000 }).isDue).toBe(true);
  });

  it('that is left is put back later, in a while after each try', () => {
    expect(judgeLockout(LEFT, { memory: NEVER, nowMs: 0 }).isDue).toBe(true);
    const tried = { ...NEVER, madeRoomAtMs: 0 };
    expect(judgeLockout(LEFT, { memory: tried, nowMs: 599_999 }).isDue).toBe(false);
    expect(judgeLockout(LEFT, { memory: tried, nowMs: 600_000 }).isDue).toBe(true);
  });

  it('is one connection for each member first, then more, and never more than the limit was and the members', () => {
    expect([151, 154, 163, 200].map((present) => raisedLimit(151, 3, present))).toEqual([154, 163, 199, 305]);
    expect([12, 15, 24, 27].map((present) => raisedLimit(12, 3, present))).toEqual([15, 24, 27, 27]);
  });

  it('is told from what somebody else has set', () => {
    expect([154, 163, 199, 305].every((present) => isRaisedFrom(151, 3, present))).toBe(true);
    expect([151, 150, 300, 500].some((present) => isRaisedFrom(151, 3, present))).toBe(false);
  });
});
