import { activityInfo, Context } from '@temporalio/activity';
import type { HostName } from '../domain/cluster.ts';
import type { TimelineEntry } from '../domain/report.ts';
import { failure } from '../workflows/failures.ts';
import { beat } from './beats.ts';
import type { StepName } from './step-names.ts';

/** Where a test may stop a worker: before an activity, or a step inside one, had an effect, or after it and before anybody heard of it. */
export type HoldPoint = `${string}:${'before' | 'after'}`;

export interface StepHooks {
  /** Identity of this worker in timelines, `host/pid`. */
  readonly worker: string;
  /** Resolves at once in production. */
  readonly hold: (point: HoldPoint) => Promise<void>;
  /** False: the running attempt was given to another worker meanwhile. Every attempt is believed where nobody can be asked, as in a simulation. */
  readonly isOurs?: () => Promise<boolean>;
}

/**
 * Asked before a claim, which would end the orders of whoever has the work by now: an epoch protects from what an old attempt sends under an old one, not
 * from an old attempt that claims a new one.
 * @throws `Stale`
 */
export async function requireOurs({ isOurs }: StepHooks): Promise<void> {
  if (isOurs === undefined || (await isOurs())) return;
  const { activityType, attempt } = activityInfo();
  throw failure(
    'Stale',
    `attempt ${String(attempt)} of ${activityType} was given to another worker meanwhile; this one did nothing more`,
  );
}

/** One attempt of one activity of a run. */
export interface Claimant {
  /** Another one in each attempt, so that a claim of the same number tells them apart. */
  readonly name: string;
  /** @throws `Stale` when the attempt was given to another worker */
  readonly requireOurs: () => Promise<void>;
}

/** The inner steps of one activity: timed, heartbeaten, resumable in the report, and abortable. */
export interface Steps {
  readonly signal: AbortSignal;
  readonly attempt: number;
  readonly claimant: Claimant;
  readonly timeline: readonly TimelineEntry[];
  run<T>(name: StepName, host: HostName | null, work: () => Promise<T>): Promise<T>;
}

/**
 * Runs an activity's steps. The timeline travels in the beats, so that the next worker's report still shows what this one did.
 */
export async function inSteps<T>(hooks: StepHooks, work: (steps: Steps) => Promise<T>): Promise<T> {
  const context = Context.current();
  const info = activityInfo();
  const { attempt, activityId, activityType } = info;
  const claimant = { name: `${activityId}.${String(attempt)}`, requireOurs: () => requireOurs(hooks) };
  const timeline: TimelineEntry[] = earlierTimeline(info.heartbeatDetails);
  const told = (): void => {
    beat({ timeline });
  };
  const run = async <R>(name: StepName, host: HostName | null, step: () => Promise<R>): Promise<R> => {
    context.cancellationSignal.throwIfAborted();
    await hooks.hold(`${activityType}.${name}:before`);
    const started = performance.now();
    const startedAt = new Date().toISOString();
    const note = (outcome: string): void => {
      const durationMs = Math.round((performance.now() - started) * 10) / 10;
      timeline.push({ step: name, host, startedAt, durationMs, attempt, worker: hooks.worker, outcome });
      told();
    };
    try {
      const result = await step();
      note('done');
      await hooks.hold(`${activityType}.${name}:after`);
      return result;
    } catch (error) {
      note(error instanceof Error ? error.message.slice(0, 300) : 'failed');
      throw error;
    }
  };
  told();
  return work({ signal: context.cancellationSignal, attempt, claimant, timeline, run });
}

function earlierTimeline(details: unknown): TimelineEntry[] {
  const found = (details as { readonly timeline?: unknown } | undefined)?.timeline;
  return Array.isArray(found) ? [...(found as TimelineEntry[])] : [];
}

/** Polls `look` until it gives an answer; the caller's step and its deadline bound the wait. */
export async function until<T>(
  look: () => Promise<T | null>,
  bounds: { readonly signal: AbortSignal; readonly everyMs: number; readonly forMs: number },
): Promise<T | null> {
  const endsAt = performance.now() + bounds.forMs;
  for (;;) {
    bounds.signal.throwIfAborted();
    const found = await look();
    if (found !== null || performance.now() >= endsAt) return found;
    await new Promise((resolve) => setTimeout(resolve, bounds.everyMs));
  }
}
