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
import { faultsOfWaiting } from '../domain/acknowledgement.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { replicatesFrom } from '../domain/observation.ts';
import type { RefusedAddress } from '../domain/records.ts';
import type { FenceProof } from '../domain/report.ts';
import { isDown } from '../domain/report.ts';
import { appliedBy } from '../domain/tail.ts';
import type { Acknowledgement } from './acknowledging.ts';
import { confirmAcknowledgement, findAcknowledgement, makeWait, syncRecord } from './acknowledging.ts';
import type { Authority } from './authority.ts';
import { readRecords } from './confirming.ts';
import { continuing } from './continuing.ts';
import type { Activities, Promoted } from './contract.ts';
import { lineageOf, recordedAckers, siblingsOf } from './electing.ts';
import { askServers, glance } from './asking.ts';
import type { HandedOver } from './handing-over.ts';
import { ensureRunning } from './opening.ts';
import { onEach, together } from './overtaken.ts';
import type { Followed } from './own-history.ts';
import { requireOwn } from './own-history.ts';
import { keepOut, letIn } from './refusing.ts';
import { refusedFrom } from './records-answer.ts';
import type { Route } from './routing.ts';
import { dropVipElsewhere, proveVip, takeVip } from './routing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';

/** As long as a host takes that is only cut off for a moment; a reboot takes longer. */
const PATIENCE_MS = 10_000;

interface Promotion {
  readonly fence: FenceProof;
  readonly authority: Authority;
  readonly winner: HostName;
  readonly steps: Steps;
  readonly kept: readonly HostName[];
}

async function promote(work: Promotion): Promise<Promoted> {
  const { authority, winner, steps } = work;
  const recorded = recordedAckers(authority.cluster, [...authority.records.values()]);
  const mayAcknowledge = recorded.filter((acker) => acker !== winner);
  // A worker died here, or the winner's server did: it had applied all it received before it was chosen, and comes up closed.
  if (steps.attempt > 1) await ensureRunning(authority, winner);
  const isAsyncRecorded = await steps.run('record', null, () =>
    authority.recordPrimary(winner, syncRecord({ mode: 'async', ackers: mayAcknowledge })),
  );
  // It is closed and has applied everything, so nothing waits there yet.
  const [ackers, waiting] = await together(
    steps.run('siblings', null, () => repointSiblings(work, recorded)),
    mayAcknowledge.length === 0 ? Promise.resolve(null) : makeWait(authority, winner),
  );
  const securing = steps.run('semi-sync', winner, () =>
    findAcknowledgement(authority, { primary: winner, ackers, steps, isAsyncRecorded, waiting }),
  );
  const route: Route = { host: winner, deposed: { host: work.fence.host, isDown: isDown(work.fence) } };
  const [held, role] = await together(securing, dropVipElsewhere(authority, route));
  const secondHolder = await openAndRoute(work, { held, route, role });
  return { epoch: authority.epoch, ...held, secondHolder, timeline: steps.timeline };
}

interface Routing {
  readonly held: Acknowledgement;
  readonly route: Route;
  /** With which the winner takes the VIP. */
  readonly role: number;
}

/** The record is not what the clients wait for. It is written whether the VIP moves or not: the winner is open, and its writes wait. */
async function openAndRoute(work: Promotion, { held, route, role }: Routing): Promise<string | null> {
  const { authority, winner, steps } = work;
  await steps.run('open', winner, () => open(work, held));
  const moving = steps.run('vip', winner, () => takeVip(authority, route, role));
  const [secondHolder] = await together(
    moving.then(() => steps.run('prove', winner, () => proveVip(authority, route))),
    Promise.allSettled([moving]).then(() => steps.run('confirm', null, () => confirmAcknowledgement(authority, held))),
  );
  return secondHolder;
}

/**
 * Every replica that answers follows the winner from now on; it holds nothing that the winner lacks, as the election made sure. One whose copy is not
 * proven yet follows too, and acknowledges nothing.
 * @returns the ones that were recorded as ackers and moved
 */
