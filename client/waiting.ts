import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import { StandfastError } from './errors.ts';
import { causesOf, failureOfCall, failureOfRun, isSilence } from './failures.ts';
import type { Progress, RunGlimpse } from './progress.ts';
import { glimpseOf, progressBetween } from './progress.ts';
import type { StartedRun } from './runs.ts';

export interface WaitOptions {
  /** The wait, not the run, ends after so long. */
  readonly timeoutMs?: number | undefined;
  /** Leaves the run to itself. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const GLIMPSE_EVERY_MS = 300;
/** A Temporal that is killed and started again is back well within it. */
const SILENCE_LIMIT_MS = 60_000;
const NOBODY_WORKS_AFTER_MS = 3000;

/** Waits for the result of a run; whatever ends the wait early leaves the run alone. */
export async function waitForRun(link: Link, run: StartedRun, options: WaitOptions): Promise<unknown> {
  const over = new AbortController();
  const leave = endOfWait(run, options);
  try {
    const result = resultThroughSilence(link, run, { leave: leave.signal, onProgress: options.onProgress });
    if (options.onProgress !== undefined) void reportProgress(link, run, { tell: options.onProgress, over: over.signal });
    return await Promise.race([result, leave.promise]);
  } finally {
    over.abort();
    leave.forget();
  }
}

interface EndOfWait {
  readonly signal: AbortSignal;
  /** Rejects when the wait must end; never fulfils. */
  readonly promise: Promise<never>;
  readonly forget: () => void;
}

function endOfWait(run: StartedRun, { timeoutMs, signal }: WaitOptions): EndOfWait {
  const controller = new AbortController();
  const { promise, reject } = promiseWithReject();
  const end = (failure: StandfastError): void => {
    reject(failure);
    controller.abort();
  };
  const detach = (): void => {
    end(left(run, 'Detached', 'the wait was ended by the caller'));
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          end(left(run, 'WaitTimedOut', `no result within ${String(timeoutMs)} ms`));
        }, timeoutMs);
  if (signal?.aborted === true) detach();
  signal?.addEventListener('abort', detach, { once: true });
  const forget = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', detach);
    controller.abort();
  };
  return { signal: controller.signal, promise, forget };
}

function promiseWithReject(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  // It may be rejected before anybody races it.
  promise.catch(() => undefined);
  return { promise, reject };
}

const left = (run: StartedRun, type: 'Detached' | 'WaitTimedOut', why: string): StandfastError =>
  new StandfastError({
    type,
    message: `${why}; ${run.type} goes on by itself as ${run.workflowId} (run ${run.runId})`,
    run,
  });

interface PatientWait {
  readonly leave: AbortSignal;
  readonly onProgress: WaitOptions['onProgress'];
}

async function resultThroughSilence(link: Link, run: StartedRun, wait: PatientWait): Promise<unknown> {
  const handle = link.client.workflow.getHandle(run.workflowId, run.runId);
  let silentSince: number | null = null;
  for (;;) {
    try {
      return await link.connection.withAbortSignal(wait.leave, () => handle.result());
    } catch (error) {
      const failure = failureOfRun(error, run);
      if (failure !== null) throw failure;
      if (!isSilence(error) || wait.leave.aborted) throw failureOfCall(error, link.config);
      silentSince ??= performance.now();
      if (performance.now() - silentSince > SILENCE_LIMIT_MS) throw lost(link, run, error);
      wait.onProgress?.({ kind: 'waiting', explains: `Temporal does not answer at ${link.config.address}; ${run.type} goes on when it is back` });
      await sleep(1000, undefined, { signal: wait.leave });
      silentSince = (await answers(link, run)) ? null : silentSince;
    }
  }
}

async function answers(link: Link, run: StartedRun): Promise<boolean> {
  try {
    await ask(link, () => link.client.workflow.getHandle(run.workflowId, run.runId).describe());
    return true;
  } catch (error) {
    if (error instanceof StandfastError && error.type === 'TemporalUnreachable') return false;
    throw error;
  }
}

const lost = (link: Link, run: StartedRun, cause: unknown): StandfastError =>
  new StandfastError({
    type: 'TemporalUnreachable',
    message: `Temporal has not answered at ${link.config.address} for ${String(SILENCE_LIMIT_MS / 1000)} s; ${run.type} goes on as ${run.workflowId} when it is back. Look for it there`,
    run,
    cause,
  });

interface ProgressWatch {
  readonly tell: (progress: Progress) => void;
  readonly over: AbortSignal;
}

/** Glimpses are a courtesy: their failures are told, and never end the wait. */
async function reportProgress(link: Link, run: StartedRun, { tell, over }: ProgressWatch): Promise<void> {
  const handle = link.client.workflow.getHandle(run.workflowId, run.runId);
  const started = performance.now();
  let seen: RunGlimpse | null = null;
  let askedForWorkers = false;
  try {
    while (!over.aborted) {
      const now = glimpseOf(await link.connection.withAbortSignal(over, () => handle.describe()));
      for (const entry of progressBetween(seen, now)) tell(entry);
      seen = now;
      if (!now.running) return;
      const isIdle = now.phase === null && now.steps.length === 0;
      if (isIdle && !askedForWorkers && performance.now() - started > NOBODY_WORKS_AFTER_MS) {
        askedForWorkers = true;
        if (!(await hasWorkers(link))) tell({ kind: 'waiting', explains: nobodyWorks(link) });
      }
      await sleep(GLIMPSE_EVERY_MS, undefined, { signal: over });
    }
  } catch (error) {
    if (over.aborted) return;
    tell({ kind: 'waiting', explains: `progress cannot be shown (${causesOf(error).at(-1)?.message ?? ''}); waiting for the result` });
  }
}

const nobodyWorks = (link: Link): string =>
  `no worker polls the task queue ${link.config.taskQueue}: start one with standfast worker start`;

async function hasWorkers(link: Link): Promise<boolean> {
  const { client, config, connection } = link;
  const answer = await connection.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: config.taskQueue },
    taskQueueType: 1,
  });
  return (answer.pollers ?? []).length > 0;
}
