import type { Link } from './connection.ts';
import type { RunReference } from './errors.ts';
import { StandfastError } from './errors.ts';
import type { Runbook } from './runbooks.ts';
import { runningOperation, startRun } from './runs.ts';
import type { WaitOptions } from './waiting.ts';
import { waitForRun } from './waiting.ts';

export interface CallOptions extends WaitOptions {
  /** Makes the call idempotent: a second one with the same ID gets the run of the first, and its result. */
  readonly requestId?: string | undefined;
  /** Returns as soon as the run is durable. */
  readonly detach?: boolean | undefined;
}

/** The result of a runbook, or, of a detached call, the run that will have it. */
export type Answer<Options extends CallOptions, Result> = 'detach' extends keyof Options
  ? Options['detach'] extends true
    ? RunReference
    : Options['detach'] extends false | undefined
      ? Result
      : Result | RunReference
  : Result;

interface Called<Input extends { readonly cluster: string }, Result> {
  readonly runbook: Runbook<Input, Result>;
  readonly input: Input;
}

/** Starts a runbook, or finds the run of the same request, and waits for its result unless it is detached. */
export async function call<Input extends { readonly cluster: string }, Result, O extends CallOptions>(
  link: Link,
  { runbook, input }: Called<Input, Result>,
  options: O | undefined,
): Promise<Answer<O, Result>> {
  const run = await startRun(link, { runbook, input, requestId: options?.requestId });
  const { attached, ...reference } = run;
  options?.onProgress?.({ kind: 'started', run: reference, attached });
  if (options?.detach === true) return reference as Answer<O, Result>;
  const value = await waitForRun(link, run, options ?? {}).catch((error: unknown) =>
    nameHolder(link, error, input.cluster),
  );
  return runbook.resultOf(value) as Answer<O, Result>;
}

/** A run that lost the cluster to another inside its workflow says so; the client adds who holds it now. */
async function nameHolder(link: Link, error: unknown, cluster: string): Promise<never> {
  if (!(error instanceof StandfastError) || error.type !== 'Busy') throw error;
  const { type, message, facts, run } = error;
  const holder = await runningOperation(link, cluster);
  throw new StandfastError({ type, message, facts, run, runningOperation: holder ?? undefined, cause: error });
}
