import type { ClusterPorts, HelperAnswerFields, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  adoptHistory,
  pointAt,
  startReplication,
  restartReplication,
  willAcknowledgeNothing,
} from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost } from '../domain/cluster.ts';
import { parseGtids, renderGtids, stateAtSnapshot } from '../domain/gtid.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { answeredRecords, replicatesFrom } from '../domain/observation.ts';
import { lostOwn } from '../domain/own-transactions.ts';
import { appliedBy } from '../domain/tail.ts';
import { COPY_AGAIN, PROVISION_AGAIN, remedyFor } from '../domain/remedies.ts';
import { checkFitness } from './adopting.ts';
import { awaitApplied } from './applying.ts';
import { carry } from './beats.ts';
import { compareRows, equalBefore } from './comparing.ts';
import type { Activities, ChecksumProof, Transfer } from './contract.ts';
import { lineageOf, primaryOf } from './electing.ts';
import { JobAttempt } from './job-attempt.ts';
import { statusOf } from './asking.ts';
import { observe } from './observing.ts';
import { refusalOf } from './refusing.ts';

async function startReplica(
  cluster: ClusterPorts,
  input: Transfer & { readonly primary: HostName; readonly position: string },
): Promise<void> {
  const { target, primary } = input;
  const attempt = await JobAttempt.begin(cluster, input, [target]);
  await attempt.order(target, 'service-start');
  const status = await statusOf(cluster, target);
  requireReady(cluster, target, status);
  checkFitness(cluster, target, status);
  await letInFresh(cluster, { primary, target, acknowledges: status.semiSync.replicaEnabled });
  if (replicatesFrom(status.replication, primary)) return;
  const donor = await statusOf(cluster, input.donor);
  const state = renderGtids(stateAtSnapshot(parseGtids(donor.binlogState), parseGtids(input.position)));
  await requireNothingOfItsOwn(
    cluster,
    { target, primary, donor: input.donor },
    { ...status, binlogState: state, appliedPosition: input.position },
  );
  const account = await cluster.replicationAccount();
  await attempt.withSession(target, async (session) => {
    // Whatever its files say: it is on no record until it is admitted.
    await willAcknowledgeNothing(session);
    if (status.replication === null || status.replication.source !== primary)
      await adoptHistory(session, { position: input.position, state });
    await pointAt(session, { endpoint: cluster.endpoint(primary), account });
    await startReplication(session);
  });
}

/** What the target wrote as primary and a donor that lags has yet to apply would not come by replication. */
async function requireNothingOfItsOwn(
  cluster: ClusterPorts,
  { target, primary, donor }: { readonly target: HostName; readonly primary: HostName; readonly donor: HostName },
  copy: ServerStatus,
): Promise<void> {
  const seen = await observe(cluster);
  // Too few records would hide it.
  primaryOf(cluster, seen);
  const lineage = lineageOf(cluster, answeredRecords(seen));
  const lost = renderGtids(lostOwn(copy, appliedBy(await statusOf(cluster, primary)), lineage));
  if (lost === '') return;
  throw new AdapterFailure({
    type: 'Unsafe',
    host: donor,
    message: `the copy of ${donor} lacks transactions that ${target} wrote itself and ${primary} has, up to ${lost}; replication passes over a server's own transactions and would not bring them. Copy from ${primary}, or when ${donor} has caught up`,
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

/** What the files of the host promised before the copy is looked at again on the server that runs. */
function requireReady(cluster: ClusterPorts, target: HostName, { readOnly, serverId }: ServerStatus): void {
  const wanted = describeHost(cluster.description, target).serverId;
  const fault = !readOnly
    ? `${target} did not start closed`
    : serverId !== wanted
      ? `${target} runs with server_id ${String(serverId)} instead of ${String(wanted)}: a file that is read after ours sets it`
      : null;
  if (fault !== null)
    throw new AdapterFailure({ type: 'Unsafe', host: target, message: `${fault}; replication was not started on it` });
}

async function prove(cluster: ClusterPorts, input: Transfer & { readonly primary: HostName }): Promise<ChecksumProof> {
  const { target, primary } = input;
  const status = await cluster.helper(target).request('job-status', { job: input.job });
  const before = provenBy(status);
  if (before !== null) return before;
  const now = primaryOf(cluster, await observe(cluster));
  if (now !== primary)
    throw new AdapterFailure({
      type: 'Stale',
      host: target,
      message: `${now} became primary while ${target} was being proven against ${primary}`,
    });
  carry({ compared: equalBefore() });
  await requireUncounted(cluster, target);
  const attempt = await JobAttempt.begin(cluster, input, [target]);
  const goal = (await statusOf(cluster, primary)).binlogPosition;
  await attempt.withSession(target, async (copy) => {
    // An attempt that died while it compared left the threads stopped, or about to stop.
    await restartReplication(copy);
    await awaitApplied(cluster, copy, goal);
  });
  const remedy = remedyFor(isOfReturn(status) ? PROVISION_AGAIN : COPY_AGAIN, { cluster: input.cluster, host: target });
  const proof = await compareRows({ cluster, attempt, job: input.job, target, primary, remedy });
  if (!replicatesFrom((await statusOf(cluster, target)).replication, primary))
    throw new AdapterFailure({
      type: 'NotYet',
      host: target,
      message: `the threads of ${target} are not both running yet`,
    });
  await attempt.order(target, 'job-prove', { tables: String(proof.tables), position: proof.position });
  return proof;
}

/** Its threads are stopped for the comparison; one that acknowledges meanwhile would vouch for writes that it throws away with its relay log. */
async function requireUncounted(cluster: ClusterPorts, target: HostName): Promise<void> {
  const { semiSync } = await statusOf(cluster, target);
  if (semiSync.replicaEnabled)
    throw new AdapterFailure({
      type: 'Stale',
      host: target,
      message: `${target} acknowledges writes by now: another operation has admitted it; or somebody set rpl_semi_sync_slave_enabled, then set it to 0 and start again`,
    });
}

/** An earlier attempt proved it, and its report was lost. From then on the replica may count, so nothing is done to it again. */
function provenBy({ proof = '' }: HelperAnswerFields): ChecksumProof | null {
  const [tables = '', position = ''] = proof.split(' ');
  return proof === '' ? null : { tables: Number(tables), position };
}

/** A return copies nothing. */
const isOfReturn = ({ state }: HelperAnswerFields): boolean => state === 'absent';

export const replicatingActivities = (ports: Ports): Pick<Activities, 'startReplica' | 'proveReplica'> => ({
  startReplica: async (input) => startReplica(await ports.cluster(input.cluster), input),
  proveReplica: async (input) => prove(await ports.cluster(input.cluster), input),
});
