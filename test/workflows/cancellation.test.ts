import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect, test, vi } from 'vitest';
import { failover } from '../../workflows/failover.ts';
import { TASK_QUEUE, useRig } from './rig.ts';

const rig = useRig();

const eventsOf = async (handle: WorkflowHandle) => (await handle.fetchHistory()).events ?? [];

const scheduledIn = (events: Awaited<ReturnType<typeof eventsOf>>): readonly (string | null | undefined)[] =>
  events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);

/** The fence of a failover as a step that the test lets end when it wants to, and everything that was begun, in its order. */
function fakeSteps({ undone = ['the fence'], notUndone = [] as readonly string[] } = {}) {
  const begun: string[] = [];
  let letFenceEnd: (result: unknown) => void = () => undefined;
  let silenced = false;
  const fenced = new Promise((resolve) => {
    letFenceEnd = resolve;
  });
  const activities = {
    fenceAndDrain: async () => {
      begun.push('fence');
      const context = Context.current();
      const beating = setInterval(() => {
        if (!silenced) context.heartbeat();
      }, 20);
      return fenced.finally(() => {
        clearInterval(beating);
      });
    },
    undoFence: () => {
      begun.push('undo');
      return Promise.resolve({ undone, notUndone });
    },
    promoteAndRoute: () => {
      begun.push('promotion');
      throw ApplicationFailure.nonRetryable('nobody may be promoted here');
    },
  };
  /** As when the worker dies: Temporal hears of the step no more. */
  const silence = () => {
    silenced = true;
  };
  return { begun, letFenceEnd, silence, activities };
}

const READY = {
  kind: 'ready',
  winner: 'db2',
  epoch: { number: 1, run: 'r' },
  timeline: [],
  decision: {
    votes: [],
    fence: { rung: 'ssh', host: 'db1', proof: 'process=gone' },
    coverage: { kind: 'lossless', by: 'ackers', why: 'all contribute' },
  },
};

const startFailover = () =>
  rig().client.workflow.start(failover, {
    taskQueue: TASK_QUEUE,
    workflowId: 'operation/shop',
    args: [{ cluster: 'shop' }],
  });

const endOf = (handle: WorkflowHandle): Promise<unknown> =>
  handle.result().catch((error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error));

/** A failover that is cancelled while its fence is under way, from when the step has been asked to end. */
async function cancelDuringFence(begun: readonly string[]) {
  const handle = await startFailover();
  await vi.waitUntil(() => begun.length > 0, { timeout: 20_000 });
  await handle.cancel();
  const cancelled = await vi.waitUntil(
    async () => {
      const events = await eventsOf(handle);
      return events.some((event) => event.activityTaskCancelRequestedEventAttributes) ? events : null;
    },
    { timeout: 20_000 },
  );
  return { handle, cancelled };
}

test('a cancelled failover undoes only after the step under way has stopped', async () => {
  const { begun, letFenceEnd, activities } = fakeSteps();
  const workers = [await rig().runActivities(activities), await rig().runWorkflows()];
  const { handle, cancelled } = await cancelDuringFence(begun);
  expect(scheduledIn(cancelled)).toEqual(['fenceAndDrain']);
  letFenceEnd(READY);
  expect(await endOf(handle)).toBeInstanceOf(CancelledFailure);
  expect(begun.at(-1)).toBe('undo');
  await Promise.all(workers.map((worker) => worker.end()));
}, 60_000);

test('a failover whose worker died after it was cancelled is undone, and ends as cancelled', async () => {
  const { begun, letFenceEnd, silence, activities } = fakeSteps();
  const workers = [await rig().runActivities(activities), await rig().runWorkflows()];
  const { handle } = await cancelDuringFence(begun);
  silence();
  expect(await endOf(handle)).toBeInstanceOf(CancelledFailure);
  expect(begun).toEqual(['fence', 'undo']);
  letFenceEnd(READY);
  await Promise.all(workers.map((worker) => worker.end()));
}, 60_000);

test('a cancelled failover says what could not be undone', async () => {
  const { begun, letFenceEnd, activities } = fakeSteps({ undone: ['the claim'], notUndone: ['db1 is fenced'] });
  const workers = [await rig().runActivities(activities), await rig().runWorkflows()];
  const { handle } = await cancelDuringFence(begun);
  letFenceEnd(READY);
  const end = await endOf(handle);
  expect(end).toBeInstanceOf(ApplicationFailure);
  expect((end as ApplicationFailure).message).toBe(
    'failover of shop stopped: it was cancelled. Undone: the claim. NOT undone: db1 is fenced.',
  );
  expect((end as ApplicationFailure).details?.[0]).toMatchObject({ changed: true, notUndone: ['db1 is fenced'] });
  await Promise.all(workers.map((worker) => worker.end()));
}, 60_000);

test('a cancellation that arrives together with the end of the last step that can be undone still counts', async () => {
  const { begun, letFenceEnd, activities } = fakeSteps();
  const steps = await rig().runActivities(activities);
  const first = await rig().runWorkflows();
  const handle = await startFailover();
  await vi.waitUntil(() => begun.length > 0, { timeout: 20_000 });
  // Nobody runs workflows now: the next task holds both, the cancellation and the result.
  await first.end();
  await handle.cancel();
  letFenceEnd(READY);
  await vi.waitUntil(async () => (await eventsOf(handle)).some((event) => event.activityTaskCompletedEventAttributes), {
    timeout: 20_000,
  });
  const second = await rig().runWorkflows();
  expect(await endOf(handle)).toBeInstanceOf(CancelledFailure);
  expect(begun).not.toContain('promotion');
  expect(begun).toContain('undo');
  await Promise.all([steps, second].map((worker) => worker.end()));
}, 60_000);
