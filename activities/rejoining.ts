import type { ClusterPorts, HelperAnswerFields, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import {
  acknowledgeNothing,
  adoptPosition,
  forgetSource,
  pointAt,
  restartReplication,
  startReplication,
  stopReplication,
  willAcknowledgeNothing,
} from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import type { GtidSet } from '../domain/gtid.ts';
import { parseGtids, renderGtids } from '../domain/gtid.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { isAnswering } from '../domain/observation.ts';
import type { Return } from '../domain/rejoin.ts';
import { compareWithPrimary } from '../domain/rejoin.ts';
import type { Tail } from '../domain/tail.ts';
import { appliedBy } from '../domain/tail.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities } from './contract.ts';
import { checkFitness } from './adopting.ts';
import { ensureHelper } from './equipping.ts';
import { askServer } from './asking.ts';
import { letIn } from './refusing.ts';
import { requireOwn } from './own-history.ts';
import { unsafe } from './refusal.ts';
import { isAtRest } from './relay-logs.ts';
import type { Standing } from './returning.ts';
import { standingOf } from './returning.ts';
import { tailFrom } from './salvaging.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps } from './steps.ts';

const LIST_MS = 300_000;

interface Work {
  readonly authority: Authority;
  readonly host: HostName;
  readonly steps: Steps;
}

async function takeBack(work: Work): Promise<Return> {
  const { authority, host, steps } = work;
  const standing = await steps.run('look', host, () => standingOf(authority.cluster, host));
  if (standing.follows) requireOwnOf(standing);
  const ended = { primary: standing.primary, epoch: authority.epoch };
  if (standing.status !== null) checkFitness(authority.cluster, host, standing.status);
  if (standing.follows) return { kind: kindOf(standing), ...ended, timeline: steps.timeline };
  await ensureHelper(authority.cluster, host);
  const wasClean = await steps.run('judge', host, async () => {
    // Its files say what it holds, once nobody writes to them; it cannot be asked, and must not be let out for that.
    if (standing.runsBehindFence) await authority.order(host, 'service-stop');
    return isClean(authority, standing);
  });
  if (!wasClean) return quarantine(work, standing);
  await steps.run('start', host, () => startClosed(authority, standing));
  // Its recovery may have committed what was prepared: only what it says now counts.
  const started = await standingOf(authority.cluster, host);
  if (started.status !== null) checkFitness(authority.cluster, host, started.status);
  const isStillClean = await steps.run('judge', host, () => isClean(authority, started));
  if (!isStillClean) return quarantine(work, started);
  requireOwnOf(started);
  await steps.run('point', host, () => follow(authority, started));
  return { kind: 'follows', ...ended, timeline: steps.timeline };
}

const kindOf = ({ counts, listed }: Standing) => (counts ? 'counts' : listed ? 'listed' : 'follows');

/** What only the host has is set aside first: the remedy removes its data. */
function requireOwnOf(standing: Standing): void {
  if (standing.status !== null) requireOwn(standing, standing.status);
}

/** Whether the primary has everything that the host has. A server that runs says it itself; of one that does not, the files are read. */
async function isClean({ cluster }: Authority, standing: Standing): Promise<boolean> {
  const { host, status } = standing;
  if (status === null) {
    const files = { logs: 'binlog', beyond: standing.primaryHolds } as const;
    const tail = tailFrom(await list(cluster, host, files).catch((error: unknown) => refuseLogless(standing, error)));
    // Nothing is held, or nothing can be read: not the same.
    if (!tail.complete && tail.held === '') throw unreadable(standing, tail.why);
    return compare(standing, tail.held).extra.size === 0 && tail.complete;
  }
  const { extra, shared } = compare(standing, renderGtids(appliedBy(status)));
  if (extra.size > 0) return false;
  const isApplying = status.replication?.applier === 'running';
  if (!isAtRest(status.replication)) {
    const waiting = compare(standing, renderGtids(receivedBy(status))).extra;
    if (waiting.size === 0) return true;
    throw new AdapterFailure({
      type: 'NotYet',
      host,
      message: `${host} has received transactions that ${standing.primary} never had (${renderGtids(waiting)}), and has yet to apply them: its relay logs would be deleted with them. ${isApplying ? 'Start again when it has applied them' : 'Its applier stands still: STOP SLAVE on it, then start again, which sets them aside'}`,
    });
  }
  const relay = await list(cluster, host, { logs: 'relay', beyond: shared });
  const { count, complete, why } = tailFrom(relay);
  if (relay['source'] === 'unknown') throw unreadable(standing, why);
  // Relay logs that were thrown away hold nothing that could be set aside.
  return relay['source'] === 'no' || (count === 0 && complete);
}

function refuseLogless(standing: Standing, error: unknown): never {
  if (!(error instanceof AdapterFailure) || error.type !== 'Unverified') throw error;
  throw unreadable(standing, error.message);
}

function unreadable({ cluster, host }: Standing, why: string): AdapterFailure {
  return unsafe(
    host,
    `what ${host} holds cannot be read (${why}). If it never held data of ${cluster}, or what only it holds may be lost, make it a replica with standfast provision ${cluster} ${host}`,
  );
}

const list = (
  cluster: ClusterPorts,
  host: HostName,
  { logs, beyond }: { readonly logs: 'binlog' | 'relay'; readonly beyond: GtidSet },
): Promise<HelperAnswerFields> =>
  cluster.helper(host).request('tail-list', { logs, beyond: renderGtids(beyond) }, { timeoutMs: LIST_MS });

/** @throws AdapterFailure `Unsafe` when the host has no history in common with the primary */
function compare(standing: Standing, own: string): ReturnType<typeof compareWithPrimary> {
  const comparison = compareWithPrimary(parseGtids(own), standing.primaryHolds, standing.lineage);
  if (comparison.isRelated) return comparison;
  throw unsafe(
    standing.host,
    `${standing.host} shares no transaction with ${standing.primary} (it has ${own === '' ? 'none' : own}): it was neither primary nor replica of ${standing.cluster}. Nothing was changed. Make it a replica with standfast provision ${standing.cluster} ${standing.host}`,
  );
}

/** Its server stays down, behind its fence when it has one; its logs are read from the files, and what is only there is set aside. */
async function quarantine({ authority, host, steps }: Work, standing: Standing): Promise<Return> {
  const tails = await steps.run('quarantine', host, async () => {
    const atRest = isAtRest(standing.status?.replication ?? null);
    if (standing.status !== null) await authority.order(host, 'service-stop');
    const all = await list(authority.cluster, host, { logs: 'binlog', beyond: standing.primaryHolds });
    const beyond = renderGtids(compare(standing, tailFrom(all).held).shared);
    const logs = atRest ? (['binlog', 'relay'] as const) : (['binlog'] as const);
    const found: Tail[] = [];
    for (const kind of logs) found.push(tailFrom(await authority.order(host, 'tail-export', { logs: kind, beyond })));
    return found;
  });
  return { kind: 'diverged', primary: standing.primary, epoch: authority.epoch, tails, timeline: steps.timeline };
}

/** The fence is lifted for a server that is about to start, and that boots closed whatever happens to it. */
async function startClosed(authority: Authority, { host, status, fenced }: Standing): Promise<void> {
  if (fenced) await authority.order(host, 'unfence');
  if (status === null) await authority.order(host, 'service-start');
  const answer = await askServer(authority.cluster, host);
  if (!isAnswering(answer))
    throw new AdapterFailure({
      type: 'NotYet',
      host,
      message: `${host} was started and does not answer: ${answer.why}`,
    });
  if (!answer.status.readOnly) throw unsafe(host, `${host} accepts writes after its start; stop it at once`);
}

/** It acknowledges nothing until it is proven and admitted. What a replica had received and not applied, the primary has. */
async function follow(authority: Authority, { host, primary, status }: Standing): Promise<void> {
  const { cluster } = authority;
  if (status === null) throw new AdapterFailure({ type: 'NotYet', host, message: `${host} does not answer` });
  if (status.replication !== null) await authority.order(host, 'keep-relay');
  const account = await cluster.replicationAccount();
  await authority.withSession(host, async (session) => {
    await acknowledgeNothing(session);
    await willAcknowledgeNothing(session);
    await stopReplication(session);
    // It may have applied more since it was looked at.
    await adoptPosition(session, positionOf(await authority.statusOn(session)));
    await pointAt(session, { endpoint: cluster.endpoint(primary), account });
    // While it was away an operation may have shut out whoever could not be told to acknowledge nothing; it has been told now.
    await letIn(authority, { primary, host });
    await startReplication(session);
  });
}

/** As a primary it went on from what it had applied as a replica: its binlog knows, and `gtid_slave_pos` does not. */
const positionOf = ({ binlogPosition, appliedPosition }: ServerStatus): string =>
  binlogPosition === '' ? appliedPosition : binlogPosition;

/**
 * Not under an epoch: the host counts for nothing yet. One that acknowledges is left to whoever made it, and so is one at rest: nothing was started
 * there, and its relay logs would be deleted unread.
 */
async function followNobody(cluster: ClusterPorts, host: HostName): Promise<readonly string[]> {
  const answer = await askServer(cluster, host);
  if (!isAnswering(answer) || !mayHaveBeenPointed(answer.status)) return [];
  const session = await cluster.session(host);
  try {
    const { primary, status, listed } = await standingOf(cluster, host);
    if (listed || status?.replication?.source !== primary) return [];
    await forgetSource(session);
    return [`${host} follows nobody, and is closed`];
  } finally {
    session.close();
  }
}

/**
 * A proof stops the threads of a replica, and the worker that would have started them again may be gone. Its relay log goes with the start: the primary, which
 * serves, has all that is in it.
 */
async function goOn(cluster: ClusterPorts, host: HostName): Promise<readonly string[]> {
  const session = await cluster.session(host);
  try {
    // A claim ends the sessions that are open by then, so what is seen from here on still holds when this one acts.
    const { primary, status } = await standingOf(cluster, host);
    if (!isAtRest(status?.replication ?? null) || status?.replication?.source !== primary) return [];
    if (status.semiSync.replicaEnabled) return [];
    await restartReplication(session);
    return [`${host} replicates from ${primary} again`];
  } finally {
    session.close();
  }
}

const mayHaveBeenPointed = ({ readOnly, replication, semiSync }: ServerStatus): boolean =>
  readOnly && replication !== null && !isAtRest(replication) && !semiSync.replicaEnabled;

export const rejoiningActivities = (
  ports: Ports,
  hooks: StepHooks,
): Pick<Activities, 'planRejoin' | 'rejoinHost' | 'undoRejoin'> => ({
  planRejoin: async ({ cluster, host }) => {
    const standing = await standingOf(await ports.cluster(cluster), host);
    if (standing.follows) requireOwnOf(standing);
    return { follows: standing.follows };
  },
  rejoinHost: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps) => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () =>
        claimEpoch(managed, { run, claimant: steps.claimant, include: [host] }),
      );
      return takeBack({ authority, host, steps });
    }),
  undoRejoin: async ({ cluster, host, followedBefore }) => {
    const back = followedBefore ? goOn : followNobody;
    return { undone: await back(await ports.cluster(cluster), host), notUndone: [] };
  },
});
