import type { WorkflowExecutionInfo } from '@temporalio/client';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { setTimeout as pause } from 'node:timers/promises';
import { operationId } from '../../domain/addresses.ts';
import { until } from '../../lab/run.ts';
import type { HostFacts } from '../rounds/outside.ts';
import { allFacts } from '../rounds/outside.ts';
import { CLUSTER } from '../stage.ts';
import type { Scene } from './scene.ts';

const ENDS_WITHIN_MS = 60_000;

/** A run that had the lock of the cluster, ended. */
export interface Operation {
  readonly type: string;
  /** Its outcome, or why it failed. */
  readonly ending: string;
}

/** Who is what, asked of the hosts and of Temporal, and not of the product. */
export interface Standing {
  readonly hosts: readonly HostFacts[];
  /** The last run that had the lock of the cluster; empty: there was none. */
  readonly lastRun: string;
}

export async function standingOf({ stage, temporal }: Scene): Promise<Standing> {
  return { hosts: await allFacts(stage.lab), lastRun: await lastRun(temporal) };
}

async function lastRun(temporal: Scene['temporal']): Promise<string> {
  try {
    return (await temporal.workflow.getHandle(operationId(CLUSTER)).describe()).runId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return '';
    throw error;
  }
}

/** Everything that has had the lock after `before` and up to `after`, newest first. What still runs is waited for, for a while. */
export async function operationsBetween(
  scene: Scene,
  before: Standing,
  after: Standing,
): Promise<readonly Operation[]> {
  if (after.lastRun === before.lastRun) return [];
  const runs = await until('the list of runs', async () => {
    const all = await operations(scene.temporal);
    const newest = all.findIndex(({ runId }) => runId === after.lastRun);
    return newest < 0 ? undefined : all.slice(newest);
  });
  const known = runs.findIndex(({ runId }) => runId === before.lastRun);
  return Promise.all(
    (known < 0 ? runs : runs.slice(0, known)).map(async ({ runId, type }) => {
      const ended = scene.temporal.workflow.getHandle(operationId(CLUSTER), runId).result();
      const stillRuns = pause(ENDS_WITHIN_MS, 'it still runs', { ref: false });
      return { type, ending: await Promise.race([ended.then(outcomeOf, failureOf), stillRuns]) };
    }),
  );
}

async function operations(temporal: Scene['temporal']): Promise<readonly WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const run of temporal.workflow.list({ query: `WorkflowId = "${operationId(CLUSTER)}"` })) found.push(run);
  return found.toSorted((left, right) => right.startTime.getTime() - left.startTime.getTime());
}

const outcomeOf = (result: unknown): string => String((result as { readonly outcome?: unknown } | null)?.outcome);

function failureOf(error: unknown): string {
  if (error instanceof WorkflowFailedError) return error.cause?.message ?? error.message;
  throw error;
}
