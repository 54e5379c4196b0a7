import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ClusterObservation, HostObservation, ReplicationStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering } from '../domain/observation.ts';
import { recordedPrimary } from '../domain/records.ts';
import { askServer, LOOK_MS } from './asking.ts';
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

/** A receiver that tries to connect gets no answer now. One that stands still sees nothing, so its host looks for itself. */
async function withOwnHearing(
  cluster: ClusterPorts,
  entry: HostObservation,
  { primary, askedMs, answeredMs, listenMs, earlier }: Ear,
): Promise<HostObservation> {
  const now = isAnswering(entry.server) ? entry.server.status.replication : null;
  if (now === null) return entry;
  if (now.receiver === 'connecting') return { ...entry, hearsSource: false };
  if (now.receiver === 'stopped') {
    const looks = primary === null ? null : greets(cluster, { primary, host: entry.host });
    const [seen, hearsSource] = await Promise.all([atRest(cluster, entry), looks]);
    return { ...seen, hearsSource };
  }
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

/** Null: the host cannot look, as with a helper of an earlier version. */
async function greets(
  cluster: ClusterPorts,
  { primary, host }: { readonly primary: HostName; readonly host: HostName },
): Promise<boolean | null> {
  const { address, port } = cluster.endpoint(primary);
  try {
    const look = { address, target_port: String(port) };
    return (await cluster.helper(host).request('server-probe', look, { timeoutMs: LOOK_MS }))['greets'] === 'yes';
  } catch (error) {
    if (error instanceof AdapterFailure) return null;
    throw error;
  }
}

async function atRest(cluster: ClusterPorts, entry: HostObservation): Promise<HostObservation> {
  if (!isAnswering(entry.server)) return entry;
  return {
    ...entry,
    server: { ...entry.server, status: await withRelayLogs(cluster, entry.host, entry.server.status) },
  };
}
