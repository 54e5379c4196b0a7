import { readStatus } from '../adapters/mariadb-status.ts';
import type { ClusterPorts, HelperAnswerFields, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { HelperAnswer, ServerAnswer, ServerStatus, Silence } from '../domain/observation.ts';
import { isAnswering } from '../domain/observation.ts';
import { recordsFrom, refusalsFrom } from './records-answer.ts';

/** One question to one host. */
export const LOOK_MS = 2_000;

/** Null: the helper does not say. */
export const diskFreeBytes = ({ disk_free: free = '' }: HelperAnswerFields): number | null =>
  free === '' ? null : Number(free);

export async function askHelper(cluster: ClusterPorts, host: HostName): Promise<HelperAnswer> {
  return answerOrAbsence(async () => {
    const records = await cluster.helper(host).request('records', {}, { timeoutMs: LOOK_MS });
    return answerFrom(cluster, host, { records, facts: await askFacts(cluster, host) });
  });
}

export async function askBriefly(cluster: ClusterPorts, host: HostName): Promise<HelperAnswer> {
  return answerOrAbsence(async () => {
    const said = await glance(cluster, host);
    return answerFrom(cluster, host, { records: said, facts: said });
  });
}

const askFacts = (cluster: ClusterPorts, host: HostName, timeoutMs = LOOK_MS): Promise<HelperAnswerFields> => {
  const { address, interface: device } = cluster.vip;
  return cluster.helper(host).request('observe', { vip: address, interface: device }, { timeoutMs });
};

interface Said {
  readonly records: HelperAnswerFields;
  readonly facts: HelperAnswerFields;
}

/** For so long the kernel of the host keeps everybody but members from a server that lives. */
export const refusesClientsMs = ({ refuses_clients: seconds = '0' }: HelperAnswerFields): number =>
  1_000 * Number(seconds);

const answerFrom = (cluster: ClusterPorts, host: HostName, { records, facts }: Said): HelperAnswer => ({
  reach: 'answers',
  mysqld: facts['mysqld'] === 'running' ? 'running' : 'stopped',
  holdsVip: facts['vip'] === 'yes',
  role: Number(facts['role'] ?? 0),
  keepalived: facts['keepalived'] === 'running' ? 'running' : 'stopped',
  mac: facts['mac'] ?? '',
  diskFreeBytes: diskFreeBytes(facts),
  records: recordsFrom(host, records),
  refusals: refusalsFrom(facts['refused'] ?? '', (address) => cluster.nameOf(address)),
  enforcesRefusals: facts['refusal'] !== 'no',
  ...(refusesClientsMs(facts) > 0 ? { refusesClients: true } : {}),
});

/**
 * The records, and what changes in a failover (`mysqld`, `keepalived`, `role`, `vip`, `refused`), for which the helper starts no process. One of an earlier
 * version does.
 * @throws AdapterFailure with its silence
 */
export async function glance(cluster: ClusterPorts, host: HostName, timeoutMs = LOOK_MS): Promise<HelperAnswerFields> {
  const said = await cluster.helper(host).request('records', {}, { timeoutMs });
  if (said['addresses'] === undefined) return { ...said, ...(await askFacts(cluster, host, timeoutMs)) };
  return { ...said, vip: said['addresses'].split(',').includes(cluster.vip.address) ? 'yes' : 'no' };
}

interface Asking {
  readonly host: HostName;
  readonly helper: Promise<HelperAnswer>;
  readonly fullMs?: number;
}

/** A host that says that no server runs on it is believed at once; a connection to it may take seconds to fail. */
export async function serverOrItsAbsence(
  cluster: ClusterPorts,
  { host, helper, fullMs }: Asking,
): Promise<ServerAnswer> {
  const absence = helper.then((answer): ServerAnswer | null =>
    answer.reach === 'answers' && answer.mysqld === 'stopped'
      ? { reach: 'refused', why: `no database server runs on ${host}` }
      : null,
  );
  const asked = askServer(cluster, host, fullMs);
  return (await Promise.race([asked, absence])) ?? asked;
}

/** A claim ends the sessions of everybody who only looks, so a lost one is asked again, once. */
export async function askServer(cluster: ClusterPorts, host: HostName, fullMs = LOOK_MS): Promise<ServerAnswer> {
  const answer = await askServerOnce(cluster, host, fullMs);
  return answer.reach === 'lost' ? askServerOnce(cluster, host, fullMs) : answer;
}

/** Whether the primary greets whoever connects from that host; null: the host cannot look, as with a helper of an earlier version. */
export async function greets(
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

/** At once; silence is left out. */
export async function askServers(
  cluster: ClusterPorts,
  hosts: readonly HostName[],
): Promise<ReadonlyMap<HostName, ServerStatus>> {
  const answers = await Promise.all(hosts.map(async (host) => [host, await askServer(cluster, host)] as const));
  return new Map(answers.flatMap(([host, answer]) => (isAnswering(answer) ? [[host, answer.status] as const] : [])));
}

/** For steps that cannot go on without an answer. */
export async function statusOf(cluster: ClusterPorts, host: HostName): Promise<ServerStatus> {
  const answer = await askServer(cluster, host);
  if (isAnswering(answer)) return answer.status;
  throw new AdapterFailure({ type: 'Unreachable', host, silence: answer.reach, message: answer.why });
}

async function askServerOnce(cluster: ClusterPorts, host: HostName, fullMs: number): Promise<ServerAnswer> {
  let session: Session | null = null;
  try {
    session = await cluster.session(host, { timeoutMs: LOOK_MS, fullMs });
    const status = await readStatus(session, (address) => cluster.nameOf(address), { timeoutMs: LOOK_MS });
    return { reach: 'answers', status };
  } catch (error) {
    return silenceOf(error);
  } finally {
    session?.close();
  }
}

/** One that is silent, or whose records are damaged: the others can do without it, as in a claim. */
export const takesNoPart = (error: unknown): error is AdapterFailure =>
  error instanceof AdapterFailure && (error.silence !== null || error.type === 'Unsafe');

/** What ended the question once may be over by now; a helper that says it again is left out, and keeps nobody else from being looked at. */
async function answerOrAbsence(ask: () => Promise<HelperAnswer>): Promise<HelperAnswer> {
  try {
    return await ask().catch((error: unknown) => (isOfTheMoment(error) ? ask() : Promise.reject(error as Error)));
  } catch (error) {
    if (!takesNoPart(error) && !isOfTheMoment(error)) throw error;
    // With damaged records it obeys no order; with an error of the moment it may.
    return { reach: error.silence ?? (isOfTheMoment(error) ? 'faulty' : 'denied'), why: error.message };
  }
}

const isOfTheMoment = (error: unknown): error is AdapterFailure =>
  error instanceof AdapterFailure && error.silence === null && ['NotYet', 'Unverified'].includes(error.type);

/**
 * Of a server, silence is an answer, and so is an error of its own: it lives, and one that cannot serve this look must not keep a whole cluster from being looked
 * at. Anything else, as what this machine lacks, is a fault and goes on.
 */
export function silenceOf(error: unknown): Exclude<ServerAnswer, { reach: 'answers' }> {
  if (!(error instanceof AdapterFailure)) throw error;
  const reach = reachIn(error);
  if (reach === null) throw error;
  return { reach, why: error.message };
}

/** How a server that gave no answer was met; null: it was not asked, for a reason on this side. */
export const reachIn = ({ silence, facts }: AdapterFailure): Silence | null =>
  silence ?? (Number(facts['errno'] ?? 0) > 0 ? 'faulty' : null);
