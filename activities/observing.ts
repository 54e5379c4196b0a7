import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { ClusterObservation, HelperAnswer, HostObservation, ServerAnswer } from '../domain/observation.ts';
import { isAnswering, observationOf } from '../domain/observation.ts';
import { askBriefly, askHelper, LOOK_MS, serverOrItsAbsence } from './asking.ts';
import type { Activities } from './contract.ts';
import { Elsewhere } from './elsewhere.ts';
import { measureLag } from './lag.ts';
import type { HeardNothing } from './listening.ts';
import { heardNothingSince, withHearing } from './listening.ts';
import type { Patience, Waits } from './patience.ts';
import { FOR_EVERYBODY, recordedSoon, Waiting } from './patience.ts';

/** Longer than two heartbeat periods (0.1 s), so that a living source is heard. */
const LISTEN_MS = 400;

const NOT_ASKED = { reach: 'silent', why: 'it is fenced, so it was not asked' } as const;

/** Asks every member but `leaveOut`: a host that is proven fenced has nothing to say, and waiting for its silence costs seconds. */
export const observe = async (cluster: ClusterPorts, leaveOut: HostName | null = null): Promise<ClusterObservation> =>
  (await look(cluster, { leaveOut, ...EVERYBODY, helperOf: (host) => askHelper(cluster, host) })).seen;

/** The same without what a failover does not decide by, which takes a helper most of its time: hardware address, free space, enforced rules. */
export const observeBriefly = (cluster: ClusterPorts, patience: Patience): Promise<Sampled> =>
  look(cluster, { leaveOut: null, ...hurried(cluster, patience), helperOf: (host) => askBriefly(cluster, host) });

/** A look, and when it was taken, on this worker's monotonic clock. */
export interface Sampled {
  readonly seen: ClusterObservation;
  readonly startedMs: number;
  /** When each host had answered. */
  readonly sampledMs: ReadonlyMap<HostName, number>;
}

/** What was seen a moment ago. */
export interface Earlier {
  readonly first: Sampled;
  /** Hosts whose helper is asked anew; so are the ones that did not answer, or said that no server runs. */
  readonly anew: readonly HostName[];
}

/**
 * Asks every server again. What the helpers said a moment ago stands, since most of the time of an observation is theirs. A replica that heard nothing of a
 * silent primary then has been listening since, so it is not made to listen as long again.
 */
export const observeServers = async (
  cluster: ClusterPorts,
  { first, anew }: Earlier,
  patience: Patience,
): Promise<ClusterObservation> => {
  const again = await look(cluster, {
    leaveOut: null,
    ...hurried(cluster, patience),
    heardNothing: heardNothingSince(first),
    helperOf: (host) => {
      const { helper } = observationOf(first.seen, host);
      const stands = isAnswering(helper) && helper.mysqld === 'running' && !anew.includes(host);
      return stands ? Promise.resolve(helper) : askBriefly(cluster, host);
    },
  });
  return again.seen;
};

export interface Look {
  readonly leaveOut: HostName | null;
  /** @param asked what each helper will say */
  readonly waits: (asked: readonly Promise<HelperAnswer>[]) => Waits;
  readonly listenMs: number;
  /** The other sites are asked beside everybody here, not only when the primary said nothing. */
  readonly sitesAtOnce: boolean;
  /** As an earlier look left them. */
  readonly heardNothing?: ReadonlyMap<HostName, HeardNothing>;
  readonly helperOf: (host: HostName) => Promise<HelperAnswer>;
}

type Manner = Pick<Look, 'waits' | 'listenMs' | 'sitesAtOnce'>;

const EVERYBODY: Manner = { waits: () => FOR_EVERYBODY, listenMs: LISTEN_MS, sitesAtOnce: false };

const hurried = (cluster: ClusterPorts, patience: Patience): Manner => ({
  waits: (asked) => new Waiting(cluster, patience, recordedSoon(memberNames(cluster.description).length, asked)),
  listenMs: patience.listenMs,
  sitesAtOnce: true,
});

export async function look(
  cluster: ClusterPorts,
  { leaveOut, waits, helperOf, sitesAtOnce, ...hearing }: Look,
): Promise<Sampled> {
  const { description } = cluster;
  const startedMs = performance.now();
  const databases = new Set(description.hosts.map((host) => host.name));
  const members = memberNames(description);
  const asked = new Map(members.filter((host) => host !== leaveOut).map((host) => [host, helperOf(host)]));
  const waiting = waits([...asked.values()]);
  const elsewhere = new Elsewhere(cluster);
  if (sitesAtOnce) elsewhere.askSoon(() => recordedSoon(members.length, [...asked.values()]));
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
  const [heard, sights] = await Promise.all([
    withHearing(cluster, seen, { leaveOut, startedMs, sampledMs, waiting, ...hearing }),
    elsewhere.about(seen, leaveOut),
  ]);
  return { seen: sights === null ? heard : { ...heard, elsewhere: sights }, startedMs, sampledMs };
}

export const observingActivities = (
  ports: Ports,
): Pick<Activities, 'describeCluster' | 'observeCluster' | 'measureLag'> => ({
  describeCluster: async ({ cluster }) => (await ports.cluster(cluster)).description,
  observeCluster: async ({ cluster }) => observe(await ports.cluster(cluster)),
  measureLag: async ({ cluster, primary }) => measureLag(await ports.cluster(cluster), primary),
});
