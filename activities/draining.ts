import { AdapterFailure } from '../adapters/ports.ts';
import { waitApplied } from '../adapters/mariadb.ts';
import { endTail } from '../adapters/mariadb-tail.ts';
import { wordAbout } from '../domain/acceptance.ts';
import { vouching } from '../domain/channels.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Coverage, CoverageInput } from '../domain/coverage.ts';
import { judgeCoverage, judgeTail, judgeUnapplied } from '../domain/coverage.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Election } from '../domain/election.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { answeredRecords, withStatuses } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Salvage, Salvaged, Tail } from '../domain/tail.ts';
import { NOTHING_TO_SALVAGE, statementOf } from '../domain/tail.ts';
import type { Authority } from './authority.ts';
import type { Fenced } from './contract.ts';
import { electFrom, lineageOf, syncOf } from './electing.ts';
import { lossOf, refuseUnaccepted } from './foreseeing.ts';
import type { Followers, Kept } from './receivers.ts';
import { Refusal } from './refusal.ts';
import { applyTail, heldBy, nothingBeyond, readTail } from './salvaging.ts';
import type { Steps } from './steps.ts';
import { until } from './steps.ts';
import type { Case } from './unfinished.ts';

const DRAIN_SLICE_MS = 500;
const DRAIN_MS = 600_000;

/** Nobody can write to the old primary, and what the followers have received stands still. */
export interface FencedOff {
  readonly fence: FenceProof;
  readonly kept: readonly Kept[];
  readonly stopped: Followers;
}

interface Decided extends Case, FencedOff {
  readonly diagnosis: Diagnosis;
  /** Under the claim. */
  readonly seen: ClusterObservation;
}

/** Steps 6 and 7 of docs/runbooks.md, after the fence, when the received sets stand still: a winner is elected, nothing acknowledged is missing on it, all of it is applied. */
export async function electAndDrain(authority: Authority, found: Decided): Promise<Fenced> {
  const { steps, cluster, primary, kept, stopped } = found;
  const seen = withStatuses(found.seen, stopped);
  const free = new Map(kept.map((one) => [one.host, one.diskFreeBytes]));
  const followers = new Map([...stopped.keys()].map((host) => [host, free.get(host) ?? null]));
  const election = await steps.run('elect', null, () =>
    Promise.resolve(electFrom(cluster, { ...found, seen, followers })),
  );
  const winner = winnerOf(election);
  const known = {
    sync: syncOf(cluster, answeredRecords(seen)),
    contributors: vouching(
      election.because.map((vote) => vote.host),
      stopped,
    ),
    winnerReceived: winner.received,
    lineage: lineageOf(cluster, answeredRecords(seen)),
  };
  const readUpTo = stopped.get(winner.host)?.replication?.readUpTo ?? null;
  const covered = await steps.run('coverage', primary, () => cover(authority, { found, known, readUpTo }));
  if (covered.coverage.kind === 'lossy') refuseUnaccepted({ fence: null, loss: lossOf(covered.coverage) }, found);
  await steps.run('drain', winner.host, () => drain(authority, winner.host, steps));
  const { salvage, coverage } = await steps.run('salvage', winner.host, () =>
    salvageTail(authority, { found, winner: winner.host, ...covered }),
  );
  return {
    kind: 'ready',
    winner: winner.host,
    epoch: authority.epoch,
    decision: {
      diagnosis: found.diagnosis,
      votes: election.because,
      fence: found.fence,
      coverage,
      salvage,
      accepted:
        found.fence.rung === 'accepted' || coverage.kind === 'lossy' ? wordAbout(found.primary, found.accepted) : null,
    },
    timeline: steps.timeline,
  };
}

type Fence = Case & { readonly fence: FenceProof };

interface Covered {
  readonly coverage: Coverage;
  readonly tail: Tail | null;
}

interface Covering {
  readonly found: Fence;
  readonly known: Omit<CoverageInput, 'oldBinlogEnd'>;
  /** How far the winner has read the log of the old primary. */
  readonly readUpTo: string | null;
}

