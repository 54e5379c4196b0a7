import { describe, expect, it } from 'vitest';
import type { WatchPolicy } from '../../domain/cluster.ts';
import type { Consequence, Diagnosis } from '../../domain/diagnosis.ts';
import type { Reaction, WatchMemory } from '../../domain/watch.ts';
import { forAnother, FRESH, react, restarted } from '../../domain/watch.ts';

const AUTOMATIC: WatchPolicy = {
  everyMs: 100,
  silenceMs: 500,
  heartbeatMs: 1_000,
  rehearsalMs: 0,
  observers: [],
  automatic: true,
  graceMs: 0,
  cooldownMs: 600_000,
};

const diagnosis = (consequence: Consequence, code: string = consequence): Diagnosis => ({
  code,
  explains: 'so it is',
  consequence,
});

interface Case {
  readonly memory?: Partial<WatchMemory>;
  readonly policy?: Partial<WatchPolicy>;
  readonly nowMs?: number;
}

const after = (found: Diagnosis, { memory, policy, nowMs = 10_000 }: Case = {}) =>
  react(found, { memory: { ...FRESH, ...memory }, policy: { ...AUTOMATIC, ...policy }, nowMs });
const reactionTo = (consequence: Consequence, given: Case = {}): Reaction['kind'] =>
  after(diagnosis(consequence), given).reaction.kind;

describe('a dead primary', () => {
  it('is failed over at once without a grace', () => {
    expect(reactionTo('failOver')).toBe('failOver');
  });

  it('is left to a person when the policy is not automatic', () => {
    expect(after(diagnosis('failOver'), { policy: { automatic: false } }).reaction).toMatchObject({
      kind: 'tell',
      why: expect.stringContaining('policy.failover.automatic') as string,
    });
  });

  it('is given the grace, counted from when it was found dead', () => {
    const policy = { graceMs: 3_000 };
    const { memory, reaction } = after(diagnosis('failOver'), { policy });
    expect(reaction.kind).toBe('watch');
    expect(reactionTo('failOver', { memory, policy, nowMs: 12_999 })).toBe('watch');
    expect(reactionTo('failOver', { memory, policy, nowMs: 13_000 })).toBe('failOver');
  });

  it.each(['leave', 'reopen', 'refuse'] as const)('is given the whole grace again after a diagnosis "%s"', (other) => {
    const policy = { graceMs: 3_000 };
    const dead = after(diagnosis('failOver'), { policy }).memory;
    const { memory } = after(diagnosis(other), { memory: dead, policy, nowMs: 11_000 });
    expect(memory.deadSinceMs).toBeNull();
    expect(reactionTo('failOver', { memory, policy, nowMs: 13_500 })).toBe('watch');
  });

  it('is left to a person until the cooldown is over', () => {
    const memory = { failedOverAtMs: 1_000 };
    const policy = { cooldownMs: 9_001 };
    expect(reactionTo('failOver', { memory, policy })).toBe('tell');
    expect(reactionTo('failOver', { memory, policy, nowMs: 10_001 })).toBe('failOver');
    // It may be changed meanwhile.
    expect(reactionTo('failOver', { memory, policy: { cooldownMs: 9_000 } })).toBe('failOver');
  });

  it('is not tried again before the rest after a refusal is over', () => {
    for (const memory of [{ restUntilMs: 10_001 }, { refusedUntilMs: 10_001 }]) {
      expect(reactionTo('failOver', { memory })).toBe('watch');
      expect(reactionTo('failOver', { memory, nowMs: 10_001 })).toBe('failOver');
    }
  });

  it('is failed over at once when it was seen to serve since a failover was refused', () => {
    const serving = { code: 'PrimaryServes', explains: '', consequence: 'leave' } as const;
    const refused = { ...FRESH, refusedUntilMs: 30_000 };
    const { memory } = react(serving, { memory: refused, policy: AUTOMATIC, nowMs: 10_000 });
    expect(reactionTo('failOver', { memory, nowMs: 10_500 })).toBe('failOver');
  });
});

