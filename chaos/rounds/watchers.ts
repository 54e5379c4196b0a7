import type { WorkflowHandle } from '@temporalio/client';
import { Client, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { setTimeout as pause } from 'node:timers/promises';
import { failureOfRun } from '../../client/failures.ts';
import { operationId, watchId } from '../../domain/addresses.ts';
import { runningActivity } from '../../lab/activity.ts';
import { LabError, until } from '../../lab/run.ts';
import { transitionsOf } from '../../lab/transitions.ts';
import type { Ending, Outcome } from './ending.ts';
import { endingOfError, endingOfResult, HANGING_MS, OF_NOTHING } from './ending.ts';
import type { Stage } from './stage.ts';
import { CLUSTER } from './stage.ts';

const SHARD = watchId('main');
const WATCHED_WITHIN_MS = 60_000;
const IDLE_WITHIN_MS = 60_000;
const LISTED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 20;

const workflowsOf = ({ connection }: Stage): Client['workflow'] => new Client({ connection }).workflow;

/** Waits until a watcher says that the primary serves and both replicas replicate. */
export async function untilWatched(stage: Stage): Promise<void> {
  await until(
    'a watcher that sees the cluster whole',
    async () => {
      if ((await runningActivity(stage.connection, SHARD)) === null) return undefined;
      const told = await transitionsOf(workflowsOf(stage).getHandle(SHARD));
      const last = new Map(told.map(({ host, code }) => [host, code]));
      const isWhole =
        last.get('db1') === 'PrimaryServes' && ['db2', 'db3'].every((host) => last.get(host) === 'Replicates');
      return isWhole ? true : undefined;
    },
    WATCHED_WITHIN_MS,
  );
}

/** The run that has, or had last, the lock of the cluster; null: there was none, or Temporal is away. */
async function latestRun(stage: Stage): Promise<{ readonly runId: string; readonly isRunning: boolean } | null> {
  try {
    const { runId, status } = await workflowsOf(stage).getHandle(operationId(CLUSTER)).describe();
    return { runId, isRunning: status.name === 'RUNNING' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof ServiceError) return null;
    throw error;
  }
}

/** What watchers started since a moment, among all that had the lock of the cluster. */
export class Operations {
  readonly #stage: Stage;
  readonly #before: string | null;

  private constructor(stage: Stage, before: string | null) {
    this.#stage = stage;
    this.#before = before;
  }

  static async from(stage: Stage): Promise<Operations> {
    return new Operations(stage, (await latestRun(stage))?.runId ?? null);
  }

  /** The first one; null: nobody has started any within the time. */
  async begun(withinMs: number): Promise<string | null> {
    const endsAt = performance.now() + withinMs;
    while (performance.now() < endsAt) {
      const latest = await latestRun(this.#stage);
      if (latest !== null && latest.runId !== this.#before) return latest.runId;
      await pause(LOOK_EVERY_MS);
    }
    return null;
  }

  /** Every one, oldest first, as it ended; one that runs is waited for. */
  async endings(): Promise<readonly Ending[]> {
    return Promise.all((await this.#list()).map(({ runId, type }) => endingOfRun(this.#stage, { runId, type })));
  }

  /** The list of runs is a little behind what is so. */
  async #list(): Promise<readonly { readonly runId: string; readonly type: string }[]> {
    const latest = await latestRun(this.#stage);
    if (latest === null || latest.runId === this.#before) return [];
    return until(
      'the list of the operations',
      async () => {
        const runs: { readonly runId: string; readonly type: string; readonly startedAt: number }[] = [];
        for await (const { runId, type, startTime } of workflowsOf(this.#stage).list({
          query: `WorkflowId = "${operationId(CLUSTER)}"`,
        }))
          runs.push({ runId, type, startedAt: startTime.getTime() });
        const sorted = runs.toSorted((left, right) => left.startedAt - right.startedAt);
        if (!sorted.some(({ runId }) => runId === latest.runId)) return undefined;
        return sorted.slice(sorted.findIndex(({ runId }) => runId === this.#before) + 1);
      },
      LISTED_WITHIN_MS,
    );
  }
}

/** Waits for the end of a run, whatever becomes of Temporal meanwhile. */
export async function endingOfRun(
  stage: Stage,
  { runId, type }: { readonly runId: string; readonly type: string },
): Promise<Ending> {
  const startedAt = performance.now();
  const run = { workflowId: operationId(CLUSTER), runId, type };
  const handle: WorkflowHandle = workflowsOf(stage).getHandle(run.workflowId, runId);
  const ended = (): Pick<Ending, 'operation' | 'tookMs'> => ({
    operation: type,
    tookMs: Math.round(performance.now() - startedAt),
  });
  while (performance.now() - startedAt < HANGING_MS) {
    try {
      const result = (await Promise.race([
        handle.result(),
        pause(HANGING_MS, null, { ref: false }),
      ])) as Partial<Outcome> | null;
      if (result !== null)
        return {
          ...ended(),
          ...endingOfResult({ ...result, outcome: result.outcome ?? 'done', sentence: result.sentence ?? '' }),
          runId,
        };
    } catch (error) {
      const failure = failureOfRun(error, run);
      if (failure !== null) return { ...ended(), ...endingOfError(failure) };
      if (!(error instanceof ServiceError)) throw error;
      await pause(LOOK_EVERY_MS);
    }
  }
  const sentence = `it has not ended within ${String(HANGING_MS)} ms`;
  return { ...ended(), ...OF_NOTHING, kind: 'hanging', type: 'WaitTimedOut', sentence, changed: null, runId };
}

/** A person does nothing while something is under way by itself. */
export async function untilIdle(stage: Stage): Promise<void> {
  await until(
    'the end of what runs',
    async () => ((await latestRun(stage))?.isRunning === true ? undefined : true),
    IDLE_WITHIN_MS,
  ).catch((error: unknown) => {
    // What never ends is found when the round is examined.
    if (!(error instanceof LabError)) throw error;
  });
}
