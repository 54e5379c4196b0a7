import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { acknowledgeAsReplica, startReplication, waitApplied, willAcknowledgeNothing } from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import { gtidsBeyond, parseGtids, renderGtids } from '../domain/gtid.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { isAnswering, runsBothThreads } from '../domain/observation.ts';
import { remedyFor, SET_ASIDE } from '../domain/remedies.ts';
import type { AdmitResult } from '../domain/report.ts';
import { checkFitness } from './adopting.ts';
import { makeWait, recordAsync, recordLossless, stopWaiting } from './acknowledging.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities, Undone } from './contract.ts';
import { askServer, statusOf } from './asking.ts';
import { requireOwn } from './own-history.ts';
import { letIn, quieten, refusalOf, shutOut } from './refusing.ts';
import { releaseRelayLogs } from './releasing.ts';
import { takeOut } from './removing.ts';
import type { Standing } from './standing.ts';
import { hasClaimed, requireAnswer, standingOf } from './standing.ts';
import { unsafe } from './refusal.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';
import { NOTHING_UNDONE, undoAll } from './undoing.ts';

const ATTACH_MS = 15_000;
const POLL_MS = 50;
/** One slow look at an acker must not cost a cluster its `lossless`. */
const LOOK_AGAIN_MS = 3_000;

interface Admission extends Standing {
  readonly host: HostName;
  readonly steps: Steps;
}

async function checkAdmission(authority: Authority, host: HostName): Promise<Standing> {
  const { cluster } = authority;
  const standing = await standingOf(cluster);
  const { primary, lineage } = standing;
  const status = await statusOf(cluster, host);
  const source = status.replication?.source ?? null;
  if (source !== primary)
    throw unsafe(host, `${host} replicates from ${source ?? 'nobody'}, not from ${primary}. Nothing was changed`);
  checkFitness(cluster, host, status);
  // Read after the replica: whatever the primary has not got then, it never had.
  const primaryHolds = parseGtids((await statusOf(cluster, primary)).binlogState);
  const beyond = renderGtids(gtidsBeyond(receivedBy(status), primaryHolds));
  if (beyond !== '')
    throw unsafe(
      host,
      `${host} has transactions that ${primary} never had (${beyond}), so it cannot vouch for its writes. Nothing was changed. To go on: ${remedyFor(SET_ASIDE, { cluster: cluster.description.cluster, host })}`,
    );
  requireOwn({ cluster: cluster.description.cluster, host, primary, primaryHolds, lineage }, status);
  return standing;
}

/**
 * A replica that is refused, since it was removed, is let in when it is seen to acknowledge nothing, so that it can catch up. One that restarted stands, and is
 * started unless it is on record: that throws its relay log away, with whatever it may have acknowledged.
 * @returns whether it had to be started
 */
async function bringUp(authority: Authority, { primary, sync, host, steps }: Admission): Promise<boolean> {
  const { cluster } = authority;
  const isRecorded = sync?.ackers.includes(host) === true;
  const isRefused = (await refusalOf(cluster, { primary, host })) !== null;
  const why = isRefused || !isRecorded ? await quieten(authority, { primary, host }, steps) : null;
  if (why !== null) throw unsafe(host, `${host} cannot be told to acknowledge nothing for now: ${why}`);
  const stands = !isRecorded && !runs(await statusOf(cluster, host));
  if (stands) {
    await authority.order(host, 'keep-relay');
    await authority.withSession(host, async (session) => {
      await willAcknowledgeNothing(session);
      await startReplication(session);
    });
  }
  await seen(authority, host, { steps, what: 'runs both threads', holds: runs });
  return stands;
}

const runs = ({ replication }: ServerStatus): boolean => runsBothThreads(replication);

/**
 * The record grows before the acker does: whoever reads it in between asks for one contribution too many, never for one too few.
 * `lossless` is written last, when the primary is seen to wait and the replica holds everything committed before it did.
 */
async function admitAcker(authority: Authority, admission: Admission): Promise<readonly HostName[]> {
  const { primary, host, sync, steps } = admission;
  const ackers = [...new Set([...(sync?.ackers ?? []), host])].sort();
  const wasLossless = await steps.run('record', null, () => widen(authority, { ...admission, ackers }));
  await steps.run('replica', host, async () => {
    await letIn(authority, { primary, host });
    await authority.withSession(host, acknowledgeAsReplica);
  });
  let isClaimed = wasLossless;
  try {
    await steps.run('primary', primary, async () => {
      await makeWait(authority, primary);
      await seen(authority, host, { steps, what: 'acknowledges', holds: (status) => status.semiSync.replicaActive });
    });
    await steps.run('confirm', null, () => {
      isClaimed = true;
      return confirm(authority, { ...admission, ackers });
    });
  } catch (error) {
    // Nobody acknowledged before: writes must not wait for it while it is tried again. Unless `lossless` may be on record by now.
    if (!isClaimed) await stopWaiting(authority, primary);
    throw error;
  }
  return ackers;
}

