import { setTimeout as sleep } from 'node:timers/promises';
import type { ScheduleDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { attribute } from './cluster-runs.ts';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import { StandfastError } from './errors.ts';
import { pageOfRuns } from './links.ts';
import type { ScheduleKind } from './schedule-plan.ts';
import { describe, ownSchedules } from './schedule-changes.ts';
import type { ScheduleMark } from './schedule-ownership.ts';
import { eachOfOurs, inTurns, requireOurs } from './schedule-ownership.ts';

export interface ScheduledRun {
  readonly workflowId: string;
  readonly runId: string;
  /** When it was due: ISO 8601. */
  readonly dueAt: string;
  /** As Temporal has it, in small letters; `gone` when it is not kept any more. */
  readonly status: string;
  /** What the run said itself, such as `ok`; null while it runs, or when it did not say. */
  readonly outcome: string | null;
}

export interface ListedSchedule {
  readonly scheduleId: string;
  readonly kind: ScheduleKind;
  readonly cluster: string;
  readonly fileset: string | null;
  /** Null: somebody gave it times of its own. */
  readonly everySeconds: number | null;
  readonly paused: boolean;
  readonly note: string;
  /** ISO 8601; null while paused. */
  readonly nextRunAt: string | null;
  readonly lastRun: ScheduledRun | null;
  /** Times it was due and Temporal was away for longer than the catch-up window, since it was made. */
  readonly missed: number;
  /** Times it was due and the run before was still under way. */
  readonly skipped: number;
  /** The page of its runs in the Temporal UI; null: nobody said where that is. */
  readonly runsPage: string | null;
}

/** The schedules of one cluster, or of all, with what became of their last runs. */
export async function listSchedules(link: Link, cluster?: string): Promise<readonly ListedSchedule[]> {
  const own = await ownSchedules(link);
  const asked = own.filter(({ mark }) => cluster === undefined || mark.cluster === cluster);
  const listed = await inTurns(asked, async ({ scheduleId, mark }) => {
    const description = await describe(link, scheduleId);
    return description === null ? null : listedFrom(link, mark, description);
  });
  return listed.filter((one) => one !== null);
}

async function listedFrom(link: Link, mark: ScheduleMark, description: ScheduleDescription): Promise<ListedSchedule> {
  const { scheduleId, spec, state, info } = description;
  const [next] = info.nextActionTimes;
  const [interval] = spec.intervals ?? [];
  return {
    scheduleId,
    kind: mark.kind,
    cluster: mark.cluster,
    fileset: mark.fileset,
    everySeconds: interval === undefined ? null : interval.every / 1000,
    paused: state.paused,
    note: state.note ?? '',
    nextRunAt: state.paused ? null : (next?.toISOString() ?? null),
    lastRun: await lastRunOf(link, description),
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
    runsPage: pageOfRuns(link.config, `TemporalScheduledById="${scheduleId}"`),
  };
}

async function lastRunOf(link: Link, { info }: ScheduleDescription): Promise<ScheduledRun | null> {
  const last = info.recentActions.at(-1);
  if (last === undefined) return null;
  const { workflowId, firstExecutionRunId: runId } = last.action.workflow;
  const run = await ask(link, () => link.client.workflow.getHandle(workflowId, runId).describe().catch(nullWhenGone));
  return {
    workflowId,
    runId,
    dueAt: last.scheduledAt.toISOString(),
    status: run === null ? 'gone' : run.status.name.toLowerCase(),
    outcome: run === null ? null : attribute(run, 'StandfastOutcome'),
  };
}

function nullWhenGone(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}

export interface PauseInput {
  readonly cluster: string;
  readonly reason?: string | undefined;
}

/** @throws StandfastError `BadInput` when the cluster has no schedule */
export const pauseSchedules = (link: Link, { cluster, reason }: PauseInput): Promise<readonly ListedSchedule[]> =>
  turn(link, cluster, {
    pause: true,
    note: `paused by ${link.config.identity}${reason === undefined ? '' : `: ${reason}`}`,
  });

/** @throws StandfastError `BadInput` when the cluster has no schedule */
export const resumeSchedules = (link: Link, cluster: string): Promise<readonly ListedSchedule[]> =>
  turn(link, cluster, { pause: false, note: `resumed by ${link.config.identity}` });

interface Turn {
  readonly pause: boolean;
  readonly note: string;
}

// Temporal lets the last change win: one that read the schedule before a pause and was written after it says "not paused".
const TRIES = 5;
/** Longer than such a change is on its way. */
const MEANWHILE_MS = 200;

/** Until it holds. One that is already so keeps the note that tells why. */
async function turn(link: Link, cluster: string, to: Turn): Promise<readonly ListedSchedule[]> {
  for (let left = TRIES; left > 0; left--) {
    await turnOnce(link, cluster, to);
    await sleep(MEANWHILE_MS);
    const now = await listSchedules(link, cluster);
    if (now.every(({ paused }) => paused === to.pause)) return now;
  }
  throw new StandfastError({
    type: 'Unverified',
    message: `the schedules of ${cluster} were ${to.pause ? 'paused' : 'resumed'} ${String(TRIES)} times, and each time somebody undid it at once; standfast schedule ls shows how they are`,
  });
}

async function turnOnce(link: Link, cluster: string, { pause, note }: Turn): Promise<void> {
  const own = await ownSchedules(link);
  const asked = own.filter(({ mark }) => mark.cluster === cluster);
  if (asked.length === 0)
    throw new StandfastError({
      type: 'BadInput',
      message: `${cluster} has no schedule here; nothing was changed. standfast schedule ls shows which there are`,
      facts: { changed: false, about: 'argument' },
    });
  await eachOfOurs(asked, async ({ scheduleId }) => {
    const description = await describe(link, scheduleId);
    if (description === null || description.state.paused === pause) return false;
    requireOurs(link, description);
    const handle = link.client.schedule.getHandle(scheduleId);
    await ask(link, () => (pause ? handle.pause(note) : handle.unpause(note)));
    return true;
  });
}
