import type { GtidSet } from './gtid.ts';
import { gtidsBeyond, parseGtids, unionGtids } from './gtid.ts';
import type { ServerStatus } from './observation.ts';

/** Complete transactions in a server's logs that a given set of GTIDs lacks, exported on its host into a folder of the quarantine. */
export interface Tail {
  /** Folder `/var/lib/standfast/quarantine/NAME` on that host; empty when there is nothing in the tail. */
  readonly name: string;
  readonly count: number;
  /** In the order of the log; at most 1000 of them. */
  readonly gtids: readonly string[];
  /** The highest of each domain and server in the tail. */
  readonly upTo: string;
  /** Everything the logs hold, tail or not, per domain and server. */
  readonly held: string;
  /** False: some log could not be read to its end, or older ones were purged. There may be transactions that nobody can read. */
  readonly complete: boolean;
  /** What could not be read and up to where it could; empty when complete. */
  readonly why: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type Salvaged =
  | {
      readonly kind: 'applied';
      /** Everything that the winner holds now, per domain and server. */
      readonly holds: string;
    }
  | { readonly kind: 'quarantined'; readonly why: string };

/** Transactions by their GTIDs, in the order of the log; the first thousand are named. */
export interface Transactions {
  readonly count: number;
  readonly gtids: readonly string[];
}

/** What became of the transactions that only the old primary had. */
export interface Salvage {
  readonly applied: Transactions;
  readonly quarantined: Transactions;
  /** Where the old primary keeps them all as statements; empty when there are none. */
  readonly folder: string;
  /** Why some were not applied, or whether others may be missing; empty when all were. */
  readonly why: string;
}

const NONE: Transactions = { count: 0, gtids: [] };

export const NOTHING_TO_SALVAGE: Salvage = { applied: NONE, quarantined: NONE, folder: '', why: '' };

/** @param holds everything that the winner holds now, per domain and server; null when nothing was applied */
export function statementOf(
  tail: Tail,
  { holds, why }: { readonly holds: string | null; readonly why: string },
): Salvage {
  const held = parseGtids(holds ?? '');
  const isHeld = (gtid: string): boolean => gtidsBeyond(parseGtids(gtid), held).size === 0;
  const all: Transactions = { count: tail.count, gtids: tail.gtids };
  const isWhole = holds !== null && gtidsBeyond(parseGtids(tail.upTo), held).size === 0;
  const applied = isWhole ? all : only(tail.gtids.filter((gtid) => holds !== null && isHeld(gtid)));
  const rest = tail.gtids.filter((gtid) => holds === null || !isHeld(gtid));
  return {
    applied,
    quarantined: isWhole ? NONE : { count: tail.count - applied.count, gtids: rest },
    folder: tail.name === '' ? '' : `/var/lib/standfast/quarantine/${tail.name}`,
    why: [why, tail.why].filter((part) => part !== '').join('; '),
  };
}

const only = (gtids: readonly string[]): Transactions => ({ count: gtids.length, gtids });

/** Received is not enough for some questions: what is only in a relay log is not applied yet. */
export const appliedBy = ({ binlogState, appliedPosition }: ServerStatus): GtidSet =>
  unionGtids(parseGtids(binlogState), parseGtids(appliedPosition));
