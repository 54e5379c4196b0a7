import { ApplicationFailure, asyncLocalStorage, Context } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { noopMetricMeter } from '@temporalio/common';
import { afterEach, beforeEach, vi } from 'vitest';
import type { Activities } from '../../../activities/contract.ts';
import { createActivities } from '../../../activities/index.ts';
import type { HoldPoint } from '../../../activities/steps.ts';
import type { SimulatedShop } from './shop.ts';

/** Deadlines pass at once: the clock jumps to the next timer whenever nothing else is to be done. */
export function inSimulatedTime(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setTimerTickMode('nextTimerAsync');
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | {
      readonly kind: 'failed';
      readonly type: string;
      readonly message: string;
      readonly facts: Readonly<Record<string, unknown>>;
    }
  /** The worker stopped there and is heard of no more. */
  | { readonly kind: 'held'; readonly at: HoldPoint };

export interface Circumstances {
  /** Which attempt of Temporal's this is; the first one is 1. */
  readonly attempt?: number;
  /** What the attempt before it told last. */
  readonly told?: unknown;
  /** Hears what this one tells. */
  readonly tells?: (details: unknown) => void;
  /** What Temporal says when the attempt asks whether it still counts; yes by default. */
  readonly isOurs?: () => Promise<boolean>;
  /** Where the worker stops for ever, as one that is killed there. */
  readonly holdAt?: HoldPoint;
  /** What happens at an edge of a step while the worker does nothing, as one that is frozen there. */
  readonly at?: Partial<Record<HoldPoint, () => void | Promise<void>>>;
}

type Name = keyof Activities;
type Input<N extends Name> = Parameters<Activities[N]>[0];
type Result<N extends Name> = Awaited<ReturnType<Activities[N]>>;

/** One attempt of a real activity against the simulated cluster. How it ended is a value. */
export async function attempt<N extends Name>(
  shop: SimulatedShop,
  name: N,
  {
    input,
    attempt: number = 1,
    holdAt,
    isOurs,
    at = {},
    told,
    tells = () => undefined,
  }: Circumstances & { readonly input: Input<N> },
): Promise<Outcome<Result<N>>> {
  let tellHeld: (outcome: Outcome<never>) => void;
  const held = new Promise<Outcome<never>>((resolve) => (tellHeld = resolve));
  const hold = async (point: HoldPoint): Promise<void> => {
    await at[point]?.();
    if (point !== holdAt) return;
    tellHeld({ kind: 'held', at: point });
    await new Promise(() => undefined);
  };
  const activity = createActivities(shop, { worker: 'test/1', hold, ...(isOurs === undefined ? {} : { isOurs }) })[
    name
  ] as unknown as (one: Input<N>) => Promise<Result<N>>;
  const running = asyncLocalStorage.run(
    contextOf(name, number, { told, tells }),
    async (): Promise<Outcome<Result<N>>> => {
      try {
        return { kind: 'done', value: await activity(input) };
      } catch (error) {
        if (!(error instanceof ApplicationFailure)) throw error;
        const facts = (error.details?.[0] ?? {}) as Readonly<Record<string, unknown>>;
        return { kind: 'failed', type: error.type ?? '', message: error.message, facts };
      }
    },
  );
  return Promise.race([running, held]);
}

export function contextOf(
  activityType: string,
  number: number,
  { told, tells = () => undefined }: Pick<Circumstances, 'told' | 'tells'> = {},
): Context {
  const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn() {}, error() {} };
  const info = {
    activityType,
    activityId: activityType,
    attempt: number,
    heartbeatDetails: told,
  } as unknown as Info;
  const never = new Promise<never>(() => undefined);
  return new Context(info, never, new AbortController().signal, tells, undefined, quiet, noopMetricMeter, {});
}
