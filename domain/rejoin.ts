import type { Epoch, HostName } from './cluster.ts';
import type { GtidSet } from './gtid.ts';
import { gtidsBeyond, unionGtids } from './gtid.ts';
import type { Lineage } from './lineage.ts';
import { historyBeyond, placeGtids } from './lineage.ts';
import type { TimelineEntry } from './report.ts';
import type { Tail } from './tail.ts';

export type RejoinResult =
  | {
      readonly outcome: 'rejoined';
      readonly cluster: string;
      readonly host: HostName;
      readonly primary: HostName;
      /** Null when it followed and was an acker on record already, so that nothing had to be proven. */
      readonly checksum: { readonly tables: number; readonly position: string } | null;
      readonly mode: 'lossless' | 'async';
      readonly timeline: readonly TimelineEntry[];
      readonly sentence: string;
    }
  | {
      readonly outcome: 'quarantined';
      readonly cluster: string;
      readonly host: HostName;
      readonly primary: HostName;
      /** What only this host has: from its binlog, and from its relay logs when it was a replica. */
      readonly tails: readonly Tail[];
      readonly remedy: string;
      readonly timeline: readonly TimelineEntry[];
      readonly sentence: string;
    };

export type Return =
  | {
      /**
       * `counts`: it followed and acknowledged already, and `lossless` is on record. `listed`: it followed, and is an acker on record, but does not count
       * as things are. `follows`: it replicates from the primary now, and is not proven.
       */
      readonly kind: 'counts' | 'listed' | 'follows';
      readonly primary: HostName;
      readonly epoch: Epoch;
      readonly timeline: readonly TimelineEntry[];
    }
  | {
      readonly kind: 'diverged';
      readonly primary: HostName;
      readonly epoch: Epoch;
      readonly tails: readonly Tail[];
      readonly timeline: readonly TimelineEntry[];
    };

/** `followedBefore`: it replicated from the primary already, and goes on whatever the run comes to. */
export type Repointed = Return & { readonly followedBefore: boolean };

/** Somebody's history and the primary's: what they have in common, and what only he has. */
export interface Comparison {
  readonly isRelated: boolean;
  readonly extra: GtidSet;
  /** What the primary is known to hold of it: everything else in his logs is his alone. */
  readonly shared: GtidSet;
}

/**
 * A later term of the same server may have used greater numbers than what it wrote beside the history: those entries of the primary say nothing
 * about it, and only what the lineage places before the fork is shared.
 */
export function compareWithPrimary(own: GtidSet, primary: GtidSet, lineage: Lineage): Comparison {
  const { within, diverged } = placeGtids(own, lineage);
  const shared = new Map(
    [...primary].map(
      ([key, sequence]) => [key, diverged.has(key) ? least(sequence, within.get(key)) : sequence] as const,
    ),
  );
  return {
    isRelated: [...own.keys()].some((key) => primary.has(key)),
    extra: unionGtids(historyBeyond(own, primary, lineage), gtidsBeyond(own, shared)),
    shared: new Map([...shared].filter(([, sequence]) => sequence > 0n)),
  };
}

const least = (left: bigint, right = 0n): bigint => (left < right ? left : right);

const LISTED = 10;

/** What a person has to read: how many, which, and where they are. */
export function describeTails(host: HostName, tails: readonly Tail[]): string {
  const count = tails.reduce((sum, tail) => sum + tail.count, 0);
  const gtids = tails.flatMap((tail) => tail.gtids);
  const more = count > LISTED ? ` and ${String(count - LISTED)} more` : '';
  const places = tails.flatMap((tail) => (tail.name === '' ? [] : [`/var/lib/standfast/quarantine/${tail.name}`]));
  const unread = tails.flatMap((tail) => (tail.why === '' ? [] : [tail.why]));
  return [
    count === 0
      ? `${host} may hold transactions that nobody else has`
      : `${host} holds ${String(count)} transactions that nobody else has: ${gtids.slice(0, LISTED).join(', ')}${more}`,
    ...(places.length === 0 ? [] : [`they are in ${places.join(' and ')} on ${host}`]),
    ...unread.map((why) => `not everything could be read: ${why}`),
  ].join('; ');
}

/** What could not be exported is only in the old data, which must never be started again: they go before the fence does. */
export const rebuildRemedy = (cluster: string, host: HostName, tails: readonly Tail[]): string =>
  [
    tails.every(({ complete }) => complete)
      ? `read tail.sql there and enter anew on the primary what is wanted (never pipe it in)`
      : `not everything that only ${host} has could be read, so keep its data: as root on ${host}, move all that is in its data directory, but lost+found, out of it, and keep it until somebody has answered for what was not read`,
    `when it is on record as an acker, standfast acker remove ${cluster} ${host}`,
    `as root on ${host}: standfast-host discard-data host=${host} (empties the data directory, then lifts the fence)`,
    `then standfast provision ${cluster} ${host}`,
  ].join('; ');
