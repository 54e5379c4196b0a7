import type { ClusterPorts } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { saysSomething } from '../domain/hearing.ts';
import type { ClusterObservation, HostObservation, ReplicationStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering } from '../domain/observation.ts';
import { recordedPrimary } from '../domain/records.ts';
import { askServer, greets } from './asking.ts';
import type { Waits } from './patience.ts';
import { withRelayLogs } from './relay-logs.ts';

/** What a replica had received of its source, and since when it has received nothing more, on this worker's monotonic clock. */
export interface HeardNothing {
  readonly replication: ReplicationStatus;
  readonly sinceMs: number;
}

interface Listening {
  readonly leaveOut: HostName | null;
  /** When the hosts were asked, and when each had answered, on this worker's monotonic clock. */
  readonly startedMs: number;
  readonly sampledMs: ReadonlyMap<HostName, number>;
  readonly listenMs: number;
  readonly waiting: Waits;
  readonly heardNothing?: ReadonlyMap<HostName, HeardNothing>;
}

/** A replica's vote rests on what the replication protocol brought it while we looked, not on a row that we wrote. */
export async function withHearing(
  cluster: ClusterPorts,
  seen: ClusterObservation,
  { leaveOut, startedMs, sampledMs, listenMs, waiting, heardNothing }: Listening,
): Promise<ClusterObservation> {
  const primary = recordedPrimary(answeredRecords(seen), seen.hosts.length);
  if (primary.kind !== 'known') return seen;
  const server = seen.hosts.find((entry) => entry.host === primary.record.host)?.server ?? null;
  if (isAnswering(server)) return seen;
  const asked = primary.record.host === leaveOut ? null : primary.record.host;
  const hosts = await Promise.all(
    seen.hosts.map((entry) => {
      const ear = {
        primary: asked,
        askedMs: startedMs,
        answeredMs: sampledMs.get(entry.host) ?? performance.now(),
        ...{ listenMs, earlier: heardNothing?.get(entry.host) },
      };
      return waiting.forHearing(entry, withOwnHearing(cluster, entry, ear));
    }),
  );
  return { ...seen, hosts };
}

/** The replicas that heard nothing while a look was taken. */
export function heardNothingSince({
  seen,
  sampledMs,
}: {
  readonly seen: ClusterObservation;
  readonly sampledMs: ReadonlyMap<HostName, number>;
}): ReadonlyMap<HostName, HeardNothing> {
  return new Map(
    seen.hosts.flatMap(({ host, server, hearsSource }) => {
      const replication = isAnswering(server) ? server.status.replication : null;
      const sinceMs = sampledMs.get(host);
      if (hearsSource !== false || replication === null || sinceMs === undefined) return [];
      return [[host, { replication, sinceMs }] as const];
    }),
  );
}

interface Ear {
  /** Null: not to be asked. */
  readonly primary: HostName | null;
  /** When the replica was asked, at the earliest, and when it had answered, at the latest: what it said is of a moment between them. */
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly listenMs: number;
  readonly earlier: HeardNothing | undefined;
}

/** A receiver that tries to connect gets no answer now. Of one that stands still, or need not have heard anything yet, its host looks for itself. */
async function withOwnHearing(cluster: ClusterPorts, entry: HostObservation, ear: Ear): Promise<HostObservation> {
  const now = isAnswering(entry.server) ? entry.server.status.replication : null;
  if (now === null) return entry;
  if (now.receiver === 'connecting') return { ...entry, hearsSource: false };
  const { primary, listenMs } = ear;
  const look = (): Promise<boolean | null> | null =>
    primary === null ? null : greets(cluster, { primary, host: entry.host });
  if (now.receiver === 'stopped') {
    const [seen, hearsSource] = await Promise.all([atRest(cluster, entry), look()]);
    return { ...seen, hearsSource };
  }
  const heard = await withReceived(cluster, entry, { ...ear, now });
  if (heard.hearsSource !== false || saysSomething(now, listenMs)) return heard;
  return { ...heard, hearsSource: await look() };
}

/** Of a receiver that runs: whether anything came while we looked. */
async function withReceived(
  cluster: ClusterPorts,
  entry: HostObservation,
  { now, askedMs, answeredMs, listenMs, earlier }: Ear & { readonly now: ReplicationStatus },
): Promise<HostObservation> {
  const before = earlier !== undefined && isOneChannel(earlier.replication, now) ? earlier : null;
  const untilMs = (before?.sinceMs ?? answeredMs) + listenMs;
  // It has listened for long enough, or has heard something since.
  if (before !== null && (askedMs >= untilMs || hasHeard(before.replication, now)))
    return { ...entry, hearsSource: hasHeard(before.replication, now) };
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, untilMs - performance.now())));
  const again = await askServer(cluster, entry.host);
  const after = isAnswering(again) ? again.status.replication : null;
  if (after === null) return entry;
  return { ...entry, server: again, hearsSource: hasHeard(before?.replication ?? now, after) };
}

/** Receiving from one source all the time, as far as can be seen. */
const isOneChannel = (before: ReplicationStatus, after: ReplicationStatus): boolean =>
  before.receiver === 'running' && before.source === after.source;

const hasHeard = (before: ReplicationStatus, after: ReplicationStatus): boolean =>
  after.receiver === 'running' &&
  (after.heartbeatsReceived !== before.heartbeatsReceived ||
    after.received !== before.received ||
    after.readUpTo !== before.readUpTo);

async function atRest(cluster: ClusterPorts, entry: HostObservation): Promise<HostObservation> {
  if (!isAnswering(entry.server)) return entry;
  return {
    ...entry,
    server: { ...entry.server, status: await withRelayLogs(cluster, entry.host, entry.server.status) },
  };
}
