import type { Fenced, Promoted } from '../activities/contract.ts';
import type { AbandonedWinner, FailoverDecision, FailoverResult, Loss } from '../domain/report.ts';
import type { EventsReport } from '../domain/events.ts';
import { leftOffSentence } from '../domain/events.ts';
import { NOTHING_TO_SALVAGE } from '../domain/tail.ts';
import { lookIfPossible } from './verdict.ts';

export type Ready = Extract<Fenced, { kind: 'ready' }>;

/** One who was elected, and was lost before it served. */
export interface Abandoned {
  readonly fenced: Ready;
  readonly why: string;
}

export interface Done {
  readonly cluster: string;
  readonly fenced: Ready;
  readonly promoted: Promoted;
  readonly abandoned: readonly Abandoned[];
  /** Null: they are not to run, or it is not known. */
  readonly events: EventsReport | null;
}

/** A winner that was lost and is back is gone on with as it was decided in this run: what was accepted then is what may be missing. */
export function asDecidedBefore(next: Ready, abandoned: readonly Abandoned[]): Ready {
  const { rung, host, again } = next.decision.fence;
  if (rung !== 'earlier') return next;
  const before = abandoned.findLast(
    ({ fenced }) => fenced.winner === next.winner && fenced.decision.fence.host === host,
  );
  if (before === undefined) return next;
  const { decision } = before.fenced;
  return { ...next, decision: again === undefined ? decision : { ...decision, fence: { ...decision.fence, again } } };
}

export async function report(done: Done): Promise<FailoverResult> {
  const { cluster, fenced, promoted, abandoned } = done;
  const { winner, decision } = fenced;
  return {
    outcome: 'failed-over',
    cluster,
    oldPrimary: oldPrimaryOf(done),
    newPrimary: winner,
    epoch: promoted.epoch,
    sentence: sentenceOfResult(done),
    decision,
    loss: lossOf(decision),
    abandoned: abandoned.map(describeAbandoned),
    events: done.events,
    timeline: [...abandoned.flatMap((one) => one.fenced.timeline), ...fenced.timeline, ...promoted.timeline],
    verdict: await lookIfPossible(cluster),
  };
}

/** Whom clients had lost when the run began. */
const oldPrimaryOf = ({ fenced, abandoned }: Done): string => (abandoned[0]?.fenced ?? fenced).decision.fence.host;

const describeAbandoned = ({ fenced, why }: Abandoned): AbandonedWinner => ({
  host: fenced.winner,
  why,
  decision: fenced.decision,
  loss: lossOf(fenced.decision),
});

type Decided = Pick<FailoverDecision, 'coverage'> & Partial<Pick<FailoverDecision, 'salvage'>>;

/** A run that was under way during an upgrade may have decided without a word about salvage. */
function lossOf({ coverage, salvage = NOTHING_TO_SALVAGE }: Decided): Loss {
  if (coverage.kind === 'lossless')
    return { lossless: true, explains: coverage.why, lost: { count: 0, gtids: [] }, missing: '', salvage };
  const lost = coverage.count === null ? null : { count: coverage.count, gtids: salvage.quarantined.gtids };
  return { lossless: false, explains: coverage.why, lost, missing: coverage.missing, salvage };
}

function sentenceOfResult(done: Done): string {
  const { cluster, fenced, promoted, abandoned } = done;
  const { epoch, mode, secondHolder } = promoted;
  // What was decided about the same primary once more is out of date; a loss from which an abandoned winner went on is not.
  const standing = abandoned.filter((one) => one.fenced.decision.fence.host !== fenced.decision.fence.host);
  const losses = [...standing.map((one) => one.fenced.decision), fenced.decision].map(lossSentence).join('; ');
  const before = abandoned.map(({ fenced: { winner }, why }) => `. ${winner} was elected before: ${why}`).join('');
  const second = secondHolder === null ? '' : `. The old primary may still hold the VIP: ${secondHolder}`;
  return `${fenced.winner} is the primary of ${cluster} instead of ${oldPrimaryOf(done)} (epoch ${String(epoch.number)}, ${mode}); ${losses}${before}${second}${leftOffSentence(done.events)}`;
}

function lossSentence({ coverage, accepted, fence }: FailoverDecision): string {
  if (coverage.kind === 'lossless') return `no acknowledged write is missing: ${coverage.why}`;
  if (fence.rung === 'earlier') return coverage.why;
  return `acknowledged writes may be LOST, accepted by ${accepted?.by ?? 'policy.failover.maxLostTransactions'}: ${coverage.why}`;
}
