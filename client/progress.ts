import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { RunReference } from './errors.ts';

/** What a waiting caller is told, as it happens. */
export type Progress =
  | { readonly kind: 'started'; readonly run: RunReference; readonly attached: boolean }
  | { readonly kind: 'phase'; readonly phase: string }
  | { readonly kind: 'retried'; readonly step: string; readonly attempt: number; readonly why: string }
  | { readonly kind: 'waiting'; readonly explains: string };

export interface PendingStep {
  readonly step: string;
  readonly attempt: number;
  /** Of the attempt before. */
  readonly lastFailure: string;
}

/** A run in the middle, as Temporal describes it without asking a worker. */
export interface RunGlimpse {
  readonly running: boolean;
  readonly phase: string | null;
  readonly steps: readonly PendingStep[];
}

export function glimpseOf(description: WorkflowExecutionDescription): RunGlimpse {
  const phase: unknown = description.typedSearchAttributes
    .getAll()
    .find((pair) => pair.key.name === 'StandfastPhase')?.value;
  return {
    running: description.status.name === 'RUNNING',
    phase: typeof phase === 'string' ? phase : null,
    steps: (description.raw.pendingActivities ?? []).map((pending) => ({
      step: pending.activityType?.name ?? 'a step',
      attempt: pending.attempt ?? 1,
      lastFailure: innermostMessage(pending.lastFailure),
    })),
  };
}

interface WireFailure {
  readonly message?: string | null;
  readonly cause?: WireFailure | null;
}

function innermostMessage(failure: WireFailure | null | undefined): string {
  let current = failure;
  while (current?.cause) current = current.cause;
  return current?.message ?? '';
}

/** What is new between two glimpses; a run that tells no phase is followed by its steps. */
export function progressBetween(before: RunGlimpse | null, now: RunGlimpse): readonly Progress[] {
  const phase = phaseOf(now);
  const phases: readonly Progress[] =
    phase === null || phase === (before === null ? null : phaseOf(before)) ? [] : [{ kind: 'phase', phase }];
  const known = new Map(before?.steps.map((entry) => [entry.step, entry.attempt]));
  const retries = now.steps
    .filter((entry) => entry.attempt > (known.get(entry.step) ?? 1))
    .map((entry): Progress => ({ kind: 'retried', step: entry.step, attempt: entry.attempt, why: entry.lastFailure }));
  return [...phases, ...retries];
}

const phaseOf = (glimpse: RunGlimpse): string | null =>
  glimpse.phase ?? (glimpse.steps.length > 0 ? glimpse.steps.map((entry) => entry.step).join(', ') : null);
