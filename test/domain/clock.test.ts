import { expect, it } from 'vitest';
import { offsetBetween, ServerClock } from '../../domain/clock.ts';

const reading = (startedAtMs: number, tripMs: number, serverMs: number) => ({
  ...{ startedAtMs, endedAtMs: startedAtMs + tripMs, serverMs },
});

it('knows nothing of a clock that was not read', () => {
  expect(new ServerClock().at(1_000)).toBeNull();
});

it('trusts the reading that came the quickest, less and less', () => {
  const clock = new ServerClock();
  clock.note(reading(1_000, 2, 6_001));
  clock.note(reading(2_000, 40, 7_035));
  expect(clock.at(2_040)?.offsetMs).toBe(5_000);
  expect(clock.at(2_040)?.errorMs).toBeCloseTo(1.5, 1);
  expect(clock.at(102_040)?.errorMs).toBeGreaterThan(50);
  clock.note(reading(100_000, 40, 105_020));
  expect(clock.at(100_040)).toEqual({ offsetMs: 5_000, errorMs: 20 });
});

it('follows a clock that was set', () => {
  const clock = new ServerClock();
  clock.note(reading(1_000, 2, 6_001));
  clock.note(reading(2_000, 40, 3_607_020));
  expect(clock.at(2_040)).toEqual({ offsetMs: 3_605_000, errorMs: 20 });
});

it('compares two clocks, with both errors', () => {
  expect(offsetBetween({ offsetMs: 5_000, errorMs: 2 }, { offsetMs: 4_990, errorMs: 3 })).toEqual({
    offsetMs: 10,
    errorMs: 5,
  });
  expect(offsetBetween(null, { offsetMs: 1, errorMs: 1 })).toBeNull();
});
