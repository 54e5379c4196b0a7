import type { HostName } from './cluster.ts';
import { parseGtids, renderGtids } from './gtid.ts';
import type { Lineage } from './lineage.ts';
import { historyBeyond } from './lineage.ts';
import type { SyncRecord } from './records.ts';
import type { Tail, Transactions } from './tail.ts';

export interface CoverageInput {
  readonly sync: SyncRecord | null;
  /** Replicas whose received sets were read while their receivers stood still. */
  readonly contributors: readonly HostName[];
  /** Everything the winner received. */
  readonly winnerReceived: string;
  /** Last transactions in the binlog of the old primary, read from its files after the fence; null or empty proves nothing. */
  readonly oldBinlogEnd: string | null;
  readonly lineage?: Lineage;
}

export type Coverage =
  | { readonly kind: 'lossless'; readonly by: 'ackers' | 'old-binlog' | 'salvage'; readonly why: string }
  | {
      readonly kind: 'lossy';
      readonly why: string;
      /** Last transactions that the winner lacks, as GTIDs; empty when they are not known. */
      readonly missing: string;
      /** How many transactions may be lost; null when nobody can say. */
      readonly count: number | null;
    };

/** How many recorded ackers must contribute so that every acknowledged write is among what they received: n - k + 1. */
export const contributionsNeeded = (sync: SyncRecord): number => sync.ackers.length - sync.k + 1;

/** Decides whether the winner is proven to hold every acknowledged write. */
export function judgeCoverage(input: CoverageInput): Coverage {
  const { sync, oldBinlogEnd } = input;
  const byAckers = sync !== null && sync.mode === 'lossless' ? coverByAckers(sync, input.contributors) : null;
  if (byAckers?.enough === true) return { kind: 'lossless', by: 'ackers', why: byAckers.why };
  const reason = byAckers?.why ?? 'the cluster runs without lossless acknowledgement (async)';
  if (oldBinlogEnd === null || oldBinlogEnd.trim() === '')
    return {
      kind: 'lossy',
      why: `${reason}, and the binary log of the old primary cannot be read`,
      missing: '',
      count: null,
    };
  const missing = renderGtids(
    historyBeyond(parseGtids(oldBinlogEnd), parseGtids(input.winnerReceived), input.lineage ?? []),
  );
  if (missing === '')
    return {
      kind: 'lossless',
      by: 'old-binlog',
      why: 'the binary log of the old primary, read to its end, holds nothing that the winner lacks',
    };
  return {
    kind: 'lossy',
    why: `${reason}, and the old primary holds transactions up to ${missing} that no winner has`,
    missing,
    count: null,
  };
}

/**
 * What the binary log of the old primary makes of a loss, when it was read to its end: transactions that are brought to the winner are none, and those that
 * are only kept can be counted.
 */
export function judgeTail(coverage: Coverage, tail: Tail | null, salvage: 'apply' | 'quarantine'): Coverage {
  if (coverage.kind === 'lossless' || tail === null) return coverage;
  if (!tail.complete) return tail.why === '' ? coverage : { ...coverage, why: `${coverage.why} (${tail.why})` };
  if (tail.count === 0) return coverage;
  const what = `${String(tail.count)} transactions of the old primary that no replica received, up to ${tail.upTo}`;
  if (salvage === 'apply')
    return { kind: 'lossless', by: 'salvage', why: `${what}, are read from its files and applied` };
  return { ...coverage, why: `${what}, are kept aside and not applied (policy.failover.salvage)`, count: tail.count };
}

/** What is left of a coverage that rested on a tail, when that could not be applied after all. */
export function judgeUnapplied(coverage: Coverage, { count, gtids }: Transactions, why: string): Coverage {
  if (coverage.kind === 'lossy' || coverage.by !== 'salvage' || count === 0) return coverage;
  return {
    kind: 'lossy',
    why: `${String(count)} transactions of the old primary that no replica received are kept aside and not applied: ${why}`,
    missing: gtids.at(-1) ?? '',
    count,
  };
}

/** The old primary waits for ever for acknowledgements that nobody gives any more: as many receivers stand still as cover every write. */
export const judgeRevocation = (
  sync: SyncRecord | null,
  contributors: readonly HostName[],
): { readonly enough: boolean; readonly why: string } =>
  sync?.mode === 'lossless'
    ? coverByAckers(sync, contributors)
    : { enough: false, why: 'the primary is not recorded to wait for acknowledgements (async)' };

function coverByAckers(
  sync: SyncRecord,
  contributors: readonly HostName[],
): { readonly enough: boolean; readonly why: string } {
  const present = sync.ackers.filter((acker) => contributors.includes(acker));
  const needed = contributionsNeeded(sync);
  const why = `${String(present.length)} of ${String(sync.ackers.length)} recorded ackers contribute (${present.join(', ') || 'none'}), ${String(needed)} needed`;
  return { enough: present.length >= needed && needed > 0, why };
}
