import { activityInfo, getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';

const ASK_MS = 1_000;

/**
 * Whether Temporal still counts on the running attempt. A worker that was frozen, or cut off, wakes up in attempts that were given to another one long
 * ago. Temporal's silence is no answer: a failover goes on without it, as far as it gets.
 */
export async function attemptIsOurs(): Promise<boolean> {
  const { workflowExecution, activityId, attempt } = activityInfo();
  const client = getClient();
  if (workflowExecution === undefined) return true; // started by itself, not by a run
  try {
    const { raw } = await client.withDeadline(Date.now() + ASK_MS, () =>
      client.workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId).describe(),
    );
    const pending = raw.pendingActivities?.find((one) => one.activityId === activityId);
    return pending?.attempt === attempt;
  } catch (error) {
    return !(error instanceof WorkflowNotFoundError);
  }
}
