import type { Epoch, HostName } from './cluster.ts';
import { majorityOf } from './cluster.ts';

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
}

export type Known<T> =
  | { readonly kind: 'known'; readonly record: T }
  | { readonly kind: 'nothing' }
  /** Fewer than a majority answered, or a majority does not agree yet. */
  | { readonly kind: 'undecided'; readonly why: string };

export const highestEpoch = (records: readonly MemberRecords[]): number =>
  Math.max(0, ...records.map((record) => record.epoch?.number ?? 0));

/**
 * The newest record among the answers of a majority. A record reaches a majority before its operation acts on it, so every majority
 * sees the newest record that was ever acted on.
 */
function newest<T extends { readonly epoch: number }>(
  found: readonly (T | null)[],
  members: number,
): Known<T> {
  if (found.length < majorityOf(members))
    return { kind: 'undecided', why: `${String(found.length)} of ${String(members)} members answered` };
  const recorded = found.filter((record) => record !== null);
  const [first] = [...recorded].sort((left, right) => right.epoch - left.epoch);
  return first === undefined ? { kind: 'nothing' } : { kind: 'known', record: first };
}

export const recordedPrimary = (records: readonly MemberRecords[], members: number): Known<PrimaryRecord> =>
  newest(
    records.map((record) => record.primary),
    members,
  );

export const recordedSync = (records: readonly MemberRecords[], members: number): Known<SyncRecord> =>
  newest(
    records.map((record) => record.sync),
    members,
  );
