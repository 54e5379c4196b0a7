import type { GtidSet } from './gtid.ts';
import { parseGtids, unionGtids } from './gtid.ts';
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

/** Received is not enough for some questions: what is only in a relay log is not applied yet. */
export const appliedBy = ({ binlogState, appliedPosition }: ServerStatus): GtidSet =>
  unionGtids(parseGtids(binlogState), parseGtids(appliedPosition));
