import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { isAnswering } from '../domain/observation.ts';
import type { RefusedAddress } from '../domain/records.ts';
import type { RemoveAckerResult } from '../domain/report.ts';
import { acknowledgingNow, recordAsync, recordLossless } from './acknowledging.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities, Undone } from './contract.ts';
import { goAlone, refusedSentence } from './going-async.ts';
import { statusOf } from './asking.ts';
import { letIn, quieten, refusalOf, shutOut } from './refusing.ts';
import type { Standing } from './standing.ts';
import { answerOf, hasClaimed, requireAnswer, standingOf, whyNotAlone } from './standing.ts';
import { unsafe } from './refusal.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';
import { NOTHING_UNDONE, undoAll } from './undoing.ts';

/** The others are connected when a removal begins, so what they lack is a moment's worth. */
const COVER_MS = 15_000;
const REWRITE_MS = 2_000;
/** A receiver that was restarted a moment ago connects within a second. */
const CONNECT_MS = 3_000;
const POLL_MS = 50;

interface Removal extends Omit<Standing, 'lineage'> {
  readonly host: HostName;
  readonly others: readonly HostName[];
}

/** What would be refused at the end is refused here, before anything is changed. */
async function checkRemoval(authority: Authority, host: HostName, { signal }: Steps): Promise<Removal> {
  const { cluster } = authority;
  const { cluster: name } = cluster.description;
  const { primary, sync } = await standingOf(cluster);
  if (host === primary)
    throw unsafe(host, `${host} is the primary of ${name}: it acknowledges nothing. Nothing was changed`);
  const others = (sync?.ackers ?? []).filter((acker) => acker !== host);
  const why = others.length === 0 && sync?.ackers.includes(host) === true ? whyNotAlone(cluster, primary) : null;
  if (why !== null) throw unsafe(host, `without ${host} ${why}`);
  await requireAnswer(cluster, { primary, signal });
  if (sync?.mode === 'lossless' && others.length > 0) {
    const somebody = async (): Promise<true | null> =>
      (await acknowledgingNow(authority, { primary, ackers: others })).length > 0 ? true : null;
    if ((await until(somebody, { signal, everyMs: POLL_MS, forMs: CONNECT_MS })) === null)
      throw unsafe(
        host,
        `nobody but ${host} could acknowledge the writes of ${primary}: ${others.join(', ')} is not connected to it. Nothing was changed. Bring one of them back first, or go on without acknowledgements: standfast acker none ${name}`,
      );
  }
  return { primary, sync, host, others };
}

/**
 * Takes `host` out, whatever it is doing: refused and seen gone first, so that it can acknowledge nothing any more; then the others have to hold all that it may
 * have acknowledged alone; only then does the record shrink.
 */
export async function takeOut(
  authority: Authority,
  { primary, host, others, steps }: Omit<Removal, 'sync'> & { readonly steps: Steps },
): Promise<void> {
  await steps.run('refuse', primary, () => shutOut(authority, { primary, host }, steps));
  await steps.run('record', null, async () => {
    const goal = (await statusOf(authority.cluster, primary)).binlogPosition;
    const bounds = { signal: steps.signal, forMs: COVER_MS };
    const why = await recordLossless(authority, { primary, ackers: others, goal }, bounds);
    if (why !== null) throw unsafe(host, `${host} has to stay on record, since without it ${why}`);
  });
}

async function remove(
  authority: Authority,
  { primary, sync, host, others, steps }: Removal & { readonly steps: Steps },
): Promise<Pick<RemoveAckerResult, 'mode' | 'ackers' | 'refused'>> {
  if (others.length === 0) return { mode: 'async', ackers: [], refused: await goAlone(authority, { primary, steps }) };
  const mode = sync?.mode ?? 'async';
  if (mode === 'lossless') await takeOut(authority, { primary, host, others, steps });
  else {
    await steps.run('refuse', primary, () => shutOut(authority, { primary, host }, steps));
    await steps.run('record', null, () => recordAsync(authority, others));
  }
  const why = await steps.run('quieten', host, () => quieten(authority, { primary, host }, steps));
  return { mode, ackers: others, refused: why === null ? [] : [`${host} (${why})`] };
}

/**
 * The same promise at this run's epoch, on a majority: what an attempt that died wrote on a few members only must not come up later, when somebody is let in
 * whom it does not name.
 */
