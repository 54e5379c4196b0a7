import { log } from '@temporalio/activity';
import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  acceptWrites,
  pointAt,
  startReplication,
  stopReplication,
  willAcknowledge,
  willAcknowledgeNothing,
} from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { isAnswering, observationOf, replicatesFrom } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import { isDown } from '../domain/report.ts';
import { secureAcknowledgement } from './acknowledging.ts';
import type { Authority } from './authority.ts';
import { readRecords } from './confirming.ts';
import { continuing } from './continuing.ts';
import type { Activities, Promoted } from './contract.ts';
import { recordedAckers, siblingsOf } from './electing.ts';
import { askServer, observe } from './observing.ts';
import { ensureRunning } from './opening.ts';
import { onEach } from './overtaken.ts';
import { keepOut, letIn } from './refusing.ts';
import type { Route } from './routing.ts';
import { moveVip, proveVip } from './routing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';

/** As long as a host takes that is only cut off for a moment; a reboot takes longer. */
const PATIENCE_MS = 10_000;

interface Promotion {
  readonly fence: FenceProof;
  readonly authority: Authority;
  readonly winner: HostName;
  readonly steps: Steps;
}

async function promote(work: Promotion): Promise<Promoted> {
  const { authority, winner, steps } = work;
  // A worker died here, or the winner's server did: it had applied all it received before it was chosen, and comes up closed.
  if (steps.attempt > 1) await ensureRunning(authority, winner);
  await steps.run('record', null, () => authority.recordPrimary(winner));
  const ackers = await steps.run('siblings', null, () => repointSiblings(work));
  const held = await steps.run('semi-sync', winner, () =>
    secureAcknowledgement(authority, { primary: winner, ackers, steps }),
  );
  await steps.run('open', winner, () => open(work));
  const route: Route = { host: winner, deposed: { host: work.fence.host, isDown: isDown(work.fence) } };
  await steps.run('vip', winner, () => moveVip(authority, route));
  const secondHolder = await steps.run('prove', winner, () => proveVip(authority, route));
  return { epoch: authority.epoch, ...held, secondHolder, timeline: steps.timeline };
}

/**
 * Every replica that answers follows the winner from now on; it holds nothing that the winner lacks, as the election made sure. One whose copy is not
 * proven yet follows too, and acknowledges nothing.
 * @returns the ones that were recorded as ackers and moved
 */
async function repointSiblings({ authority, winner, fence, steps }: Promotion): Promise<readonly HostName[]> {
  const { cluster } = authority;
  const seen = await observe(cluster, fence.host);
  const recorded = recordedAckers(cluster, seen);
  const moved = await onEach(siblingsOf(seen, winner), (host) =>
    repoint({ authority, winner, host, acknowledges: recorded.includes(host) }),
  );
  for (const one of moved)
    if (one.status === 'rejected')
      log.warn('a replica was not pointed at the new primary', { why: String(one.reason) });
  // Who is still refused, from an earlier time of the winner as primary, may come back to it as an acker of that time.
  const own = observationOf(seen, winner).helper;
  if (isAnswering(own) && (own.refusals ?? []).length > 0) await keepOut(authority, winner, steps);
  return moved.flatMap((one) => (one.status === 'fulfilled' && recorded.includes(one.value) ? [one.value] : []));
}

interface Repointing {
  readonly authority: Authority;
  readonly winner: HostName;
  readonly host: HostName;
  readonly acknowledges: boolean;
}

async function repoint({ authority, winner, host, acknowledges }: Repointing): Promise<HostName> {
  const { cluster } = authority;
  const answer = await askServer(cluster, host);
  if (isAnswering(answer) && isPlaced(answer.status, { winner, acknowledges })) return host;
  await authority.order(host, 'keep-relay');
  const account = await cluster.replicationAccount();
  await authority.withSession(host, async (session) => {
    await stopReplication(session);
    await pointAt(session, { endpoint: cluster.endpoint(winner), account });
    await (acknowledges ? willAcknowledge : willAcknowledgeNothing)(session);
    // From an earlier time as primary, the winner may refuse it; its setting says now whether it acknowledges.
    await letIn(authority, { primary: winner, host });
    await startReplication(session);
  });
  return host;
}

/** One that happens to follow the winner already, from an earlier time, must not go on acknowledging without being on record. */
function isPlaced(
  { replication, semiSync }: ServerStatus,
  wanted: Pick<Repointing, 'winner' | 'acknowledges'>,
): boolean {
  if (semiSync.replicaEnabled !== wanted.acknowledges || semiSync.replicaActive !== wanted.acknowledges) return false;
  return replicatesFrom(replication, wanted.winner);
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

interface Missed {
  readonly winner: HostName;
  readonly error: unknown;
  readonly signal: AbortSignal;
}

/**
 * The winner's host may go as its predecessor did. While it is silent nobody serves, and no later attempt would find it: the run elects anew.
 * @throws `Stale` with the fact `lost`; what was thrown before, when it answers again in time
 */
async function giveUpWhenLost(cluster: ClusterPorts, { winner, error, signal }: Missed): Promise<never> {
  if (!(error instanceof AdapterFailure) || error.type !== 'Unreachable' || error.host !== winner) throw error;
  const answers = async (): Promise<true | null> => ((await readRecords(cluster, [winner])).has(winner) ? true : null);
  if ((await until(answers, { signal, everyMs: 500, forMs: PATIENCE_MS })) !== null) throw error;
  throw new AdapterFailure({
    type: 'Stale',
    host: winner,
    message: `${winner} has not answered for ${String(PATIENCE_MS / 1_000)} s in the middle of its promotion`,
    facts: { lost: winner },
    cause: error,
  });
}

export const promotingActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'promoteAndRoute'> => ({
  promoteAndRoute: (input) =>
    inSteps(hooks, async (steps): Promise<Promoted> => {
      const cluster = await ports.cluster(input.cluster);
      const { winner } = input;
      const authority = await steps.run('claim', null, () =>
        continuing(cluster, input, steps).catch((error: unknown) =>
          giveUpWhenLost(cluster, { winner, error, signal: steps.signal }),
        ),
      );
      return promote({ authority, winner, fence: input.fence, steps });
    }),
});
