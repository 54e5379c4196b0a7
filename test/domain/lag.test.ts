import { describe, expect, it } from 'vitest';
import type { BeatSight, ListedDelay } from '../../domain/lag.ts';
import { BeatLog, furthestBehind, ReplicaLag } from '../../domain/lag.ts';

/** Beats "1", "2", … that were committed within 2 ms, one every `everyMs` from 0 on. */
function beatsEvery(everyMs: number, count: number): BeatLog {
  const log = new BeatLog();
  for (let number = 0; number < count; number += 1) {
    const sentAtMs = number * everyMs;
    log.begin(String(number + 1), sentAtMs).committedAtMs = sentAtMs + 2;
  }
  return log;
}

const sight = (startedAtMs: number, token: string, change: Partial<BeatSight> = {}): BeatSight => ({
  ...{ startedAtMs, endedAtMs: startedAtMs + 2, token, ageMs: null, completeSinceMs: null },
  ...change,
});

describe('the lag of a replica', () => {
  it('is nothing while it shows the newest row, and the error is the age of that row', () => {
    const replica = new ReplicaLag(beatsEvery(1_000, 3));
    expect(replica.see(sight(2_500, '3'))).toEqual({ lagMs: 0, errorMs: 502 });
  });

  it('has a small error when the replica has everything by GTID, however old the row is', () => {
    const replica = new ReplicaLag(beatsEvery(1_000, 3));
    expect(replica.see(sight(2_500, '3', { completeSinceMs: 2_490 }))).toEqual({ lagMs: 0, errorMs: 12 });
  });

  it('grows by the oldest row that is missing', () => {
    const replica = new ReplicaLag(beatsEvery(1_000, 10));
    const at = (ms: number) => replica.see(sight(ms, '2'));
    expect([at(2_500)?.lagMs, at(5_000)?.lagMs, at(9_500)?.lagMs]).toEqual([498, 2_998, 7_498]);
    expect(at(9_500)?.errorMs).toBe(1_004);
  });

  it('is what the last row needed to arrive, between the bounds', () => {
    const replica = new ReplicaLag(beatsEvery(1_000, 10));
    replica.see(sight(2_290, '2'));
    // Row 3, committed at 2000 to 2002, arrives between 2290 and 2302.
    expect(replica.see(sight(2_300, '3'))?.lagMs).toBeCloseTo(295, 0);
    expect(replica.see(sight(2_900, '3'))?.lagMs).toBeCloseTo(295, 0);
    expect(replica.see(sight(3_900, '3'))?.lagMs).toBe(898);
  });

  it('holds the true lag within its error, whatever the delay and the moment of the look', () => {
    for (const delayMs of [0, 7, 50, 250, 999, 1_001, 5_300, 30_000]) {
      const replica = new ReplicaLag(beatsEvery(1_000, 100));
      for (let nowMs = delayMs + 10; nowMs < 60_000; nowMs += 137) {
        // What was committed at 2 ms after its sending is shown `delayMs` later.
        const shown = Math.floor((nowMs - delayMs - 2) / 1_000) + 1;
        if (shown < 1) continue;
        const lag = replica.see({ ...sight(nowMs, String(shown)), endedAtMs: nowMs });
        const newestCommitted = Math.floor((nowMs - 2) / 1_000) + 1;
        // Rows alone: a replica that lacks none of them is on time.
        const trueMs = newestCommitted === shown ? 0 : delayMs;
        expect(Math.abs((lag?.lagMs ?? NaN) - trueMs)).toBeLessThanOrEqual((lag?.errorMs ?? 0) + 0.001);
        expect(lag?.errorMs).toBeLessThanOrEqual(1_004);
      }
    }
  });

  it('is nothing when it shows a row of which the answer of the primary has not come yet, as it does with semi-sync', () => {
    const beats = beatsEvery(1_000, 3);
    const replica = new ReplicaLag(beats);
    replica.see(sight(2_500, '3'));
    beats.begin('4', 3_000);
    expect(replica.see(sight(3_005, '4'))).toEqual({ lagMs: 3.5, errorMs: 3.5 });
    // One that is not known to be committed is nothing that another replica lacks.
    expect(new ReplicaLag(beats).see(sight(3_500, '3'))?.lagMs).toBe(0);
  });

  it("is bounded by the servers' clocks when the row is of somebody else, and not known without them", () => {
    const replica = new ReplicaLag(beatsEvery(1_000, 3));
    expect(replica.see(sight(2_500, 'other/9', { ageMs: 30_000 }))).toMatchObject({ lagMs: 2_498, errorMs: 27_502 });
    expect(replica.see(sight(2_500, 'other/9'))).toBeNull();
  });
});

describe('the rows that are kept', () => {
  it('are the ones that some replica has not shown yet', () => {
    const log = beatsEvery(1_000, 10);
    log.forgetBefore(4_000);
    expect(log.committedAfter(null)?.token).toBe('5');
    expect(log.find('4')).toBeNull();
    expect(log.find('5')).toMatchObject({ token: '5' });
  });

  it('stay few while a replica is away, and still reach back to what it lacks', () => {
    const log = beatsEvery(10, 50_000);
    expect(log.committedAfter(null)?.token).toBe('1');
    const replica = new ReplicaLag(log);
    const lag = replica.see(sight(499_990, '1'));
    expect(499_990 - (lag?.lagMs ?? 0)).toBeLessThan((lag?.errorMs ?? 0) + 3);
  });
});

it('lists the replicas of which nothing is known before the ones that are far behind', () => {
  const delay = (host: string, lagMs: number | null): ListedDelay => ({
    ...{ cluster: 'shop', host, at: '2026-11-27T03:00:00.000Z', gtidGap: null, clock: null },
    lag: lagMs === null ? null : { lagMs, errorMs: 1 },
    why: lagMs === null ? 'it does not answer' : null,
  });
  const listed = furthestBehind([delay('db2', 5), delay('db3', null), delay('db4', 900)], 2);
  expect(listed.map((one) => one.host)).toEqual(['db3', 'db4']);
});
