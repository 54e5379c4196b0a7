import type { ClusterPorts, Ports, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { readStatus } from '../adapters/mariadb-status.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type {
  ClusterObservation,
  HelperAnswer,
  HostObservation,
  ServerAnswer,
  ServerStatus,
  Silence,
} from '../domain/observation.ts';
import { answeredRecords, isAnswering } from '../domain/observation.ts';
import { recordedPrimary } from '../domain/records.ts';
import type { Activities } from './contract.ts';
import { measureLag } from './lag.ts';
import { recordsFrom, refusalsFrom } from './records-answer.ts';
import { withRelayLogs } from './relay-logs.ts';

const LOOK_MS = 2_000;
/** Longer than two heartbeat periods (0.1 s), so that a living source is heard. */
const LISTEN_MS = 400;

const NOT_ASKED = { reach: 'silent', why: 'it is fenced, so it was not asked' } as const;

/** Asks every member but `leaveOut`: a host that is proven fenced has nothing to say, and waiting for its silence costs seconds. */
export async function observe(cluster: ClusterPorts, leaveOut: HostName | null = null): Promise<ClusterObservation> {
  const { description } = cluster;
  const databases = new Set(description.hosts.map((host) => host.name));
  const hosts = await Promise.all(
    memberNames(description).map(async (host): Promise<HostObservation> => {
      if (host === leaveOut) return { host, helper: NOT_ASKED, server: NOT_ASKED, hearsSource: null };
      const asked = askHelper(cluster, host);
      // Both at once: a fault of the one must not leave the other's unheard of.
      const [helper, server] = await Promise.all([
        asked,
        databases.has(host) ? serverOrItsAbsence(cluster, { host, helper: asked }) : null,
      ]);
      return { host, helper, server, hearsSource: null };
    }),
  );
  const seen: ClusterObservation = { cluster: description.cluster, at: new Date().toISOString(), hosts };
  return withHearing(cluster, seen, leaveOut);
}

async function askHelper(cluster: ClusterPorts, host: HostName): Promise<HelperAnswer> {
  const helper = cluster.helper(host);
  const { address, interface: device } = cluster.vip;
  try {
    const records = recordsFrom(host, await helper.request('records', {}, { timeoutMs: LOOK_MS }));
    const facts = await helper.request('observe', { vip: address, interface: device }, { timeoutMs: LOOK_MS });
    return {
      reach: 'answers',
      mysqld: facts['mysqld'] === 'running' ? 'running' : 'stopped',
      holdsVip: facts['vip'] === 'yes',
      role: Number(facts['role'] ?? 0),
      keepalived: facts['keepalived'] === 'running' ? 'running' : 'stopped',
      mac: facts['mac'] ?? '',
      diskFreeBytes: Number(facts['disk_free'] ?? 0),
      records,
      refusals: refusalsFrom(facts['refused'] ?? '', (address) => cluster.nameOf(address)),
      enforcesRefusals: facts['refusal'] !== 'no',
    };
  } catch (error) {
    // A member whose records are damaged takes no part, as in a claim: the others can do without it.
    return silenceOf(error, 'denied');
  }
}

/** A host that says that no server runs on it is believed at once; a connection to it may take seconds to fail. */
async function serverOrItsAbsence(
  cluster: ClusterPorts,
  { host, helper }: { readonly host: HostName; readonly helper: Promise<HelperAnswer> },
): Promise<ServerAnswer> {
  const absence = helper.then((answer): ServerAnswer | null =>
    answer.reach === 'answers' && answer.mysqld === 'stopped'
      ? { reach: 'refused', why: `no database server runs on ${host}` }
      : null,
  );
  const asked = askServer(cluster, host);
  return (await Promise.race([asked, absence])) ?? asked;
}

/** A claim ends the sessions of everybody who only looks, so a lost one is asked again, once. */
export async function askServer(cluster: ClusterPorts, host: HostName): Promise<ServerAnswer> {
  const answer = await askServerOnce(cluster, host);
  return answer.reach === 'lost' ? askServerOnce(cluster, host) : answer;
}

/** For steps that cannot go on without an answer. */
export async function statusOf(cluster: ClusterPorts, host: HostName): Promise<ServerStatus> {
  const answer = await askServer(cluster, host);
  if (isAnswering(answer)) return answer.status;
  throw new AdapterFailure({ type: 'Unreachable', host, silence: answer.reach, message: answer.why });
}

async function askServerOnce(cluster: ClusterPorts, host: HostName): Promise<ServerAnswer> {
  let session: Session | null = null;
  try {
    session = await cluster.session(host, { timeoutMs: LOOK_MS });
    const status = await readStatus(session, (address) => cluster.nameOf(address), { timeoutMs: LOOK_MS });
    return { reach: 'answers', status };
  } catch (error) {
    return silenceOf(error);
  } finally {
    session?.close();
  }
}

/** Silence is an answer; anything that is not a named silence is a fault and goes on. `unsafe`: what a refusal for safety counts as. */
function silenceOf(error: unknown, unsafe: Silence | null = null): Exclude<HelperAnswer, { reach: 'answers' }> {
  if (!(error instanceof AdapterFailure)) throw error;
  const reach = error.silence ?? (error.type === 'Unsafe' ? unsafe : null);
  if (reach === null) throw error;
  return { reach, why: error.message };
}

/** A replica's vote rests on what the replication protocol brought it while we looked, not on a row that we wrote. */
async function withHearing(
  cluster: ClusterPorts,
  seen: ClusterObservation,
  leaveOut: HostName | null,
): Promise<ClusterObservation> {
  const primary = recordedPrimary(answeredRecords(seen), seen.hosts.length);
  if (primary.kind !== 'known') return seen;
  const server = seen.hosts.find((entry) => entry.host === primary.record.host)?.server ?? null;
  if (isAnswering(server)) return seen;
  const asked = primary.record.host === leaveOut ? null : primary.record.host;
  const hosts = await Promise.all(seen.hosts.map((entry) => withOwnHearing(cluster, entry, asked)));
  return { ...seen, hosts };
}

/** A receiver that tries to connect gets no answer now. One that stands still sees nothing, so its host looks for itself. */
async function withOwnHearing(
  cluster: ClusterPorts,
  entry: HostObservation,
  primary: HostName | null,
): Promise<HostObservation> {
  const before = isAnswering(entry.server) ? entry.server.status.replication : null;
  if (before === null) return entry;
  if (before.receiver === 'connecting') return { ...entry, hearsSource: false };
  if (before.receiver === 'stopped') {
    const looks = primary === null ? null : greets(cluster, { primary, host: entry.host });
    const [seen, hearsSource] = await Promise.all([atRest(cluster, entry), looks]);
    return { ...seen, hearsSource };
  }
  await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
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
