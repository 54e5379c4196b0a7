import { connectedReplicas, endReplicationTo } from '../adapters/mariadb-connections.ts';
import { stopAcknowledging } from '../adapters/mariadb.ts';
import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { namesOfOthers } from '../domain/channels.ts';
import { connectedHosts } from '../domain/acknowledgement.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Refusal } from '../domain/observation.ts';
import type { Authority } from './authority.ts';
import { ensureHelper } from './equipping.ts';
import { LOOK_MS, askServer, askServers, glance, statusOf } from './asking.ts';
import { isStale } from './overtaken.ts';
import { refusalsFrom } from './records-answer.ts';
import { until } from './steps.ts';

const GONE_MS = 10_000;
const CONNECT_MS = 5_000;
const POLL_MS = 20;

/** One replica, and the server that it may replicate from. */
export interface Pair {
  readonly primary: HostName;
  readonly host: HostName;
}

interface Bounds {
  readonly signal: AbortSignal;
}

/**
 * From here on `host` cannot acknowledge a write of `primary`, whatever it does, and whether it answers or not: the kernel of the primary's host refuses its
 * address, also after the server has been opened anew, until {@link letIn}; and its connection was seen to be gone.
 * @throws AdapterFailure `Unsafe` when it is still connected: it comes from another address
 */
export async function shutOut(authority: Authority, { primary, host }: Pair, { signal }: Bounds): Promise<void> {
  const { address } = authority.cluster.endpoint(host);
  await ensureHelper(authority.cluster, primary);
  await authority.order(primary, 'refuse-replica', { address });
  await seeGone(authority, { primary, host }, { signal });
}

/** The refusals on record are enforced by the kernel again, and nobody whom they name is connected: a reboot takes such rules away. */
export async function keepOut(authority: Authority, primary: HostName, { signal }: Bounds): Promise<void> {
  const { cluster } = authority;
  await ensureHelper(cluster, primary);
  const answer = await authority.order(primary, 'refuse-replica');
  for (const { host } of refusalsFrom(answer['refused'] ?? '', (address) => cluster.nameOf(address)))
    if (host !== null && host !== primary) await seeGone(authority, { primary, host }, { signal });
}

async function seeGone(authority: Authority, { primary, host }: Pair, { signal }: Bounds): Promise<void> {
  const { cluster } = authority;
  const { address } = cluster.endpoint(host);
  const { hosts } = cluster.description;
  const statuses = await askServers(cluster, [host]);
  const gone = await authority.withSession(primary, (session) =>
    until(
      async () => {
        await endReplicationTo(session, address);
        const connected = connectedHosts({ hosts, statuses }, await connectedReplicas(session));
        return connected.includes(host) ? null : true;
      },
      { signal, everyMs: POLL_MS, forMs: GONE_MS },
    ),
  );
  if (gone === null)
    throw new AdapterFailure({
      type: 'Unsafe',
      host,
      message: `${primary} refuses ${address} and ${host} is still connected to it, so from another address; it may still acknowledge writes. Correct its address in the inventory, or stop replication on it`,
    });
}

/**
 * Lets `host` connect again, when it was refused. Under the refusal that is seen now: one that somebody else makes meanwhile stands.
 * The caller has put it on record, or made sure that it acknowledges nothing.
 */
export async function letIn(authority: Authority, { primary, host }: Pair): Promise<void> {
  const refusal = await refusalOf(authority.cluster, { primary, host });
  if (refusal !== null)
    await authority.order(primary, 'admit-replica', {
      address: refusal.address,
      refused_at: String(refusal.epoch),
    });
}

export async function refusalOf(cluster: ClusterPorts, { primary, host }: Pair): Promise<Refusal | null> {
  const facts = await glance(cluster, primary);
  const { address } = cluster.endpoint(host);
  return refusalsFrom(facts['refused'] ?? '', () => host).find((one) => one.address === address) ?? null;
}

/**
 * Tells a refused replica to acknowledge nothing, and lets it in again when it is seen to obey: it goes on replicating and counts for nothing.
 * @returns null, or why it stays refused
 */
export async function quieten(
  authority: Authority,
  { primary, host }: Pair,
  { signal }: Bounds,
): Promise<string | null> {
  try {
    if (await isDown(authority.cluster, host)) {
      // It boots with its receiver stopped and without the setting.
      await letIn(authority, { primary, host });
      return null;
    }
    const { replication, semiSync: before } = await statusOf(authority.cluster, host);
    if (before.replicaEnabled || before.replicaActive)
      await authority.withSession(host, (session) => stopAcknowledging(session, replication?.receiver ?? 'stopped'));
    const after = await statusOf(authority.cluster, host);
    if (after.semiSync.replicaEnabled || after.semiSync.replicaActive) return `${host} still acknowledges`;
    // What is told to its own channel is not told to another one, which goes on as it connected.
    const others = namesOfOthers(after);
    if (others !== null) return `${host} has a replication channel that is not the cluster's: ${others}`;
    await letIn(authority, { primary, host });
    // It tries again once a second; whoever looks next should not find it on its way.
    const isBack = async (): Promise<true | null> =>
      (await statusOf(authority.cluster, host)).replication?.receiver === 'connecting' ? null : true;
    await until(isBack, { signal, everyMs: POLL_MS, forMs: CONNECT_MS });
    return null;
  } catch (error) {
    if (!(error instanceof AdapterFailure) || isStale(error)) throw error;
    return error.message;
  }
}

/** By two words: the helper may not know every way in which somebody runs a server. */
async function isDown(cluster: ClusterPorts, host: HostName): Promise<boolean> {
  const facts = await cluster.helper(host).request('observe', {}, { timeoutMs: LOOK_MS });
  return facts['mysqld'] !== 'running' && (await askServer(cluster, host)).reach === 'refused';
}
