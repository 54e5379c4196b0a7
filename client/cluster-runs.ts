import type { WorkflowExecutionInfo } from '@temporalio/client';
import { operationId, promotionsOf, runsOf } from '../domain/addresses.ts';
import type { ClusterRuns, EndedRun, RunningRun } from '../domain/cluster-runs.ts';
import { ASKS_A_PERSON } from '../domain/progress.ts';
import type { Link } from './connection.ts';
import { ask, describeRun } from './connection.ts';
import { verifyRunbook } from './runbooks.ts';
import { lookAtWatch, watches } from './watch.ts';

export interface RunsQuestion {
  readonly cluster: string;
  /** `policy.watch.shard` of the cluster. */
  readonly shard: string;
  /** How long Temporal may say nothing. */
  readonly deadlineMs?: number | undefined;
}

/** What Temporal knows of a cluster. Starts nothing, and asks no worker. */
export async function clusterRuns(link: Link, question: RunsQuestion): Promise<ClusterRuns> {
  const { cluster, shard } = question;
  const lookUp = <T>(look: () => Promise<T>): Promise<T> => ask(link, look, question.deadlineMs);
  const [holder, watch, running, lastVerification, lastFailover] = await Promise.all([
    lookUp(() => describeRun(link, operationId(cluster))),
    lookAtWatch(link, { shard, deadlineMs: question.deadlineMs }),
    lookUp(() => list(link, `StandfastCluster = "${cluster}" AND ExecutionStatus = "Running"`)),
    lookUp(() => lastOf(link, `${runsOf(verifyRunbook.type, cluster)} AND ExecutionStatus IN ("Completed", "Failed")`)),
    lookUp(() => lastOf(link, promotionsOf(cluster))),
  ]);
  return {
    operation: holder?.status.name === 'RUNNING' ? runningRun(holder) : null,
    others: running
      .filter(({ type, workflowId }) => workflowId !== operationId(cluster) && type !== verifyRunbook.type)
      .map(runningRun),
    lastVerification,
    lastFailover,
    watcher: watches(watch, cluster) ? watch.watcher : null,
    delays: (watch.details?.delays ?? []).filter((delay) => delay.cluster === cluster),
  };
}

/** One page is more than runs at once, and the newest come first. */
const PAGE = 20;

async function list(link: Link, query: string): Promise<readonly WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const info of link.client.workflow.list({ query, pageSize: PAGE })) {
    found.push(info);
    if (found.length === PAGE) break;
  }
  return found;
}

async function lastOf(link: Link, query: string): Promise<EndedRun | null> {
  let last: EndedRun | null = null;
  for (const info of await list(link, query)) {
    const { closeTime, workflowId, runId } = info;
    if (closeTime === undefined || (last !== null && Date.parse(last.at) >= closeTime.getTime())) continue;
    last = { workflowId, runId, at: closeTime.toISOString(), outcome: attribute(info, 'StandfastOutcome') ?? 'failed' };
  }
  return last;
}

type RunInfo = Pick<WorkflowExecutionInfo, 'type' | 'workflowId' | 'runId' | 'startTime' | 'typedSearchAttributes'>;

function runningRun(info: RunInfo): RunningRun {
  const { type, workflowId, runId, startTime } = info;
  const phase = attribute(info, 'StandfastPhase');
  return { type, workflowId, runId, since: startTime.toISOString(), phase, asksPerson: phase === ASKS_A_PERSON };
}

export function attribute(info: RunInfo, name: string): string | null {
  const value: unknown = info.typedSearchAttributes.getAll().find((pair) => pair.key.name === name)?.value;
  return typeof value === 'string' ? value : null;
}
