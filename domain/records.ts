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
  /** The run that recorded it. */
  readonly run?: string;
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
  /**
   * `booted`: its host started again since an operation last confirmed its records, and it may have been primary until then. `blank`: it remembers
   * nothing. Absent from observations of earlier versions.
   */
  readonly standing?: 'sure' | 'booted' | 'blank';
  /** Another one after every boot of its host. */
  readonly boot?: string;
  /** An operation has confirmed its records in this boot. */
  readonly confirmed?: boolean;
  /** Which words its helper knows; see docs/host-helper.md. Absent: the first. */
  readonly level?: number;
  /** The addresses of the replicas that its server refuses, with the epoch since when. Absent: not said. */
  readonly refused?: readonly RefusedAddress[];
  /** How many connections its server took before an operation raised that, which is still to be put back. Absent: nothing is. */
  readonly room?: number;
}

export interface RefusedAddress {
  readonly address: string;
  /** Of the operation that refused it. */
  readonly epoch: number;
}

export type Known<T> =
  | { readonly kind: 'known'; readonly record: T }
  | { readonly kind: 'nothing' }
  /** Too few count, or those that do disagree. */
  | { readonly kind: 'undecided'; readonly why: string };

/** The newest claim that any single member has accepted. */
export const newestEpoch = (records: readonly MemberRecords[]): Epoch | null =>
  records.reduce<Epoch | null>(
    (newest, { epoch }) => (epoch !== null && epoch.number > (newest?.number ?? 0) ? epoch : newest),
    null,
  );

/**
 * So many that those who are silent are no majority: every majority that ever wrote something is then represented. Of an odd number of members it
 * is the majority itself, of two it is one.
 */
export const witnessesOf = (members: number): number => members - majorityOf(members) + 1;

/**
 * Whether a member stands for every majority that it was counted in. One that was proven off was counted without being written to, so a host that may
 * have been switched off as primary counts again only when an operation has confirmed its records. Only a recorded primary is ever switched
 * off, and it knows from its own record that it was one.
 */
const counts = ({ standing }: MemberRecords): boolean => standing !== 'booted' && standing !== 'blank';

const isBlank = ({ standing }: MemberRecords): boolean => standing === 'blank';

/** When all answer, nothing can have been recorded elsewhere; a member that lost its memory may have been that elsewhere. */
const isEverybody = (records: readonly MemberRecords[], members: number): boolean =>
  records.length === members && (records.every(isBlank) || !records.some(isBlank));

const mayKnow = (records: readonly MemberRecords[], members: number): boolean =>
  records.filter(counts).length >= witnessesOf(members) || isEverybody(records, members);

interface Question<T> {
  readonly records: readonly MemberRecords[];
  readonly members: number;
  readonly read: (records: MemberRecords) => T | null;
  /** Orders the records that one operation wrote one after the other under its epoch. */
  readonly stage: (record: T) => number;
}

/**
 * The newest record of all that answer, when enough of them count. A record reaches a majority, hosts proven off included, before its operation acts on
 * it; so whatever was ever acted on is seen here.
 */
function newest<T extends { readonly epoch: number }>({ records, members, read, stage }: Question<T>): Known<T> {
  if (!mayKnow(records, members)) return { kind: 'undecided', why: whyFew(records, members) };
  const recorded = records.map(read).filter((record) => record !== null);
  const [first, ...others] = [...recorded].sort(
    (left, right) => right.epoch - left.epoch || stage(right) - stage(left),
  );
  if (first === undefined) return { kind: 'nothing' };
  const rivals = others.filter((record) => record.epoch === first.epoch && stage(record) === stage(first));
  return rivals.every((record) => JSON.stringify(record) === JSON.stringify(first))
    ? { kind: 'known', record: first }
    : { kind: 'undecided', why: `members disagree about the record of epoch ${String(first.epoch)}` };
}

function whyFew(records: readonly MemberRecords[], members: number): string {
  const answered = `${String(records.length)} of ${String(members)} members answered`;
  const booted = records.filter((one) => one.standing === 'booted').length;
  const blank = records.filter(isBlank).length;
  const doubts = [
    ...(booted > 0
      ? [`${String(booted)} may have been replaced as primary while it was off, so its records may be old`]
      : []),
    ...(blank > 0 ? [`${String(blank)} ${blank === 1 ? 'remembers' : 'remember'} nothing`] : []),
  ];
  return [answered, ...doubts].join(', and ');
}

export const isOlder = (one: { readonly epoch: number } | null, other: { readonly epoch: number } | null): boolean =>
  other !== null && (one === null || one.epoch < other.epoch);

/** Why it is not known, and what a person can do about it: whom to bring back, or what to declare. */
export function explainUndecided(
  why: string,
  { all, answers }: { readonly all: readonly HostName[]; readonly answers: ReadonlyMap<HostName, MemberRecords> },
): string {
  const silent = all.filter((member) => !answers.has(member));
  const booted = [...answers].filter(([, { standing }]) => standing === 'booted').map(([member]) => member);
  const back = silent.length > 0 ? `bring back ${silent.join(' or ')}` : 'look at the records of the members';
  const declare =
    booted.length > 0
      ? `, or, if nobody was made primary while ${booted.join(', ')} was off, say so as root on ${booted.join(', ')}: standfast-host vouch`
      : '';
  return `what is recorded is not known: ${why}; ${back}${declare}`;
}

export const recordedPrimary = (records: readonly MemberRecords[], members: number): Known<PrimaryRecord> =>
  newest({ records, members, read: (one) => one.primary, stage: () => 0 });

/** An admission writes `lossless` last under its epoch, after it came true. */
export const recordedSync = (records: readonly MemberRecords[], members: number): Known<SyncRecord> =>
  newest({ records, members, read: (one) => one.sync, stage: (sync) => (sync.mode === 'lossless' ? 1 : 0) });

/**
 * The promotions that any of those who answer recorded. Where two members disagree about an epoch nothing is known of it, nor of what came before it; when fewer
 * answer than can know, the newest promotion may be missing, and nothing is known at all.
 */
export function recordedLineage(records: readonly MemberRecords[], members: number): Lineage {
  if (!mayKnow(records, members)) return [];
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

/** A server that is recorded once more, as when it is opened again, begins no new chapter. */
export const withPromotion = (lineage: Lineage, next: Promotion): Lineage =>
  lineage.at(-1)?.serverId === next.serverId ? lineage : [...lineage, next].slice(-MOST_PROMOTIONS);

/** A host that asks for more than this cannot be compared with anybody anyway. */
const MOST_PROMOTIONS = 50;
