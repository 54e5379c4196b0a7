import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import { pageOfRuns } from './links.ts';
import type { ScheduleMark } from './schedule-ownership.ts';
import { eachOfOurs, inTurns, markOf, MEMO, notOurs, requireOurs } from './schedule-ownership.ts';
import type { FoundSchedule, ScheduleChange, Terms, WantedSchedule } from './schedule-plan.ts';
import { offsetSeconds, planSchedules } from './schedule-plan.ts';

// The server's own default is a year: after an outage it would make up for every missed minute.
const CATCHUP_WINDOW_MS = 60_000;
export interface ScheduleOrder {
  /** Of the whole inventory: what is not among them is gone. */
  readonly wanted: readonly WantedSchedule[];
  /** Leaves the schedules of every other cluster alone. */
  readonly cluster?: string | undefined;
}

/** What has to be done so that the schedules are as wanted. Changes nothing. */
export async function planFor(link: Link, { wanted, cluster }: ScheduleOrder): Promise<readonly ScheduleChange[]> {
  const inScope = (one: { readonly cluster: string }): boolean => cluster === undefined || one.cluster === cluster;
  const asked = wanted.filter(inScope);
  const ids = new Set(asked.map(({ scheduleId }) => scheduleId));
  const [described, listed] = await Promise.all([
    inTurns(asked, (one) => found(link, one)),
    ownSchedules(link).then((marked) => marked.filter(({ scheduleId, mark }) => inScope(mark) && !ids.has(scheduleId))),
  ]);
  const gone = await inTurns(listed, async ({ scheduleId }) => {
    const description = await describe(link, scheduleId);
    return description === null ? null : foundFrom(description);
  });
  return planSchedules({
    wanted: asked,
    found: [...described, ...gone].filter((one) => one !== null),
    owner: link.config.taskQueue,
    termsOf: (one) => termsOf(link, one),
  });
}

/**
 * Carries out a plan. What was changed since it was made is looked at again, and never overwritten when it is somebody else's.
 * @throws StandfastError `Unsafe` when an ID is taken by a schedule that is not ours: before anything is changed, or after the others are, when it was taken meanwhile
 */
export async function applyChanges(link: Link, changes: readonly ScheduleChange[]): Promise<void> {
  const refused = changes.filter(({ action }) => action === 'refuse');
  if (refused.length > 0) throw notOurs(refused);
  await eachOfOurs(
    changes.filter(({ action }) => action !== 'keep'),
    async ({ scheduleId, action, wanted }) => {
      if (action === 'delete') return remove(link, scheduleId);
      if (wanted !== null && action === 'create') await create(link, wanted);
      if (wanted !== null && action === 'update') await update(link, wanted);
      return true;
    },
  );
}

/** One installation's own schedules, by their memos. */
export async function ownSchedules(
  link: Link,
): Promise<readonly { readonly scheduleId: string; readonly mark: ScheduleMark }[]> {
  return ask(link, async () => {
    const own: { scheduleId: string; mark: ScheduleMark }[] = [];
    for await (const entry of link.client.schedule.list()) {
      const mark = markOf(entry);
      if (mark?.queue === link.config.taskQueue) own.push({ scheduleId: entry.scheduleId, mark });
    }
    return own.sort((one, other) => (one.scheduleId < other.scheduleId ? -1 : 1));
  });
}

/** Null: there is none. */
export function describe(link: Link, scheduleId: string): Promise<ScheduleDescription | null> {
  return ask(link, () => link.client.schedule.getHandle(scheduleId).describe().catch(nullWhenMissing));
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof ScheduleNotFoundError) return null;
  throw error;
}

async function found(link: Link, wanted: WantedSchedule): Promise<FoundSchedule | null> {
  const description = await describe(link, wanted.scheduleId);
  if (description === null) return null;
  const one = foundFrom(description);
  // Whoever does not know where the UI is takes no link away from a note that has one.
  const isKept = link.config.uiAddress === null && one.terms.note.startsWith(wanted.does);
  return isKept ? { ...one, terms: { ...one.terms, note: noteOf(link, wanted) } } : one;
}

function foundFrom(description: ScheduleDescription): FoundSchedule {
  const mark = markOf(description);
  return {
    scheduleId: description.scheduleId,
    owner: mark?.queue ?? null,
    cluster: mark?.cluster ?? null,
    isPaused: description.state.paused,
    terms: termsFrom(description),
  };
}

