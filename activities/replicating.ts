import { Context } from '@temporalio/activity';
import type { ClusterPorts, Ports, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  adoptHistory,
  pointAt,
  startReplication,
  stopReplication,
  waitApplied,
  restartReplication,
} from '../adapters/mariadb.ts';
import type { TableChecksum } from '../adapters/mariadb-checksum.ts';
import { applyUntil, checksumTables, openSnapshot } from '../adapters/mariadb-checksum.ts';
import type { HostName } from '../domain/cluster.ts';
import { parseGtids, renderGtids, stateAtSnapshot } from '../domain/gtid.ts';
import type { ReplicationStatus } from '../domain/observation.ts';
import type { Activities, ChecksumProof, Transfer } from './contract.ts';
import { primaryOf } from './electing.ts';
import { observe, statusOf } from './observing.ts';
import { refusalOf } from './refusing.ts';

const START_MS = 120_000;
const CATCH_UP_SLICE_MS = 1_000;

async function onSession<T>(cluster: ClusterPorts, host: HostName, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await cluster.session(host);
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

async function startReplica(
  cluster: ClusterPorts,
  input: Transfer & { readonly primary: HostName; readonly position: string },
): Promise<void> {
  const { target, primary } = input;
  await cluster.helper(target).request('service-start', { owner: cluster.owner }, { timeoutMs: START_MS });
  const status = await statusOf(cluster, target);
  if (!status.readOnly)
    throw new AdapterFailure({
      type: 'Unsafe',
      host: target,
      message: `${target} did not start closed; replication was not started on it`,
    });
  await letInFresh(cluster, { primary, target, acknowledges: status.semiSync.replicaEnabled });
  if (follows(status.replication, primary)) return;
  const donor = await statusOf(cluster, input.donor);
  const state = renderGtids(stateAtSnapshot(parseGtids(donor.binlogState), parseGtids(input.position)));
  const account = await cluster.replicationAccount();
  await onSession(cluster, target, async (session) => {
    if (status.replication === null || status.replication.source !== primary)
      await adoptHistory(session, { position: input.position, state });
    await pointAt(session, { endpoint: cluster.endpoint(primary), account });
    await startReplication(session);
  });
}

/**
 * The primary may refuse the target since it was removed as an acker; a copy is a new server, and acknowledges nothing until it is admitted. A refusal that
 * an operation makes after this look stands.
 */
async function letInFresh(
  cluster: ClusterPorts,
  {
    primary,
    target,
    acknowledges,
  }: { readonly primary: HostName; readonly target: HostName; readonly acknowledges: boolean },
): Promise<void> {
  const refusal = await refusalOf(cluster, { primary, host: target });
  if (refusal === null) return;
  if (acknowledges)
    throw new AdapterFailure({
      type: 'Unsafe',
      host: target,
      message: `${target} would acknowledge writes of ${primary} before it is admitted (rpl_semi_sync_slave_enabled is set in its configuration); ${primary} goes on refusing it. Remove that setting, then start again`,
    });
  const { address, epoch } = refusal;
  const order = { owner: cluster.owner, address, refused_at: String(epoch) };
  await cluster.helper(primary).request('admit-replica', order);
}

const follows = (replication: ReplicationStatus | null, primary: HostName): boolean =>
  replication !== null &&
  replication.source === primary &&
  replication.receiver === 'running' &&
  replication.applier === 'running';

/**
 * Both servers at one GTID position: the replica stands still first, the primary's snapshot names the position, the replica goes on to exactly
 * there. Writers go on.
 */
async function compareRows(
  cluster: ClusterPorts,
  { target, primary }: { readonly target: HostName; readonly primary: HostName },
): Promise<ChecksumProof> {
  return onSession(cluster, target, async (copy) => {
    await stopReplication(copy);
    try {
      return await onSession(cluster, primary, async (source) => {
        const position = await openSnapshot(source);
        await applyUntil(copy, position);
        await awaitPosition(cluster, { copy, position });
        const [wanted, found] = await Promise.all([checksumTables(source), checksumTables(copy)]);
        requireEqual(target, wanted, found);
        return { tables: wanted.length, position };
      });
    } finally {
      await restartReplication(copy);
    }
  });
}

async function awaitPosition(
  cluster: ClusterPorts,
  { copy, position }: { readonly copy: Session; readonly position: string },
): Promise<void> {
  while (!(await waitApplied(copy, position, CATCH_UP_SLICE_MS))) {
    Context.current().cancellationSignal.throwIfAborted();
    requireHealthy(copy.host, (await statusOf(cluster, copy.host)).replication);
  }
}

function requireHealthy(host: HostName, replication: ReplicationStatus | null): void {
  const error = replication?.applierError ?? null;
  if (error === null) return;
  throw new AdapterFailure({
    type: 'Unsafe',
    host,
    message: `replication on ${host} stopped with error ${String(error.code)}: ${error.message}`,
  });
}

function requireEqual(host: HostName, wanted: readonly TableChecksum[], found: readonly TableChecksum[]): void {
  const copy = new Map(found.map((entry) => [entry.table, entry.checksum]));
  const differing = wanted.filter((entry) => copy.get(entry.table) !== entry.checksum).map((entry) => entry.table);
  const extra = found
    .filter((entry) => !wanted.some((other) => other.table === entry.table))
    .map((entry) => entry.table);
  if (differing.length + extra.length === 0) return;
  throw new AdapterFailure({
    type: 'Unsafe',
    host,
    message: `${host} differs from its primary at the same GTID position in ${[...differing, ...extra].join(', ')}`,
  });
}

async function prove(cluster: ClusterPorts, input: Transfer & { readonly primary: HostName }): Promise<ChecksumProof> {
  const { target, primary } = input;
  const now = primaryOf(cluster, await observe(cluster));
  if (now !== primary)
    throw new AdapterFailure({
      type: 'Stale',
      host: target,
      message: `${now} became primary while ${target} was being proven against ${primary}`,
    });
  // An attempt that died while it compared left the threads stopped, or about to stop.
  await onSession(cluster, target, restartReplication);
  const goal = (await statusOf(cluster, primary)).binlogPosition;
  const caughtUp = await onSession(cluster, target, (session) => waitApplied(session, goal, CATCH_UP_SLICE_MS));
  const { replication } = await statusOf(cluster, target);
  requireHealthy(target, replication);
  if (!caughtUp)
    throw new AdapterFailure({ type: 'NotYet', host: target, message: `${target} is still catching up with ${goal}` });
  const proof = await compareRows(cluster, { target, primary });
  const after = (await statusOf(cluster, target)).replication;
  if (!follows(after, primary))
    throw new AdapterFailure({
      type: 'NotYet',
      host: target,
      message: `the threads of ${target} are not both running yet`,
    });
  return proof;
}

export const replicatingActivities = (ports: Ports): Pick<Activities, 'startReplica' | 'proveReplica'> => ({
  startReplica: async (input) => startReplica(await ports.cluster(input.cluster), input),
  proveReplica: async (input) => prove(await ports.cluster(input.cluster), input),
});
