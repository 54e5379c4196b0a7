import { setTimeout as pause } from 'node:timers/promises';
import type { FailoverResult, Tail } from '../../client/index.ts';
import { StandfastError } from '../../client/index.ts';

/** How one operation ended, as its caller was told. */
export interface Ending {
  readonly operation: string;
  readonly kind:
    'done' | 'failed-over' | 'reopened' | 'refused' | 'compensated' | 'left-to-a-person' | 'hanging' | 'unnamed';
  /** Type of the failure, or how it was done. */
  readonly type: string;
  readonly sentence: string;
  readonly changed: boolean | null;
  readonly newPrimary: string | null;
  readonly oldPrimary: string | null;
  readonly loss: FailoverResult['loss'];
  /** What only a host that was to return has. */
  readonly setAside: { readonly host: string; readonly tails: readonly Tail[] } | null;
  readonly tookMs: number;
  readonly runId: string | null;
}

export const HANGING_MS = 120_000;
const RETRY_MS = 250;

/** As far as the results of the operations have it in common. */
export interface Outcome {
  readonly outcome: string;
  readonly sentence: string;
  readonly newPrimary?: string;
  readonly oldPrimary?: string;
  readonly loss?: FailoverResult['loss'];
  readonly host?: string;
  readonly tails?: readonly Tail[];
}

type Told = { readonly result: Outcome } | { readonly error: StandfastError };
type Run = (options: { readonly requestId: string; readonly timeoutMs: number }) => Promise<Outcome>;

/** Calls an operation through the public client as a service would: with an ID, and again when Temporal was away. */
export async function endingOf(operation: string, run: Run): Promise<Ending> {
  const startedAt = performance.now();
  const requestId = `${operation} ${String(startedAt)}`;
  for (;;) {
    const told = await run({ requestId, timeoutMs: HANGING_MS }).then(
      (result): Told => ({ result }),
      (error: unknown): Told => {
        if (error instanceof StandfastError) return { error };
        throw error;
      },
    );
    const tookMs = Math.round(performance.now() - startedAt);
    if ('result' in told) return { operation, tookMs, ...endingOfResult(told.result) };
    if (told.error.type !== 'TemporalUnreachable' || tookMs > HANGING_MS)
      return { operation, tookMs, ...endingOfError(told.error) };
    await pause(RETRY_MS);
  }
}

/** What an operation that is no failover and no return has to say about primaries and losses. */
export const OF_NOTHING = { newPrimary: null, oldPrimary: null, loss: null, setAside: null } as const;

export function endingOfResult(result: Outcome): Omit<Ending, 'operation' | 'tookMs'> {
  const { outcome, sentence, host, tails } = result;
  return {
    kind: outcome === 'failed-over' || outcome === 'reopened' ? outcome : 'done',
    ...{ type: outcome, sentence, changed: true, runId: null },
    newPrimary: result.newPrimary ?? null,
    oldPrimary: result.oldPrimary ?? null,
    loss: result.loss ?? null,
    setAside: host === undefined || tails === undefined ? null : { host, tails },
  };
}

const UNNAMED: readonly string[] = ['Internal', 'Configuration', 'Terminated', 'Cancelled', 'TemporalUnreachable'];

export function endingOfError(error: StandfastError): Omit<Ending, 'operation' | 'tookMs'> {
  const list = (name: string): number => (Array.isArray(error.facts[name]) ? error.facts[name].length : 0);
  const kind = UNNAMED.includes(error.type)
    ? 'unnamed'
    : error.type === 'WaitTimedOut'
      ? 'hanging'
      : list('notUndone') > 0
        ? 'left-to-a-person'
        : list('undone') > 0
          ? 'compensated'
          : 'refused';
  const changed = error.facts['changed'];
  return {
    ...{ kind, type: error.type, sentence: error.message, ...OF_NOTHING },
    changed: typeof changed === 'boolean' ? changed : null,
    runId: error.run?.runId ?? null,
  };
}
