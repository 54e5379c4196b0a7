import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { missingWriter } from '../adapters/mariadb-heartbeat.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost, memberNames } from '../domain/cluster.ts';
import { judgeDeclaredId } from '../domain/likeness.ts';
import type { ClusterObservation, HostObservation, ServerStatus } from '../domain/observation.ts';
import { isAnswering, observationOf } from '../domain/observation.ts';
import type { Obstacle } from '../domain/preflight.ts';
import { judgeFitness, judgePrimarySettings } from '../domain/preflight.ts';
import { recordedPrimary } from '../domain/records.ts';
import { readRecords } from './confirming.ts';
import { observe } from './observing.ts';
import { unsafe } from './refusal.ts';

/** @throws `Unsafe` with each missing setting by name */
export function checkSettings(host: HostName, server: HostObservation['server']): ServerStatus {
  if (!isAnswering(server)) throw new AdapterFailure({ type: 'Unreachable', host, message: `${host} does not answer` });
  refuseFor(host, 'lacks settings of a primary', judgePrimarySettings(server.status));
  return server.status;
}

/** @throws `Unsafe` with everything that keeps a server from coming into care, or from counting */
export const checkFitness = ({ description }: ClusterPorts, host: HostName, status: ServerStatus): void => {
  const obstacles = [...judgeFitness(status), ...judgeDeclaredId(describeHost(description, host), status.serverId)];
  refuseFor(host, 'cannot be taken into care as it is', obstacles);
};

function refuseFor(host: HostName, what: string, obstacles: readonly Obstacle[]): void {
  if (obstacles.length === 0) return;
  throw unsafe(host, `${host} ${what}: ${obstacles.map((one) => `${one.explains} (${one.remedy})`).join('; ')}`);
}

/**
 * The same checks before anything is touched. To equip a member replaces its keepalived's configuration: a primary that is refused after that
 * would stand without the VIP that it held.
 */
export async function checkBeforeEquipping(cluster: ClusterPorts, host: HostName): Promise<void> {
  const members = memberNames(cluster.description);
  // A recorded primary that restarted is to be opened soon: it is not observed once more.
  const recorded = recordedPrimary([...(await readRecords(cluster, members)).values()], members.length);
  if (recorded.kind !== 'nothing') return;
  const seen = await observe(cluster);
  // A server that does not run holds no client; it is started, closed, before it is judged.
  if (isAnswering(observationOf(seen, host).server)) await checkAdoption(cluster, host, seen);
}

/** Nothing is recorded yet: whoever might be the primary besides `host` has to be seen, and seen to refuse writes. */
export async function checkAdoption(
  cluster: ClusterPorts,
  host: HostName,
  seen: ClusterObservation,
): Promise<ServerStatus> {
  const own = checkSettings(host, observationOf(seen, host).server);
  checkFitness(cluster, host, own);
  if (own.replication !== null)
    throw unsafe(
      host,
      `${host} replicates from ${own.replication.source ?? 'another server'}; prepare the primary instead. Nothing was changed on it`,
    );
  for (const entry of seen.hosts) {
    if (entry.host === host || entry.server === null) continue;
    const isStopped = isAnswering(entry.helper) && entry.helper.mysqld === 'stopped';
    const isReadOnly = isAnswering(entry.server) && entry.server.status.readOnly;
    if (!isStopped && !isReadOnly)
      throw unsafe(
        host,
        `it is not known that ${entry.host} accepts no writes (${isAnswering(entry.server) ? 'it does' : entry.server.why}); ${host} is not made primary beside it. If ${entry.host} is the primary, prepare that one; otherwise SET GLOBAL read_only=1 there, or stop its server (systemctl stop mariadb) until it is provisioned, and prepare ${host} again`,
      );
  }
  await checkAccounts(cluster, host);
  return own;
}

async function checkAccounts(cluster: ClusterPorts, host: HostName): Promise<void> {
  const session = await cluster.session(host);
  try {
    const statements = await missingWriter(session);
    if (statements !== null)
      throw unsafe(
        host,
        `${host} lacks the account that writes heartbeat rows. Nothing was changed. As its administrator: ${statements}`,
      );
  } finally {
    session.close();
  }
}
