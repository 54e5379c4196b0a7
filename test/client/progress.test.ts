import { expect, test } from 'vitest';
import type { RunGlimpse } from '../../client/progress.ts';
import { progressBetween } from '../../client/progress.ts';
import { renderProgress } from '../../client/render-progress.ts';

const glimpse = (phase: string | null, ...steps: RunGlimpse['steps']): RunGlimpse => ({ running: true, phase, steps });
const step = (name: string, attempt = 1, lastFailure = '') => ({ step: name, attempt, lastFailure });
const told = (before: RunGlimpse | null, now: RunGlimpse): readonly string[] =>
  progressBetween(before, now).map(renderProgress);

test('tells a phase once', () => {
  expect(told(null, glimpse('fence'))).toEqual(['fence']);
  expect(told(glimpse('fence'), glimpse('fence'))).toEqual([]);
  expect(told(glimpse('fence'), glimpse('promote'))).toEqual(['promote']);
});

test('a run without phases is told by its steps', () => {
  expect(told(null, glimpse(null))).toEqual([]);
  expect(told(glimpse(null), glimpse(null, step('observeCluster')))).toEqual(['observeCluster']);
  expect(told(glimpse(null, step('observeCluster')), glimpse(null))).toEqual([]);
});

test('a step that is tried again is told with the reason', () => {
  const first = glimpse('fence', step('fenceAndDrain'));
  const second = glimpse('fence', step('fenceAndDrain', 2, 'activity Heartbeat timeout'));
  expect(told(first, second)).toEqual(['fenceAndDrain: attempt 2 (before: activity Heartbeat timeout)']);
  expect(told(second, second)).toEqual([]);
  expect(told(null, second)).toEqual(['fence', 'fenceAndDrain: attempt 2 (before: activity Heartbeat timeout)']);
});
