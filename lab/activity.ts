import type { Connection } from '@temporalio/client';

export interface RunningActivity {
  /** Type of the workflow that waits for it. */
  readonly workflow: string;
  readonly activity: string;
  readonly attempt: number;
  /** Of the worker, as Temporal knows it. */
  readonly identity: string;
}

const STARTED = 2; // temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED

/** The activity that a worker runs now for the newest run at `workflowId`; null when there is none. */
export async function runningActivity(connection: Connection, workflowId: string): Promise<RunningActivity | null> {
  const described = await connection.workflowService
    .describeWorkflowExecution({ namespace: 'default', execution: { workflowId } })
    .catch(() => null); // not started yet, or Temporal is down
  const pending = described?.pendingActivities.find(
    (one) => (one.lastWorkerIdentity ?? '') !== '' && Number(one.state) === STARTED,
  );
  if (pending === undefined) return null;
  return {
    workflow: described?.workflowExecutionInfo?.type?.name ?? '',
    activity: pending.activityType?.name ?? '',
    attempt: pending.attempt ?? 0,
    identity: pending.lastWorkerIdentity ?? '',
  };
}
