import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import { verifyRunbook } from './runbooks.ts';
import { checkedInput } from './runs.ts';

const PREFIX = 'standfast-verify-';
const EVERY = '1m';
// The server's own default is a year: after an outage it would make up for every missed minute.
const CATCHUP_WINDOW = '1m';

export interface VerifySchedule {
  readonly scheduleId: string;
  readonly cluster: string;
  readonly everySeconds: number;
  readonly paused: boolean;
  readonly note: string;
  /** ISO 8601; null while paused. */
  readonly nextRunAt: string | null;
}

export interface AppliedSchedule extends VerifySchedule {
  readonly created: boolean;
}

/** Creates the schedule that verifies the cluster every minute, or brings it up to date. A paused one stays paused. */
export async function ensureVerifySchedule(link: Link, cluster: string): Promise<AppliedSchedule> {
  checkedInput(verifyRunbook, { cluster });
  const options = scheduleOptions(link, cluster);
  const created = await ask(link, () => link.client.schedule.create(options).then(() => true, falseWhenThere));
  const handle = link.client.schedule.getHandle(options.scheduleId);
  if (!created)
    await ask(link, () =>
      handle.update((previous) => ({
        spec: options.spec,
        action: options.action,
        ...(options.policies !== undefined && { policies: options.policies }),
        state: previous.state.paused ? previous.state : { ...previous.state, note: noteOf(cluster) },
      })),
    );
  return { ...summaryOf(cluster, await ask(link, () => handle.describe())), created };
}

function scheduleOptions(link: Link, cluster: string): ScheduleOptions {
  return {
    scheduleId: `${PREFIX}${cluster}`,
    spec: { intervals: [{ every: EVERY }] },
    action: {
      type: 'startWorkflow',
      workflowType: verifyRunbook.type,
      workflowId: `verify/${cluster}/scheduled`,
      taskQueue: link.config.taskQueue,
      args: [{ cluster }],
      workflowTaskTimeout: '1s',
      staticSummary: `verify ${cluster}, on schedule`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW },
    state: { note: noteOf(cluster) },
  };
}

const noteOf = (cluster: string): string =>
  `Verifies replication of ${cluster} every minute; a run fails when the verdict is bad. Kept by standfast schedule apply ${cluster}`;

function falseWhenThere(error: unknown): false {
  if (error instanceof ScheduleAlreadyRunning) return false;
  throw error;
}

/** The schedule of one cluster, or of all. */
export async function listVerifySchedules(link: Link, cluster?: string): Promise<readonly VerifySchedule[]> {
  const clusters = cluster === undefined ? await scheduledClusters(link) : [cluster];
  const found = await Promise.all(clusters.map((name) => describeSchedule(link, name)));
  return found.filter((entry) => entry !== null);
}

async function scheduledClusters(link: Link): Promise<readonly string[]> {
  return ask(link, async () => {
    const names: string[] = [];
    for await (const entry of link.client.schedule.list())
      if (entry.scheduleId.startsWith(PREFIX)) names.push(entry.scheduleId.slice(PREFIX.length));
    return names.sort();
  });
}

async function describeSchedule(link: Link, cluster: string): Promise<VerifySchedule | null> {
  const handle = link.client.schedule.getHandle(`${PREFIX}${cluster}`);
  const description = await ask(link, () => handle.describe().catch(nullWhenMissing));
  return description === null ? null : summaryOf(cluster, description);
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof ScheduleNotFoundError) return null;
  throw error;
}

function summaryOf(cluster: string, description: ScheduleDescription): VerifySchedule {
  const [next] = description.info.nextActionTimes;
  const { paused, note } = description.state;
  return {
    scheduleId: description.scheduleId,
    cluster,
    everySeconds: Math.round((description.spec.intervals?.[0]?.every ?? 0) / 1000),
    paused,
    note: note ?? '',
    nextRunAt: paused ? null : (next?.toISOString() ?? null),
  };
}
