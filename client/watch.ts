import { watchId } from '../domain/addresses.ts';
import type { WatchDetails } from '../domain/watch.ts';
import type { Link } from './connection.ts';
import { ask, describeRun } from './connection.ts';

/** `PENDING_ACTIVITY_STATE_STARTED` of the API: a worker has it, and was heard of within the heartbeat timeout. */
const STARTED = 2;

export interface WatchSight {
  /** Identity of the worker that has the shard now; null: nobody has. */
  readonly watcher: string | null;
  /** What it, or the one before it, said last. */
  readonly details: WatchDetails | null;
}

export interface WatchQuestion {
  readonly shard: string;
  readonly deadlineMs?: number | undefined;
}

/** The run that watches a shard, as Temporal knows it. Asks no worker. */
export async function lookAtWatch(link: Link, { shard, deadlineMs }: WatchQuestion): Promise<WatchSight> {
  const described = await ask(link, () => describeRun(link, watchId(shard)), deadlineMs);
  // One that was ended from outside still shows what it was at.
  const watching = described?.status.name === 'RUNNING' ? described.raw.pendingActivities?.[0] : undefined;
  const data = watching?.heartbeatDetails?.payloads?.[0]?.data;
  return {
    watcher: Number(watching?.state) === STARTED ? (watching?.lastWorkerIdentity ?? null) : null,
    details: data === undefined || data === null ? null : (JSON.parse(new TextDecoder().decode(data)) as WatchDetails),
  };
}

/** The shard's watcher has taken the cluster up, and knows its primary. */
export const watches = ({ watcher, details }: WatchSight, cluster: string): boolean =>
  watcher !== null &&
  details !== null &&
  Object.hasOwn(details.clusters, cluster) &&
  !details.withoutPrimary.includes(cluster);