/** Reads what only the fenced old primary has. Where the ackers cover, a log that cannot be read is no reason to stop. */
async function cover(authority: Authority, { found, known, readUpTo }: Covering): Promise<Covered> {
  const byAckers = judgeCoverage({ ...known, oldBinlogEnd: null });
  if (found.fence.rung !== 'ssh') return { coverage: byAckers, tail: null };
  const received = known.winnerReceived;
  const tail = isReadToItsEnd(found.fence, readUpTo)
    ? nothingBeyond(received)
    : await readTail(authority, { primary: found.primary, received, readUpTo }).catch(unreadable);
  const oldBinlogEnd = tail?.complete === true ? tail.held : null;
  const coverage = judgeCoverage({ ...known, oldBinlogEnd });
  return { coverage: judgeTail(coverage, tail, authority.cluster.description.salvage), tail };
}

/** Its host said with the fence where its log ends, and there the winner has read to: nothing is beyond. */
const isReadToItsEnd = ({ logEnd }: FenceProof, readUpTo: string | null): boolean =>
  logEnd !== undefined && logEnd === readUpTo;

function unreadable(error: unknown): null {
  if (error instanceof AdapterFailure && (error.type === 'Unverified' || error.type === 'Unreachable')) return null;
  throw error;
}

/** What became of the tail, and of the coverage that may have rested on it. */
interface Settled {
  readonly salvage: Salvage;
  readonly coverage: Coverage;
}

interface Salvaging extends Covered {
  readonly found: Fence;
  readonly winner: HostName;
}

/**
 * Applies the tail to the winner, by policy; what cannot be applied stays in the quarantine of the old primary. It is a reason to stop, and a loss, only
 * if it may be missed.
 */
async function salvageTail(authority: Authority, { found, winner, tail, coverage }: Salvaging): Promise<Settled> {
  if (tail === null || tail.count === 0) return { salvage: NOTHING_TO_SALVAGE, coverage };
  if (authority.cluster.description.salvage === 'quarantine')
    return { salvage: statementOf(tail, { holds: null, why: '' }), coverage };
  const { primary, steps } = found;
  const done = await applyTail(authority, { primary, winner, tail, signal: steps.signal }).catch(inapplicable);
  if (done.kind === 'applied') return { salvage: statementOf(tail, { holds: done.holds, why: '' }), coverage };
  // The applier stops at the first transaction that does not fit; the ones before it are there.
  const salvage = statementOf(tail, { holds: await heldBy(authority, winner), why: done.why });
  // On an open primary somebody's START ALL SLAVES would apply the rest of it, behind newer writes.
  await authority.withSession(winner, endTail);
  const left = judgeUnapplied(coverage, salvage.quarantined, done.why);
  if (left.kind === 'lossy') refuseUnaccepted({ fence: null, loss: lossOf(left) }, found);
  return { salvage, coverage: left };
}

function inapplicable(error: unknown): Extract<Salvaged, { kind: 'quarantined' }> {
  if (error instanceof AdapterFailure && error.type === 'Unsafe') return { kind: 'quarantined', why: error.message };
  throw error;
}

function winnerOf(election: Election): Extract<Election, { kind: 'elected' }> {
  if (election.kind === 'elected') return election;
  throw new Refusal(
    `no replica can be promoted: ${election.explains}`,
    'mend a replica, then start the failover again',
  );
}

/** Waits until the winner has applied everything it received. Its receiver stands still, so the goal does not move. */
async function drain(authority: Authority, winner: HostName, steps: Steps): Promise<void> {
  const drained = await until(
    async () => {
      const { replication } = await authority.statusOf(winner);
      const error = replication?.applierError ?? null;
      if (error !== null)
        throw new Refusal(
          `the applier of ${winner} stopped with error ${String(error.code)}: ${error.message}`,
          `mend ${winner}`,
        );
      const goal = replication?.received ?? '';
      const done = await authority.withSession(winner, (session) => waitApplied(session, goal, DRAIN_SLICE_MS));
      return done ? true : null;
    },
    { signal: steps.signal, everyMs: 0, forMs: DRAIN_MS },
  );
  if (drained === null)
    throw new AdapterFailure({ type: 'NotYet', host: winner, message: `${winner} is still applying what it received` });
}