interface Widening extends Admission {
  readonly ackers: readonly HostName[];
}

/** @returns whether the cluster is lossless, on record and in truth; a record that is not true is corrected */
async function widen(authority: Authority, { primary, sync, ackers, steps }: Widening): Promise<boolean> {
  const claim = { primary, ackers, goal: null };
  if (
    sync?.mode === 'lossless' &&
    (await recordLossless(authority, claim, { signal: steps.signal, forMs: LOOK_AGAIN_MS })) === null
  )
    return true;
  // Who acknowledges the writes of a dead primary is no longer to be changed.
  await requireAnswer(authority.cluster, { primary, signal: steps.signal });
  await recordAsync(authority, ackers);
  return false;
}

async function confirm(authority: Authority, { host, primary, ackers, steps }: Widening): Promise<void> {
  const goal = (await statusOf(authority.cluster, primary)).binlogPosition;
  const caughtUp = await authority.withSession(host, (session) => waitApplied(session, goal, ATTACH_MS));
  if (!caughtUp) throw new AdapterFailure({ type: 'NotYet', host, message: `${host} has not applied ${goal} yet` });
  const bounds = { signal: steps.signal, forMs: ATTACH_MS };
  const why = await recordLossless(authority, { primary, ackers, goal }, bounds);
  if (why !== null) throw new AdapterFailure({ type: 'Unverified', host, message: `not lossless yet: ${why}` });
}

async function seen(
  authority: Authority,
  host: HostName,
  wanted: { readonly steps: Steps; readonly what: string; readonly holds: (status: ServerStatus) => boolean },
): Promise<void> {
  const bounds = { signal: wanted.steps.signal, everyMs: POLL_MS, forMs: ATTACH_MS };
  const found = await until(async () => {
    const answer = await askServer(authority.cluster, host);
    return isAnswering(answer) && wanted.holds(answer.status) ? true : null;
  }, bounds);
  if (found === null)
    throw new AdapterFailure({
      type: 'Unverified',
      host,
      message: `${host} was not seen to be one that ${wanted.what}`,
    });
}

/**
 * Takes `host` back out, in the order of a removal. Nobody left in a cluster that was not lossless yet: the primary stops waiting, so that writes go on as
 * before.
 */
async function withdraw(authority: Authority, { primary, sync, host, steps }: Admission): Promise<Undone> {
  const others = (sync?.ackers ?? []).filter((acker) => acker !== host);
  const staysLossless = sync?.mode === 'lossless' && others.length > 0;
  return undoAll([
    {
      what: `${host} is no acker`,
      work: async () => {
        if (staysLossless) return takeOut(authority, { primary, host, others, steps });
        await recordAsync(authority, others);
        await stopWaiting(authority, primary);
        return shutOut(authority, { primary, host }, steps);
      },
    },
    {
      what: `${host} acknowledges nothing`,
      work: async () => {
        const why = await quieten(authority, { primary, host }, steps);
        if (why !== null) throw new Error(`${primary} refuses it until it is admitted: ${why}`);
      },
    },
  ]);
}

export const admittingActivities = (
  ports: Ports,
  hooks: StepHooks,
): Pick<Activities, 'admitReplica' | 'undoAdmission'> => ({
  undoAdmission: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps) => {
      const managed = await ports.cluster(cluster);
      if (!(await hasClaimed(managed, run))) return NOTHING_UNDONE;
      const authority = await claimEpoch(managed, { run, claimant: steps.claimant, include: [] });
      const standing = await standingOf(managed);
      if (standing.sync?.ackers.includes(host) !== true) return NOTHING_UNDONE;
      // It may hold what the dead one acknowledged. One acker too many on record makes a failover ask one more; one too few could cost it all.
      if (!isAnswering(await askServer(managed, standing.primary)))
        return {
          undone: [],
          notUndone: [`${host} stays an acker on record, since ${standing.primary} does not answer`],
        };
      return withdraw(authority, { ...standing, host, steps });
    }),

  admitReplica: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps): Promise<AdmitResult> => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () =>
        claimEpoch(managed, { run, claimant: steps.claimant, include: [host] }),
      );
      const standing = await steps.run('check', host, () => checkAdmission(authority, host));
      const admission = { ...standing, host, steps };
      const wasStarted = await steps.run('start', host, () => bringUp(authority, admission));
      const isSemiSync = managed.description.mode === 'semisync';
      const ackers = isSemiSync ? await admitAcker(authority, admission) : [];
      if (!wasStarted) await releaseRelayLogs(authority, { primary: standing.primary, hosts: [host] });
      return {
        outcome: 'admitted',
        cluster,
        host,
        epoch: authority.epoch,
        mode: isSemiSync ? 'lossless' : 'async',
        ackers,
        timeline: steps.timeline,
      };
    }),
});
