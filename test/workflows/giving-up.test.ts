import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { sentenceOf } from '../../workflows/undo.ts';
import { seen, SHOP } from '../domain/shop.ts';
import { TASK_QUEUE, useRig } from './rig.ts';

const rig = useRig();

const inTheWay = (): never => {
  throw ApplicationFailure.nonRetryable('db3 is in the way', 'Unsafe');
};
const undone = () => ({ undone: ['all of it'], notUndone: [] });
const ACTIVITIES = {
  describeCluster: () => SHOP,
  observeCluster: () => seen(),
  planRejoin: () => ({ follows: false }),
  ...{ admitReplica: inTheWay, rejoinHost: inTheWay, removeAcker: inTheWay, goAsync: inTheWay, makeRoom: inTheWay },
  ...{ undoAdmission: undone, undoRejoin: undone, undoRemoval: undone },
};

/** How long each step of the runbook may take in all, in minutes, and how often it is tried. */
async function boundsOf(runbook: string) {
  const [workflows, activities] = [await rig().runWorkflows(), await rig().runActivities(ACTIVITIES)];
  const run = await rig().client.workflow.start(runbook, {
    taskQueue: TASK_QUEUE,
    workflowId: 'operation/shop',
    args: [{ cluster: 'shop', ...(['goAsync', 'makeRoom'].includes(runbook) ? {} : { host: 'db3' }) }],
  });
  await expect(run.result()).rejects.toThrow();
  const { events } = await run.fetchHistory();
  await activities.end();
  await workflows.end();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: step }) =>
    step
      ? [
          {
            minutes: Number(step.scheduleToCloseTimeout?.seconds ?? Infinity) / 60,
            attempts: step.retryPolicy?.maximumAttempts ?? Infinity,
          },
        ]
      : [],
  );
}

describe('an operation that a person can simply ask for again', () => {
  it.each([
    ['admitReplica', 5],
    ['removeAcker', 5],
    ['goAsync', 5],
    ['makeRoom', 5],
    // It reads all of the logs of the host.
    ['repointReplica', 15],
  ])('gives up within minutes, and frees the lock for a failover: %s', { timeout: 30_000 }, async (runbook, most) => {
    const bounds = await boundsOf(runbook);
    expect(bounds.length).toBeGreaterThan(0);
    for (const { minutes, attempts } of bounds) {
      expect(minutes).toBeLessThanOrEqual(most);
      expect(attempts).toBeLessThanOrEqual(20);
    }
  });

  it('says what was in the way when the time is up', () => {
    const timeout = Object.assign(new TimeoutFailure('time is up', null, TimeoutType.SCHEDULE_TO_CLOSE), {
      cause: ApplicationFailure.retryable('db3 has not applied 0-1-9 yet', 'NotYet'),
    });
    const failure = new ActivityFailure(
      'Activity task timed out',
      'admitReplica',
      '1',
      RetryState.TIMEOUT,
      'w',
      timeout,
    );
    expect(sentenceOf(failure)).toBe('db3 has not applied 0-1-9 yet');
  });
});
