import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import { StandfastError } from './errors.ts';
import { failureOfCall, failureOfRun, isPassing } from './failures.ts';
import type { Progress } from './progress.ts';
import { tellProgress } from './progress-watch.ts';
import type { StartedRun } from './runs.ts';

export interface WaitOptions {
  /** The wait, not the run, ends after so long. */
  readonly timeoutMs?: number | undefined;
  /** Leaves the run to itself. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A long poll ends by itself well within it; one that does not sits on a connection that is dead without having said so. */
const POLL_DEADLINE_MS = 60_000;
/** A Temporal that is killed and started again is back well within it. */
const SILENCE_LIMIT_MS = 60_000;

/** Waits for the result of a run; whatever ends the wait early leaves the run alone. */
export async function waitForRun(link: Link, run: StartedRun, options: WaitOptions): Promise<unknown> {
  const over = new AbortController();
  const leave = endOfWait(run, options);
  try {
    const result = resultThroughSilence(link, run, leave.signal);
    if (options.onProgress !== undefined) void tellProgress(link, run, { tell: options.onProgress, over: over.signal });
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
  // Every long poll of a long run listens to it.
  setMaxListeners(0, controller.signal);
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

async function resultThroughSilence(link: Link, run: StartedRun, leave: AbortSignal): Promise<unknown> {
  const handle = link.client.workflow.getHandle(run.workflowId, run.runId);
  let silentSince: number | null = null;
  for (;;) {
    try {
      return await link.connection.withDeadline(Date.now() + POLL_DEADLINE_MS, () =>
        link.connection.withAbortSignal(leave, () => handle.result()),
      );
    } catch (error) {
      const failure = failureOfRun(error, run);
      if (failure !== null) throw failure;
      if (!isPassing(error) || leave.aborted) throw failureOfCall(error, link.config);
      silentSince ??= performance.now();
      if (performance.now() - silentSince > SILENCE_LIMIT_MS) throw lost(link, run, error);
      await sleep(1000, undefined, { signal: leave });
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
