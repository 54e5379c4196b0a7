import { ActivityExecutionFailedError, ServiceError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { ActivityClient, ActivityOptions } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { taskQueues } from '../../domain/addresses.ts';
import { changed, EXAMPLE } from '../inventory/example.ts';
import { parseInventory } from '../../inventory/load.ts';
import { requireObserver } from '../../worker/observer.ts';
import { createObservers } from '../../worker/observers.ts';

const SPOT = { cluster: 'shop', host: 'db1' };

/** The port over a Temporal that answers so, one answer after the other. */
function asking(...answers: readonly (() => Promise<unknown>)[]) {
  const asked: { readonly activity: string; readonly options: ActivityOptions }[] = [];
  const warned: unknown[] = [];
  const execute = (activity: string, options: ActivityOptions): Promise<unknown> => {
    const answer = answers[asked.length] ?? (() => new Promise(() => undefined));
    asked.push({ activity, options });
    return answer();
  };
  const port = createObservers({ execute: execute as ActivityClient['execute'] }, taskQueues('ours'), {
    warn: (message, meta) => warned.push([message, meta]),
  });
  return { asked, warned, look: (withinMs = 1_000) => port.look('bergen', SPOT, withinMs) };
}

const said = (reach: string) => () => Promise.resolve({ reach });
const noWorker = () => {
  const cause = new TimeoutFailure('activity ScheduleToStart timeout', undefined, 'SCHEDULE_TO_START');
  return Promise.reject(new ActivityExecutionFailedError('Activity execution failed', cause, 'observe/1', undefined));
};
const noTemporal = () => Promise.reject(new ServiceError('14 UNAVAILABLE: connection refused'));

describe('a site', () => {
  test('is asked by an activity of its own, on its own queue, once and in time', async () => {
    const { asked, look } = asking(said('answers'), said('silent'));
    expect(await look(1_200)).toBe('answers');
    expect(await look()).toBe('silent');
    expect(asked[0]).toMatchObject({
      activity: 'observePrimary',
      options: {
        taskQueue: 'ours-observe-bergen',
        args: [SPOT],
        scheduleToCloseTimeout: 1_200,
        retry: { maximumAttempts: 1 },
      },
    });
    expect(new Set(asked.map(({ options }) => options.id)).size).toBe(2);
  });

  test('without a worker cannot say, nor can one that Temporal does not lead to, and it is logged once', async () => {
    const { warned, look } = asking(noWorker, noTemporal, noWorker, said('answers'), noWorker);
    expect([await look(), await look(), await look()]).toEqual([null, null, null]);
    expect(warned).toEqual([
      [
        'the worker of another site cannot say',
        { site: 'bergen', cluster: 'shop', host: 'db1', why: 'activity ScheduleToStart timeout' },
      ],
    ]);
    expect([await look(), await look()]).toEqual(['answers', null]);
    expect(warned).toHaveLength(2);
  });

  test('that is late cannot say, though Temporal says nothing at all', async () => {
    const startedMs = performance.now();
    const { warned, look } = asking();
    expect(await look(50)).toBeNull();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(warned).toHaveLength(1);
  });

  test('does not hide a fault of ours', async () => {
    const { look } = asking(() => Promise.reject(new TypeError('of ours')));
    await expect(look()).rejects.toThrow('of ours');
  });
});

describe('the worker of a site that nobody would ask', () => {
  test('is not started, and says what is to be added', () => {
    const inventory = parseInventory(
      'standfast.yaml',
      changed('policy:', 'policy:\n      watch: { observers: [oslo-b] }'),
    );
    expect(() => {
      requireObserver(inventory, 'oslo-b');
    }).not.toThrow();
    expect(() => {
      requireObserver(inventory, 'olso-b');
    }).toThrow(
      'no cluster of the inventory has "olso-b" in policy.watch.observers (there: oslo-b); did you mean "oslo-b"? Add it there, here and for the worker that watches, then start again',
    );
    expect(() => {
      requireObserver(parseInventory('standfast.yaml', EXAMPLE), 'oslo-b');
    }).toThrow('(there: none). Add it there');
  });
});
