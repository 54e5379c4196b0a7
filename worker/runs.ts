import { activityInfo, getClient, log } from '@temporalio/activity';
import type { WorkflowHandle, WorkflowStartOptions } from '@temporalio/client';
import {
  ApplicationFailure,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Attempted, Rehearsed, RunsPort, Started } from '../adapters/ports.ts';
import type { TaskQueues } from '../domain/addresses.ts';
import { operationId, planId, promotionsOf } from '../domain/addresses.ts';
import type { FailoverPlan } from '../domain/plan.ts';
import { failoverSummary, makeRoomSummary } from '../domain/summaries.ts';

/** The runs that a watcher starts, over the connection of the worker that it runs in. */
export const createRuns = (queues: TaskQueues): RunsPort => ({
  primaryDied: giveWay,
  failOver: (cluster, reason) =>
    start('failover', {
      ...common(cluster),
      taskQueue: queues.failover,
      args: [{ cluster, reason }],
      staticSummary: failoverSummary({ cluster, reason }),
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
  makeRoom: (cluster) =>
    start('makeRoom', {
      ...common(cluster),
      taskQueue: queues.runbooks,
      args: [{ cluster }],
      staticSummary: makeRoomSummary(cluster),
    }),
  sinceLastFailover,
  rehearse: async (cluster) => {
    const run: WorkflowStartOptions = {
      workflowId: planId(cluster, 'rehearsal'),
      workflowTaskTimeout: '1s',
      taskQueue: queues.failover,
      args: [{ cluster, dryRun: true }],
      staticSummary: `rehearsal, changes nothing: what a failover of ${cluster} would do`,
      requestEagerStart: true,
    };
    try {
      return rehearsed((await getClient().workflow.execute('failover', run)) as FailoverPlan);
    } catch (error) {
      return notPlanned(cluster, error);
    }
  },
  tell: async (transitions) => {
    const { workflowExecution } = activityInfo();
    if (workflowExecution === undefined) return; // started by itself, not by a run
    const { workflowId, runId } = workflowExecution;
    await getClient().workflow.getHandle(workflowId, runId).signal('transitions', transitions);
  },
});

async function sinceLastFailover(cluster: string, withinMs: number): Promise<number | null> {
  const since = new Date(Date.now() - withinMs).toISOString();
  const query = `${promotionsOf(cluster)} AND CloseTime > "${since}"`;
  let latest: number | null = null;
  for await (const { closeTime } of getClient().workflow.list({ query }))
    if (closeTime !== undefined && closeTime.getTime() > (latest ?? 0)) latest = closeTime.getTime();
  return latest === null ? null : Date.now() - latest;
}

function rehearsed({ sentence, refusal, ifHostDies }: FailoverPlan): Rehearsed {
  if (refusal !== null) return { kind: 'would-refuse', sentence, remedy: refusal.remedy };
  if (ifHostDies !== null) return { kind: 'needs-host', sentence, remedy: ifHostDies.remedy };
  return { kind: 'planned', sentence };
}

/** Where nobody can say who is primary, a failover would refuse as well. */
function notPlanned(cluster: string, error: unknown): Rehearsed {
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  if (cause instanceof ApplicationFailure && cause.type === 'Unsafe')
    return { kind: 'would-refuse', sentence: cause.message, remedy: 'bring back the members that do not answer' };
  // Whoever ends it from outside ends no watch.
  const isExpected = [WorkflowFailedError, ServiceError, WorkflowExecutionAlreadyStartedError].some(
    (kind) => error instanceof kind,
  );
  if (!isExpected) throw error;
  log.warn('a rehearsal of a failover came to no answer', { cluster, why: String(cause) });
  return { kind: 'unknown' };
}

/** A run is told once: each signal is an event of its history. */
const toldRuns = new Map<string, string>();

async function giveWay(cluster: string, why: string): Promise<boolean> {
  const workflowId = operationId(cluster);
  try {
    const { type, runId, status } = await getClient().workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return false;
    // Another failover is what is wanted; it looks for itself.
    if (type === 'failover' || toldRuns.get(cluster) === runId) return true;
    await getClient().workflow.getHandle(workflowId, runId).signal('primaryDead', why);
    toldRuns.set(cluster, runId);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false; // it has ended meanwhile, or has not begun
    if (!(error instanceof ServiceError)) throw error;
    log.warn('what holds the cluster was not told that the primary died', { cluster, why: error.message });
    return false;
  }
}

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