async function repointSiblings(
  { authority, winner, fence, steps, kept }: Promotion,
  recorded: readonly HostName[],
): Promise<readonly HostName[]> {
  const { cluster } = authority;
  const others = cluster.description.hosts
    .map(({ name }) => name)
    .filter((host) => ![fence.host, winner].includes(host));
  const [statuses, refused] = await together(askServers(cluster, others), refusedBy(authority, winner));
  const siblings = siblingsOf(statuses, winner);
  // Who acknowledges takes what it wrote itself as well, and is pointed at once.
  const followed = siblings.every((host) => recorded.includes(host)) ? null : followedWinner(authority, winner);
  const moved = await onEach(siblings, async (host) => {
    const status = statuses.get(host) ?? null;
    const acknowledges = recorded.includes(host);
    if (!acknowledges && status !== null && followed !== null) requireOwn({ ...(await followed), host }, status);
    return repoint({
      ...{ authority, winner, host, acknowledges, status },
      isKept: kept.includes(host),
      isRefused: refused.some((one) => one.address === cluster.endpoint(host).address),
    });
  });
  for (const one of moved)
    if (one.status === 'rejected')
      log.warn('a replica was not pointed at the new primary', { why: String(one.reason) });
  // Who is still refused, from an earlier time of the winner as primary, may come back to it as an acker of that time.
  if (refused.length > 0) await keepOut(authority, winner, steps);
  return moved.flatMap((one) => (one.status === 'fulfilled' && recorded.includes(one.value) ? [one.value] : []));
}

async function followedWinner(authority: Authority, winner: HostName): Promise<Omit<Followed, 'host'>> {
  const { cluster, records } = authority;
  const primaryHolds = appliedBy(await authority.statusOf(winner));
  const lineage = lineageOf(cluster, [...records.values()]);
  return { cluster: cluster.description.cluster, primary: winner, primaryHolds, lineage };
}

/** As it was read under the epoch; a helper of an earlier version has to be asked. */
const refusedBy = async ({ cluster, records }: Authority, winner: HostName): Promise<readonly RefusedAddress[]> =>
  records.get(winner)?.refused ?? refusedFrom((await glance(cluster, winner))['refused'] ?? '');

interface Repointing {
  readonly authority: Authority;
  readonly winner: HostName;
  readonly host: HostName;
  readonly acknowledges: boolean;
  readonly status: ServerStatus | null;
  /** Its relay logs were kept under this epoch, and it receives nothing since. */
  readonly isKept: boolean;
  /** By the winner, from an earlier time as primary. */
  readonly isRefused: boolean;
}

async function repoint(work: Repointing): Promise<HostName> {
  const { authority, winner, host, acknowledges, status } = work;
  const { cluster } = authority;
  if (status !== null && isPlaced(status, { winner, acknowledges })) return host;
  if (!work.isKept) await authority.order(host, 'keep-relay');
  const account = await cluster.replicationAccount();
  await authority.withSession(host, async (session) => {
    await stopReplication(session);
    await pointAt(session, { endpoint: cluster.endpoint(winner), account });
    await (acknowledges ? willAcknowledge : willAcknowledgeNothing)(session);
    // Its setting says now whether it acknowledges.
    if (work.isRefused) await letIn(authority, { primary: winner, host });
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

/** On one session: a server that starts anew after it was seen to wait ends it, and stays closed. */
async function open({ authority, winner }: Promotion, { mode }: Acknowledgement): Promise<void> {
  const after = await authority.withSession(winner, async (session) => {
    const before = await authority.statusOn(session);
    if (mode === 'lossless' && faultsOfWaiting(before.semiSync).length > 0)
      throw new AdapterFailure({
        type: 'Unverified',
        host: winner,
        message: `${winner} does not wait for an acknowledgement any more: its server was started anew, or somebody set it back; it was not opened`,
      });
    if (before.replication !== null) await stopReplication(session);
    await acceptWrites(session);
    return authority.statusOn(session);
  });
  if (after.readOnly)
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

export const promotingActivities = (
  ports: Ports,
  hooks: StepHooks,
  handedOver: HandedOver,
): Pick<Activities, 'promoteAndRoute'> => ({
  promoteAndRoute: (input) =>
    inSteps(hooks, async (steps): Promise<Promoted> => {
      const cluster = await ports.cluster(input.cluster);
      const { winner } = input;
      const left = steps.attempt === 1 ? handedOver.take(input.epoch) : null;
      const authority = await steps.run(
        'claim',
        null,
        async () =>
          left ??
          continuing(cluster, input, steps).catch((error: unknown) =>
            giveUpWhenLost(cluster, { winner, error, signal: steps.signal }),
          ),
      );
      // Under a later epoch nothing is taken for granted.
      const kept = steps.attempt === 1 ? (input.kept ?? []) : [];
      return promote({ authority, winner, fence: input.fence, steps, kept });
    }),
});