async function writeAgain(authority: Authority, { primary, sync }: Standing, signal: AbortSignal): Promise<void> {
  const ackers = sync?.ackers ?? [];
  const claim = { primary, ackers, goal: null };
  if (sync?.mode === 'lossless' && (await recordLossless(authority, claim, { signal, forMs: REWRITE_MS })) === null)
    return;
  await recordAsync(authority, ackers);
}

interface Undoing {
  readonly host: HostName;
  readonly wasAcker: boolean;
  readonly signal: AbortSignal;
}

/** What is to be undone, if anything; what a primary that is dead was told is left as it is, so that a failover finds the record that its writes rested on. */
async function undoRemoval(
  cluster: ClusterPorts,
  { host, wasAcker, signal }: Undoing,
  claim: () => Promise<Authority>,
): Promise<Undone> {
  const { primary, sync } = await standingOf(cluster);
  const isRecorded = sync?.ackers.includes(host) === true;
  const refusal = isRecorded ? await refusalKnownOf(cluster, { primary, host }) : null;
  if (isRecorded ? refusal === null : !wasAcker) return NOTHING_UNDONE;
  const isAlive = refusal !== 'unknown' && isAnswering(await answerOf(cluster, { primary, signal }));
  if (isAlive) return undo(await claim(), { host, signal });
  return {
    undone: [],
    notUndone: [
      isRecorded
        ? `${host} may still be refused by ${primary}, which does not answer; the record is as it was`
        : noAckerAnyMore(cluster, host),
    ],
  };
}

async function refusalKnownOf(
  cluster: ClusterPorts,
  pair: { readonly primary: HostName; readonly host: HostName },
): Promise<RefusedAddress | 'unknown' | null> {
  try {
    return await refusalOf(cluster, pair);
  } catch (error) {
    if (!(error instanceof AdapterFailure) || error.type !== 'Unreachable') throw error;
    return 'unknown';
  }
}

const noAckerAnyMore = ({ description: { cluster } }: ClusterPorts, host: HostName): string =>
  `${host} is no acker any more; to take it back: standfast acker add ${cluster} ${host}`;

/** While the record names `host`, it is let in again. From the record on, the removal stands. */
async function undo(authority: Authority, { host, signal }: Omit<Undoing, 'wasAcker'>): Promise<Undone> {
  const { cluster } = authority;
  const standing = await standingOf(cluster);
  const { primary, sync } = standing;
  if (sync?.ackers.includes(host) === true)
    return undoAll([
      {
        what: `${host} may connect to ${primary} again`,
        work: async () => {
          await writeAgain(authority, standing, signal);
          await letIn(authority, { primary, host });
        },
      },
    ]);
  await writeAgain(authority, standing, signal);
  return { undone: [], notUndone: [noAckerAnyMore(cluster, host)] };
}

export const removingActivities = (
  ports: Ports,
  hooks: StepHooks,
): Pick<Activities, 'removeAcker' | 'undoRemoval'> => ({
  removeAcker: ({ cluster, run, host }) =>
    inSteps(hooks, async (steps): Promise<RemoveAckerResult> => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () =>
        claimEpoch(managed, { run, claimant: steps.claimant, include: [] }),
      );
      const removal = await steps.run('check', host, () => checkRemoval(authority, host, steps));
      const { primary } = removal;
      const left = await remove(authority, { ...removal, steps });
      const now = left.mode === 'lossless' ? `lossless with ${left.ackers.join(', ')}` : 'async';
      return {
        outcome: 'removed',
        cluster,
        host,
        primary,
        epoch: authority.epoch,
        ...left,
        timeline: steps.timeline,
        sentence: `${host} acknowledges no writes of ${primary} any more (${now})${refusedSentence(primary, left.refused)}`,
      };
    }),

  undoRemoval: ({ cluster, run, host, wasAcker }) =>
    inSteps(hooks, async (steps) => {
      const managed = await ports.cluster(cluster);
      if (!(await hasClaimed(managed, run))) return NOTHING_UNDONE;
      const claim = () => claimEpoch(managed, { run, claimant: steps.claimant, include: [] });
      return undoRemoval(managed, { host, wasAcker, signal: steps.signal }, claim);
    }),
});
