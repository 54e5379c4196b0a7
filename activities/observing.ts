import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { ClusterObservation, HelperAnswer, HostObservation, ServerAnswer } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import { recordedPrimary } from '../domain/records.ts';
import { askBriefly, askHelper, askServer, LOOK_MS, serverOrItsAbsence } from './asking.ts';
import type { Activities } from './contract.ts';
import { measureLag } from './lag.ts';
import type { Patience, Waits } from './patience.ts';
import { FOR_EVERYBODY, recordedSoon, Waiting } from './patience.ts';
import { withRelayLogs } from './relay-logs.ts';

/** Longer than two heartbeat periods (0.1 s), so that a living source is heard. */
const LISTEN_MS = 400;

const NOT_ASKED = { reach: 'silent', why: 'it is fenced, so it was not asked' } as const;

/** Asks every member but `leaveOut`: a host that is proven fenced has nothing to say, and waiting for its silence costs seconds. */
export const observe = (cluster: ClusterPorts, leaveOut: HostName | null = null): Promise<ClusterObservation> =>
  look(cluster, { leaveOut, ...EVERYBODY, helperOf: (host) => askHelper(cluster, host) });

/** The same without what a failover does not decide by, which takes a helper most of its time: hardware address, free space, enforced rules. */
export const observeBriefly = (cluster: ClusterPorts, patience: Patience): Promise<ClusterObservation> =>
  look(cluster, { leaveOut: null, ...hurried(cluster, patience), helperOf: (host) => askBriefly(cluster, host) });

/** What was seen a moment ago. */
export interface Earlier {
  readonly seen: ClusterObservation;
  /** Hosts whose helper is asked anew; so are the ones that did not answer, or said that no server runs. */
  readonly anew: readonly HostName[];
}

/** Asks every server again. What the helpers said a moment ago stands, since most of the time of an observation is theirs. */
export const observeServers = (
  cluster: ClusterPorts,
  { seen, anew }: Earlier,
  patience: Patience,
): Promise<ClusterObservation> =>
  look(cluster, {
    leaveOut: null,
    ...hurried(cluster, patience),
    helperOf: (host) => {
      const { helper } = observationOf(seen, host);
      const stands = isAnswering(helper) && helper.mysqld === 'running' && !anew.includes(host);
      return stands ? Promise.resolve(helper) : askBriefly(cluster, host);
    },
  });

export interface Look {
  readonly leaveOut: HostName | null;
  /** @param asked what each helper will say */
  readonly waits: (asked: readonly Promise<HelperAnswer>[]) => Waits;
  readonly listenMs: number;
  readonly helperOf: (host: HostName) => Promise<HelperAnswer>;
}

const EVERYBODY: Pick<Look, 'waits' | 'listenMs'> = { waits: () => FOR_EVERYBODY, listenMs: LISTEN_MS };

const hurried = (cluster: ClusterPorts, patience: Patience): Pick<Look, 'waits' | 'listenMs'> => ({
  waits: (asked) => new Waiting(cluster, patience, recordedSoon(memberNames(cluster.description).length, asked)),
  listenMs: patience.listenMs,
});

export async function look(
  cluster: ClusterPorts,
  { leaveOut, waits, listenMs, helperOf }: Look,
): Promise<ClusterObservation> {
  const { description } = cluster;
  const databases = new Set(description.hosts.map((host) => host.name));
  const members = memberNames(description);
  const asked = new Map(members.filter((host) => host !== leaveOut).map((host) => [host, helperOf(host)]));
  const waiting = waits([...asked.values()]);
  const sampledMs = new Map<HostName, number>();
  const hosts = await Promise.all(
    members.map(async (host): Promise<HostObservation> => {
      const helper = asked.get(host);
      if (helper === undefined) return { host, helper: NOT_ASKED, server: NOT_ASKED, hearsSource: null };
      const ask = (fullMs = LOOK_MS): Promise<ServerAnswer> => serverOrItsAbsence(cluster, { host, helper, fullMs });
      // Both at once: a fault of the one must not leave the other's unheard of.
      const [ownHelper, ownServer] = await Promise.all([
        waiting.forHelper(host, helper),
        databases.has(host) ? waiting.forServer(host, ask) : null,
      ]);
      sampledMs.set(host, performance.now());
      return { host, helper: ownHelper, server: ownServer, hearsSource: null };
    }),
  );
  const seen: ClusterObservation = { cluster: description.cluster, at: new Date().toISOString(), hosts };
  return withHearing(cluster, seen, { leaveOut, sampledMs, listenMs, waiting });
}

interface Listening {
  readonly leaveOut: HostName | null;
  /** When each host had answered, on this worker's monotonic clock. */
  readonly sampledMs: ReadonlyMap<HostName, number>;
  readonly listenMs: number;
  readonly waiting: Waits;
}

/** A replica's vote rests on what the replication protocol brought it while we looked, not on a row that we wrote. */
async function withHearing(
  cluster: ClusterPorts,
  seen: ClusterObservation,
  { leaveOut, sampledMs, listenMs, waiting }: Listening,
): Promise<ClusterObservation> {
  const primary = recordedPrimary(answeredRecords(seen), seen.hosts.length);
  if (primary.kind !== 'known') return seen;
  const server = seen.hosts.find((entry) => entry.host === primary.record.host)?.server ?? null;
  if (isAnswering(server)) return seen;
  const asked = primary.record.host === leaveOut ? null : primary.record.host;
  const hosts = await Promise.all(
    seen.hosts.map((entry) => {
      const untilMs = (sampledMs.get(entry.host) ?? performance.now()) + listenMs;
      return waiting.forHearing(entry, withOwnHearing(cluster, entry, { primary: asked, untilMs }));
    }),
  );
  return { ...seen, hosts };
}

/** A receiver that tries to connect gets no answer now. One that stands still sees nothing, so its host looks for itself. */
async function withOwnHearing(
  cluster: ClusterPorts,
  entry: HostObservation,
  { primary, untilMs }: { readonly primary: HostName | null; readonly untilMs: number },
): Promise<HostObservation> {
  const before = isAnswering(entry.server) ? entry.server.status.replication : null;
  if (before === null) return entry;
  if (before.receiver === 'connecting') return { ...entry, hearsSource: false };
  if (before.receiver === 'stopped') {
    const looks = primary === null ? null : greets(cluster, { primary, host: entry.host });
    const [seen, hearsSource] = await Promise.all([atRest(cluster, entry), looks]);
    return { ...seen, hearsSource };
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, untilMs - performance.now())));
  const again = await askServer(cluster, entry.host);
  const after = isAnswering(again) ? again.status.replication : null;
  if (after === null) return entry;
  const heard =
    after.receiver === 'running' &&
    (after.heartbeatsReceived !== before.heartbeatsReceived ||
      after.received !== before.received ||
      after.readUpTo !== before.readUpTo);
  return { ...entry, server: again, hearsSource: heard };
}

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

export const observingActivities = (
  ports: Ports,
): Pick<Activities, 'describeCluster' | 'observeCluster' | 'measureLag'> => ({
  describeCluster: async ({ cluster }) => (await ports.cluster(cluster)).description,
  observeCluster: async ({ cluster }) => observe(await ports.cluster(cluster)),
  measureLag: async ({ cluster, primary }) => measureLag(await ports.cluster(cluster), primary),
});
