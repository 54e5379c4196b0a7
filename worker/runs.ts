import { activityInfo, getClient } from '@temporalio/activity';
import type { WorkflowHandle, WorkflowStartOptions } from '@temporalio/client';
import { ServiceError, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import type { Attempted, RunsPort, Started } from '../adapters/ports.ts';
import { operationId } from '../domain/addresses.ts';
import type { TaskQueues } from '../domain/addresses.ts';

/** The runs that a watcher starts, over the connection of the worker that it runs in. */
export const createRuns = (queues: TaskQueues): RunsPort => ({
  failOver: (cluster, reason) =>
    start('failover', {
      ...common(cluster),
      taskQueue: queues.failover,
      args: [{ cluster, reason }],
      staticSummary: `fail over ${cluster}: ${reason}`.slice(0, 120),
      // A worker of this queue runs in this very process, and is handed the run by the answer to its start.
      requestEagerStart: true,
    }),
  reopen: (cluster, host) =>
    start('preparePrimary', {
      ...common(cluster),
      taskQueue: queues.runbooks,
      args: [{ cluster, host }],
      staticSummary: `open ${host} of ${cluster} again: it came back closed`,
    }),
  sinceLastFailover: async (cluster, withinMs) => {
    const since = new Date(Date.now() - withinMs).toISOString();
    const query = `WorkflowType = "failover" AND StandfastCluster = "${cluster}" AND StandfastOutcome = "failed-over" AND CloseTime > "${since}"`;
    let latest: number | null = null;
    for await (const { closeTime } of getClient().workflow.list({ query }))
      if (closeTime !== undefined && closeTime.getTime() > (latest ?? 0)) latest = closeTime.getTime();
    return latest === null ? null : Date.now() - latest;
  },
  tell: async (transitions) => {
    const { workflowExecution } = activityInfo();
    if (workflowExecution === undefined) return; // started by itself, not by a run
    const { workflowId, runId } = workflowExecution;
    await getClient().workflow.getHandle(workflowId, runId).signal('transitions', transitions);
  },
});

const common = (cluster: string) => ({ workflowId: operationId(cluster), workflowTaskTimeout: '1s' }) as const;

async function start(type: string, options: WorkflowStartOptions): Promise<Started> {
  try {
    const handle = await getClient().workflow.start(type, options);
    return { kind: 'started', ended: ending(handle) };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'busy' };
    if (error instanceof ServiceError) return { kind: 'unreachable', why: error.message };
    throw error;
  }
}

async function ending(handle: WorkflowHandle): Promise<Attempted> {
  try {
    const { outcome, sentence } = (await handle.result()) as { outcome: string; sentence?: string };
    return { kind: 'done', sentence: sentence ?? outcome, promoted: outcome === 'failed-over' };
  } catch (error) {
    if (error instanceof ServiceError)
      return { kind: 'failed', why: `Temporal was lost while it ran: ${error.message}` };
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { kind: 'failed', why: error.cause?.message ?? error.message };
  }
}