const termsOf = (link: Link, wanted: WantedSchedule): Terms => ({
  every: everyWords(wanted.everySeconds, offsetSeconds(wanted)),
  starts: startsWords({ ...wanted, workflowId: workflowIdOf(wanted), args: [wanted.input] }),
  queue: link.config.taskQueue,
  overlap: ScheduleOverlapPolicy.SKIP,
  'catch-up': `${String(CATCHUP_WINDOW_MS / 1000)} s`,
  note: noteOf(link, wanted),
});

function termsFrom({ spec, action, policies, state }: ScheduleDescription): Terms {
  const { intervals = [], calendars = [], startAt, endAt, jitter = 0 } = spec;
  const [interval] = intervals;
  const isPlain =
    intervals.length === 1 && calendars.length === 0 && jitter === 0 && startAt === undefined && endAt === undefined;
  return {
    every:
      isPlain && interval !== undefined && state.remainingActions === undefined
        ? everyWords(interval.every / 1000, (interval.offset || 0) / 1000) // not a number when there is none
        : 'times of its own',
    starts: startsWords({ ...action, args: action.args ?? [] }),
    queue: action.taskQueue,
    overlap: `${String(policies.overlap)}${policies.pauseOnFailure ? ', pauses when a run fails' : ''}`,
    'catch-up': `${String(policies.catchupWindow / 1000)} s`,
    note: state.note ?? '',
  };
}

const everyWords = (every: number, offset: number): string => `${String(every)} s, offset ${String(offset)} s`;

interface Started {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly args: readonly unknown[];
}

const startsWords = ({ workflowType, workflowId, args }: Started): string =>
  `${workflowType} ${args.map((arg) => JSON.stringify(arg)).join(' ')} as ${workflowId}`;

const workflowIdOf = ({ kind, cluster, fileset }: WantedSchedule): string =>
  [kind, cluster, ...(fileset === null ? [] : [fileset]), 'scheduled'].join('/');

function noteOf(link: Link, { does, scheduleId }: WantedSchedule): string {
  const page = pageOfRuns(link.config, `TemporalScheduledById="${scheduleId}"`);
  return `${does}. ${page === null ? '' : `Its runs: ${page} `}Kept by standfast schedule apply`;
}

const settingsOf = (link: Link, wanted: WantedSchedule) =>
  ({
    spec: { intervals: [{ every: wanted.everySeconds * 1000, offset: offsetSeconds(wanted) * 1000 }] },
    action: {
      type: 'startWorkflow',
      workflowType: wanted.workflowType,
      workflowId: workflowIdOf(wanted),
      taskQueue: link.config.taskQueue,
      args: [wanted.input],
      workflowTaskTimeout: '1s',
      staticSummary: `${[wanted.kind, wanted.cluster, wanted.fileset].filter((word) => word !== null).join(' ')}, on schedule`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW_MS, pauseOnFailure: false },
  }) as const satisfies Omit<ScheduleOptions, 'scheduleId'>;

async function create(link: Link, wanted: WantedSchedule): Promise<void> {
  const { scheduleId, kind, cluster, fileset } = wanted;
  const mark: ScheduleMark = { queue: link.config.taskQueue, kind, cluster, fileset };
  const options = {
    ...settingsOf(link, wanted),
    scheduleId,
    memo: { [MEMO]: mark },
    state: { note: noteOf(link, wanted) },
  };
  const isNew = await ask(link, () => link.client.schedule.create(options).then(() => true, falseWhenThere));
  // An earlier try whose answer was lost, or somebody at the same moment.
  if (!isNew) await update(link, wanted);
}

function falseWhenThere(error: unknown): false {
  if (error instanceof ScheduleAlreadyRunning) return false;
  throw error;
}

async function update(link: Link, wanted: WantedSchedule): Promise<void> {
  const handle = link.client.schedule.getHandle(wanted.scheduleId);
  await ask(link, () =>
    handle.update((previous) => {
      requireOurs(link, previous);
      const { paused, note } = previous.state;
      const isKept = paused || (link.config.uiAddress === null && (note ?? '').startsWith(wanted.does));
      return {
        ...settingsOf(link, wanted),
        state: { paused, note: isKept ? (note ?? '') : noteOf(link, wanted) },
      };
    }),
  );
}

async function remove(link: Link, scheduleId: string): Promise<boolean> {
  const description = await describe(link, scheduleId);
  if (description === null) return false;
  requireOurs(link, description);
  await ask(link, () => link.client.schedule.getHandle(scheduleId).delete().catch(nullWhenMissing));
  return true;
}
