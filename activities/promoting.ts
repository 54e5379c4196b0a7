import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  acceptWrites,
  acknowledgeNothing,
  pointAt,
  startReplication,
  stopReplication,
  waitForAcknowledgement,
  willAcknowledge,
} from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { isAnswering } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import { claimEpoch, resumeEpoch } from './authority.ts';
import type { Activities, Promoted } from './contract.ts';
import { askServer, observe } from './observing.ts';
import { moveVip, proveVip } from './routing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';

const ATTACH_MS = 10_000;
const POLL_MS = 10;

interface Promotion {
  /** The old primary, proven fenced. */
  readonly fenced: HostName;
  readonly authority: Authority;
  readonly winner: HostName;
  readonly steps: Steps;
}

async function promote(work: Promotion): Promise<Promoted> {
  const { authority, winner, steps } = work;
  const { cluster } = authority;
  await steps.run('record', null, () => authority.record('record-primary', { host: winner }));
  const siblings = await steps.run('siblings', null, () => repointSiblings(work));
  const ackers = cluster.description.mode === 'semisync' ? siblings : [];
  if (cluster.description.mode === 'semisync' && cluster.description.alone === 'stop' && ackers.length === 0)
    throw new AdapterFailure({
      type: 'NotYet',
      host: winner,
      message: `${winner} is recorded as primary and stays closed until a replica can acknowledge (policy.alone is stop)`,
    });
  const mode = ackers.length > 0 ? 'lossless' : 'async';
  await steps.run('semi-sync', winner, async () => {
    const sync = { mode, ackers: ackers.join(','), k: ackers.length > 0 ? '1' : '0' };
    await authority.record('record-sync', sync);
    if (mode === 'async') await authority.withSession(winner, acknowledgeNothing);
    else await waitForAckers(work);
  });
  await steps.run('open', winner, () => open(work));
  await steps.run('vip', winner, () => moveVip(authority, { host: winner, fenced: work.fenced }));
  await steps.run('prove', winner, () => proveVip(authority, { host: winner, fenced: work.fenced }));
  return { epoch: authority.epoch, mode, ackers, timeline: steps.timeline };
}

/** Every replica that answers follows the winner from now on; it holds nothing that the winner lacks, as the election made sure. */
async function repointSiblings({ authority, winner, fenced }: Promotion): Promise<readonly HostName[]> {
  const { cluster } = authority;
  const seen = await observe(cluster, fenced);
  const siblings = seen.hosts.filter(
    (entry) =>
      entry.host !== winner &&
      isAnswering(entry.server) &&
      entry.server.status.replication !== null &&
      entry.server.status.readOnly,
  );
  const moved = await Promise.allSettled(siblings.map(({ host }) => repoint({ authority, winner, host })));
  const stale = moved.find((one) => one.status === 'rejected' && isStale(one.reason));
  if (stale?.status === 'rejected') throw stale.reason;
  return moved.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

async function repoint(work: {
  readonly authority: Authority;
  readonly winner: HostName;
  readonly host: HostName;
}): Promise<HostName> {
  const { authority, winner, host } = work;
  const { cluster } = authority;
  const answer = await askServer(cluster, host);
  const replication = isAnswering(answer) ? answer.status.replication : null;
  if (replication?.source === winner && replication.receiver === 'running' && replication.applier === 'running')
    return host;
  await authority.order(host, 'keep-relay');
  const account = await cluster.replicationAccount();
  await authority.withSession(host, async (session) => {
    await stopReplication(session);
    await pointAt(session, { endpoint: cluster.endpoint(winner), account });
    if (cluster.description.mode === 'semisync') await willAcknowledge(session);
    await startReplication(session);
  });
  return host;
}

const isStale = (reason: unknown): boolean => reason instanceof AdapterFailure && reason.type === 'Stale';

/** The new primary waits for acknowledgements before it is opened, and one acker is attached before clients come. */
async function waitForAckers({ authority, winner, steps }: Promotion): Promise<void> {
  await authority.withSession(winner, waitForAcknowledgement);
  const attached = await until(
    async () => {
      const answer = await askServer(authority.cluster, winner);
      return isAnswering(answer) && answer.status.semiSync.primaryActive && answer.status.semiSync.clients > 0
        ? true
        : null;
    },
    { signal: steps.signal, everyMs: POLL_MS, forMs: ATTACH_MS },
  );
  if (attached === null)
    throw new AdapterFailure({ type: 'NotYet', host: winner, message: `no acker has attached to ${winner} yet` });
}

async function open({ authority, winner }: Promotion): Promise<void> {
  const { cluster } = authority;
  const before = await askServer(cluster, winner);
  await authority.withSession(winner, async (session) => {
    if (isAnswering(before) && before.status.replication !== null) await stopReplication(session);
    await acceptWrites(session);
  });
  const after = await askServer(cluster, winner);
  if (!isAnswering(after) || after.status.readOnly)
    throw new AdapterFailure({
      type: 'Unverified',
      host: winner,
      message: `${winner} was told to accept writes and still refuses them`,
    });
}

/** A fenced host whose helper answers is still a member; one without power is not waited for. */
const hostThatIsOff = (fence: FenceProof): HostName | null => (fence.rung === 'powerOff' ? fence.host : null);

/** The first attempt goes on under the epoch of the fence; a later one claims its own, so that a worker that comes back late is refused. */
const authorityFor = (
  cluster: ClusterPorts,
  input: Parameters<Activities['promoteAndRoute']>[0],
  steps: Steps,
): Promise<Authority> =>
  steps.attempt === 1
    ? resumeEpoch(cluster, input.epoch, hostThatIsOff(input.fence))
    : claimEpoch(cluster, { run: input.run, include: [input.winner], leaveOut: hostThatIsOff(input.fence) });

export const promotingActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'promoteAndRoute'> => ({
  promoteAndRoute: (input) =>
    inSteps(hooks, async (steps): Promise<Promoted> => {
      const cluster = await ports.cluster(input.cluster);
      const authority = await steps.run('claim', null, () => authorityFor(cluster, input, steps));
      return promote({ authority, winner: input.winner, fenced: input.fence.host, steps });
    }),
});
