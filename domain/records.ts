import type { Epoch, HostName } from './cluster.ts';
import { majorityOf } from './cluster.ts';
import type { Lineage, Promotion } from './lineage.ts';

/** How acknowledged writes are kept, as recorded on the members. MariaDB: `k` is always 1. */
export interface SyncRecord {
  readonly epoch: number;
  readonly mode: 'lossless' | 'async';
  readonly ackers: readonly HostName[];
  /** How many ackers acknowledge each write. */
  readonly k: number;
}

export interface PrimaryRecord {
  readonly epoch: number;
  readonly host: HostName;
}

/** The root-owned records of one member, as its host helper answered them. */
export interface MemberRecords {
  readonly owner: string;
  readonly epoch: Epoch | null;
  readonly primary: PrimaryRecord | null;
  readonly sync: SyncRecord | null;
  readonly fenced: boolean;
  /** Every promotion that this member heard of, the newest last. */
  readonly lineage?: Lineage;
}

export type Known<T> =
  | { readonly kind: 'known'; readonly record: T }
  | { readonly kind: 'nothing' }
  /** Fewer than a majority answered, or a majority does not agree yet. */
  | { readonly kind: 'undecided'; readonly why: string };

export const highestEpoch = (records: readonly MemberRecords[]): number =>
  Math.max(0, ...records.map((record) => record.epoch?.number ?? 0));

interface Answers<T> {
  readonly found: readonly (T | null)[];
  readonly members: number;
  /** Orders the records that one operation wrote one after the other under its epoch. */
  readonly stage: (record: T) => number;
}

/**
 * The newest record among the answers of a majority. A record reaches a majority before its operation acts on it, so every majority
 * sees the newest record that was ever acted on.
 */
function newest<T extends { readonly epoch: number }>({ found, members, stage }: Answers<T>): Known<T> {
  if (found.length < majorityOf(members))
    return { kind: 'undecided', why: `${String(found.length)} of ${String(members)} members answered` };
  const recorded = found.filter((record) => record !== null);
  const [first, ...others] = [...recorded].sort(
    (left, right) => right.epoch - left.epoch || stage(right) - stage(left),
  );
  if (first === undefined) return { kind: 'nothing' };
  const rivals = others.filter((record) => record.epoch === first.epoch && stage(record) === stage(first));
  return rivals.every((record) => JSON.stringify(record) === JSON.stringify(first))
    ? { kind: 'known', record: first }
    : { kind: 'undecided', why: `members disagree about the record of epoch ${String(first.epoch)}` };
}

export const recordedPrimary = (records: readonly MemberRecords[], members: number): Known<PrimaryRecord> =>
  newest({ found: records.map((record) => record.primary), members, stage: () => 0 });

/** An admission writes `lossless` last under its epoch, after it came true. */
export const recordedSync = (records: readonly MemberRecords[], members: number): Known<SyncRecord> =>
  newest({
    found: records.map((record) => record.sync),
    members,
    stage: (sync) => (sync.mode === 'lossless' ? 1 : 0),
  });

/**
 * The promotions that any of a majority recorded. Where two members disagree about an epoch nothing is known of it, nor of what came before it; when fewer
 * than a majority answer, the newest promotion may be missing, and nothing is known at all.
 */
export function recordedLineage(records: readonly MemberRecords[], members: number): Lineage {
  if (records.length < majorityOf(members)) return [];
  const told = records.flatMap((record) => record.lineage ?? []);
  const byEpoch = new Map<number, Promotion>();
  let disputed = 0;
  for (const promotion of told) {
    const known = byEpoch.get(promotion.epoch);
    if (known !== undefined && !isSamePromotion(known, promotion)) disputed = Math.max(disputed, promotion.epoch);
    byEpoch.set(promotion.epoch, promotion);
  }
  return [...byEpoch.values()]
    .filter((promotion) => promotion.epoch > disputed)
    .sort((left, right) => left.epoch - right.epoch);
}

const isSamePromotion = (left: Promotion, right: Promotion): boolean =>
  left.serverId === right.serverId && left.start === right.start;
