import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { InventorySource } from '../../worker/inventory-source.ts';
import { WatchedShards } from '../../worker/shards.ts';

let started: string[];
let described: number;
/** By the ID of a run; none: Temporal has no such run. */
let statuses: Map<string, string>;
let fault: string;
let warned: string[];
let shards: WatchedShards;

beforeEach(async () => {
  vi.useFakeTimers();
  [started, described, statuses, warned, fault] = [[], 0, new Map(), [], ''];
  const workflow = {
    start: (_: string, { workflowId }: { workflowId: string }) => {
      started.push(workflowId);
      statuses.set(workflowId, 'RUNNING');
      return Promise.resolve();
    },
    getHandle: (workflowId: string) => ({
      describe: () => {
        described += 1;
        const name = statuses.get(workflowId);
        if (name !== undefined) return Promise.resolve({ status: { name } });
        return Promise.reject(new WorkflowNotFoundError('there is none', workflowId, undefined));
      },
    }),
  };
  const inventory = {
    current: () =>
      fault === ''
        ? Promise.resolve({ clusters: ['main', 'other'].map((shard) => ({ policy: { watch: { shard } } })) })
        : Promise.reject(new Error(fault)),
  };
  const logger = { warn: (message: string, facts: unknown) => void warned.push(`${message} ${JSON.stringify(facts)}`) };
  shards = new WatchedShards(
    { workflow } as unknown as Client,
    { taskQueue: 'standfast-watch', logger },
    inventory as unknown as InventorySource,
  );
  await shards.follow();
  expect(started).toEqual(['watch/main', 'watch/other']);
  started = [];
});
afterEach(() => {
  shards.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the run that watches a shard', () => {
  it('is looked at once a minute, and left alone while it runs', async () => {
    await pass(305_000);
    expect(started).toEqual([]);
    expect(described).toBeGreaterThanOrEqual(8);
    expect(described).toBeLessThanOrEqual(10);
    expect(warned).toEqual([]);
  });

  it.each([['FAILED'], ['TIMED_OUT'], ['NOT_FOUND']])(
    'is started again when it is %s, with a warning',
    async (status) => {
      if (status === 'NOT_FOUND') statuses.delete('watch/main');
      else statuses.set('watch/main', status);
      await pass(75_000);
      expect(started).toEqual(['watch/main']);
      expect(warned).toEqual([expect.stringContaining(`{"shard":"main","status":"${status}"}`)]);
      await pass(300_000);
      expect(started).toHaveLength(1);
    },
  );

  it.each([['CANCELLED'], ['TERMINATED']])(
    'stays ended when a person ended it (%s), which is said once',
    async (status) => {
      statuses.set('watch/main', status);
      await pass(300_000);
      expect(started).toEqual([]);
      expect(warned).toEqual([expect.stringContaining(`{"shard":"main","status":"${status}"}`)]);
      // A person started it again, and ends it again.
      statuses.set('watch/main', 'RUNNING');
      await pass(75_000);
      statuses.set('watch/main', status);
      await pass(300_000);
      expect(warned).toHaveLength(2);
    },
  );
});

test('an inventory that cannot be read is logged once for each fault, and starts nothing', async () => {
  fault = 'line 3';
  await pass(60_000);
  fault = 'line 4';
  await pass(60_000);
  expect(warned.map((one) => /line \d/.exec(one)?.[0])).toEqual(['line 3', 'line 4']);
});
