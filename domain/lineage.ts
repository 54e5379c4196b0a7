import type { GtidSet } from './gtid.ts';
import { domainOf, gtidsBeyond, latestPerDomain, parseGtids, serverOf, unionGtids } from './gtid.ts';

/** A host became primary: what the members recorded when it did. */
export interface Promotion {
  readonly epoch: number;
  readonly serverId: number;
  /** `gtid_binlog_state` of the new primary at its promotion: the history it goes on from. Empty when that is not known. */
  readonly start: string;
}

/**
 * The promotions of a cluster, oldest first. GTIDs alone cannot tell a later primary's transactions from those that a deposed one wrote beside it: its
 * next term may even use greater numbers. The starts can: within a domain, whatever belongs to the history after a promotion has a greater
 * sequence than everything before it (`gtid_strict_mode`).
 */
export type Lineage = readonly Promotion[];

/** Where the entries of a set stand. */
export interface Placement {
  /** On the history, with everything that the lineage says came before them. */
  readonly within: GtidSet;
  /** Written by a server of the lineage, but not while it was primary, or cut off by a later promotion. */
  readonly diverged: GtidSet;
  /** Written by a server that never was primary, after a start that lacks them: nothing says where they belong. */
  readonly unknown: GtidSet;
}

/** One primary's time: from its start until the next one's. */
interface Term {
  readonly serverId: number;
  /** What was there before it; null when that is not known. */
  readonly base: GtidSet | null;
}

const NOTHING: GtidSet = new Map();

export const placeGtids = (set: GtidSet, lineage: Lineage): Placement => placeIn(termsOf(lineage), set);

function placeIn(terms: readonly Term[], set: GtidSet): Placement {
  if (terms.length === 0) return { within: set, diverged: NOTHING, unknown: NOTHING };
  const servers = new Set(terms.map((term) => term.serverId));
  const within: GtidSet[] = [];
  const diverged = new Map<string, bigint>();
  const unknown = new Map<string, bigint>();
  for (const [key, sequence] of set) {
    const { before, isOnHistory } = placeEntry(key, sequence, terms);
    within.push(before);
    if (isOnHistory) within.push(new Map([[key, sequence]]));
    else (servers.has(serverOf(key)) ? diverged : unknown).set(key, sequence);
  }
  return { within: unionGtids(...within), diverged, unknown };
}

/**
 * Entries of `set` that the holder of `other` is not known to have. Without a lineage, by (domain, server) alone. What stands outside the lineage
 * is held only by who has exactly the same.
 */
export function historyBeyond(set: GtidSet, other: GtidSet, lineage: Lineage): GtidSet {
  const mine = placeGtids(set, lineage);
  const theirs = placeGtids(other, lineage);
  const outside = [...mine.diverged, ...mine.unknown].filter(
    ([key, sequence]) => theirs.diverged.get(key) !== sequence && theirs.unknown.get(key) !== sequence,
  );
  return unionGtids(gtidsBeyond(mine.within, theirs.within), new Map(outside));
}

interface Place {
  /** What its holder has besides: what came before it on the history, or before it left the history. */
  readonly before: GtidSet;
  readonly isOnHistory: boolean;
}

/** The entry belongs to the newest term whose base lacks it; one that no base lacks is older than the lineage. */
function placeEntry(key: string, sequence: bigint, terms: readonly Term[]): Place {
  const index = terms.findLastIndex(({ base }) => sequence > (base?.get(key) ?? 0n));
  const term = terms[index];
  const domain = domainOf(key);
  if (term === undefined) return { before: oldestUpTo(sequence, domain, terms), isOnHistory: true };
  if (term.base === null) return { before: NOTHING, isOnHistory: true };
  const next = terms[index + 1]?.base?.get(key);
  // The next base vouches for what it names, and for whatever its writer wrote in this term.
  if (sequence > (latestPerDomain(term.base).get(domain) ?? 0n)) {
    if (next !== undefined || term.serverId === serverOf(key))
      return { before: inDomain(term.base, domain), isOnHistory: true };
  } else if (next === sequence) return { before: NOTHING, isOnHistory: true };
  const shared = term.base.get(key);
  if (shared === undefined) return { before: NOTHING, isOnHistory: false };
  const before = unionGtids(placeEntry(key, shared, terms).before, new Map([[key, shared]]));
  return { before, isOnHistory: false };
}

/** The last entry of the first base implies all of it; how the others before it were ordered is not known. */
function oldestUpTo(sequence: bigint, domain: string, terms: readonly Term[]): GtidSet {
  const base = terms[0]?.base ?? NOTHING;
  return latestPerDomain(base).get(domain) === sequence ? inDomain(base, domain) : NOTHING;
}

/**
 * Nothing counts that stands before a promotion with an unknown start: what it went on from is not known. A server that was copied may have begun its
 * binlog in the middle, so a start implies what came before it.
 */
function termsOf(lineage: Lineage): readonly Term[] {
  const from = lineage.findLastIndex(({ start }) => start.trim() === '');
  const terms: Term[] = [];
  for (const { serverId, start } of lineage.slice(Math.max(0, from))) {
    const named = parseGtids(start);
    const base = named.size === 0 ? null : unionGtids(named, placeIn(terms, named).within);
    terms.push({ serverId, base });
  }
  return terms;
}

const inDomain = (set: GtidSet, domain: string): GtidSet =>
  new Map([...set].filter(([key]) => domainOf(key) === domain));