describe('a primary over a network that loses packets', () => {
  const silent = diagnosis('refuse', 'PrimaryHeardByReplicas');
  const dead = diagnosis('failOver', 'PrimaryHostDead');
  /** What follows one after the other, by the instants of the watcher's clock. */
  const through = (...seen: readonly (readonly [number, Diagnosis])[]) => {
    let memory = FRESH;
    return seen.map(([nowMs, found]) => {
      const reacted = after(found, { memory, nowMs });
      memory = reacted.memory;
      return reacted.reaction.kind;
    });
  };

  it('is failed over at once when all lose it within one silence: that is a death', () => {
    expect(through([10_000, silent], [10_500, dead])).toEqual(['tell', 'failOver']);
  });

  it('is given seven silences when this watcher had lost it before, while others heard it', () => {
    const seen = through([10_000, silent], [10_501, dead], [14_000, dead], [14_001, dead]);
    expect(seen).toEqual(['tell', 'watch', 'watch', 'failOver']);
  });

  it('is given them anew whenever somebody hears it in between', () => {
    const seen = through([10_000, dead], [10_600, silent], [10_700, dead], [14_100, silent], [14_200, dead]);
    expect(seen).toEqual(['failOver', 'tell', 'watch', 'tell', 'watch']);
  });

  it('is given them for ten seconds after it answered again', () => {
    const serves = diagnosis('leave', 'PrimaryServes');
    expect(through([10_000, silent], [10_100, serves], [20_099, dead])).toEqual(['tell', 'watch', 'watch']);
    expect(through([10_000, silent], [10_100, serves], [20_100, dead])).toEqual(['tell', 'watch', 'failOver']);
  });

  it('is failed over at once when its host says that no server runs', () => {
    const stopped = diagnosis('failOver', 'PrimaryProcessDead');
    expect(through([10_000, silent], [15_000, stopped])).toEqual(['tell', 'failOver']);
  });
});

describe('a closed primary', () => {
  it('is opened again when it restarted, also without automatic failover and within the cooldown', () => {
    expect(reactionTo('reopen', { policy: { automatic: false }, memory: { failedOverAtMs: 9_999 } })).toBe('reopen');
  });

  it('stays closed when it was seen open since it started: somebody closed it', () => {
    const { memory } = after(diagnosis('leave', 'PrimaryServes'));
    expect(reactionTo('reopen', { memory })).toBe('tell');
  });

  it('is opened while a failover rests, unless that is what it takes to open it', () => {
    const memory = { refusedUntilMs: 10_001 };
    expect(reactionTo('reopen', { memory })).toBe('reopen');
    expect(reactionTo('reopen', { memory: { ...memory, reopenFailed: true } })).toBe('watch');
    expect(reactionTo('reopen', { memory: { restUntilMs: 10_001 } })).toBe('watch');
  });

  it('was not seen open when it only said "too many connections"', () => {
    const { memory } = after(diagnosis('leave', 'PrimaryFull'));
    expect(reactionTo('reopen', { memory })).toBe('reopen');
  });

  it('is failed over, to go on with what was ended half-way, when it cannot be opened and the policy allows it', () => {
    const memory = { reopenFailed: true };
    expect(reactionTo('reopen', { memory })).toBe('failOver');
    expect(reactionTo('reopen', { memory, policy: { automatic: false } })).toBe('reopen');
    expect(after(diagnosis('leave', 'PrimaryServes'), { memory }).memory.reopenFailed).toBe(false);
  });

  it('is another server when it started later, by more than its uptime is coarse', () => {
    const open = restarted({ ...FRESH, startedAtMs: 5_000, sawOpen: true }, 6_500);
    expect(open.sawOpen).toBe(true);
    expect(restarted(open, 6_501)).toMatchObject({ sawOpen: false, startedAtMs: 6_501 });
  });
});

it('remembers of one primary nothing but the cooldown for another', () => {
  const memory = {
    ...{ deadSinceMs: 1, silentSinceMs: 1, unsteadyUntilMs: 5, restUntilMs: 2, refusedUntilMs: 6, failedOverAtMs: 3 },
    ...{ sawOpen: true, startedAtMs: 4, reopenFailed: true, isFailingOver: false },
    ...{ lockedOutSinceMs: 8, madeRoomAtMs: 9 },
  };
  expect(forAnother(memory, 7)).toEqual({ ...FRESH, failedOverAtMs: 3 });
});

it('takes another primary for the work of a failover that it has not seen to end: the cooldown counts from now', () => {
  expect(forAnother({ ...FRESH, isFailingOver: true }, 7)).toEqual({ ...FRESH, failedOverAtMs: 7 });
});

it('only tells of a primary about which nothing can be done', () => {
  expect(reactionTo('refuse')).toBe('tell');
});
