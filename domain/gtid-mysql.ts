import type { GtidOrder } from './gtid.ts';
import { orderBy } from './gtid.ts';

/**
 * MySQL GTIDs: sets of closed intervals of numbers per source, where a source is a server's UUID or, from 8.3 on, a UUID with a tag.
 * Intervals are sorted, and apart from each other by at least one number.
 */
export type MysqlGtidSet = ReadonlyMap<string, readonly Interval[]>;

export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
/** A server reads a leading zero as octal: such a number is refused rather than understood in another way. */
const INTERVAL = /^([1-9]\d*)(?:\s*-\s*([1-9]\d*))?$/;
/** Source: mysql-server, rpl_gtid.h: numbers stay below GNO_END, 2^63 - 1. */
const MOST = 2n ** 63n - 2n;

/**
 * Reads what a server prints: `uuid:1-5:7,uuid:tag:3`, with or without line ends and spaces, in any case and order; what overlaps or touches is joined.
 * @throws RangeError naming the part that cannot be read, and where it stands
 */
export function parseMysqlGtids(text: string): MysqlGtidSet {
  const read = new Map<string, Interval[]>();
  for (const [index, part] of text.split(',').entries()) {
    if (part.trim() === '') continue;
    for (const [source, interval] of entriesOf(part.trim(), index + 1)) listOf(read, source).push(interval);
  }
  return setOf(read);
}

/** A tag holds for the numbers behind it, until the next tag. */
function entriesOf(part: string, place: number): readonly (readonly [string, Interval])[] {
  const [uuid = '', ...words] = part.split(':').map((word) => word.trim().toLowerCase());
  const refuse = (what: string): never => {
    throw new RangeError(`${what} in "${part}", part ${String(place)} of a MySQL GTID set (uuid:1-5:7)`);
  };
  if (!UUID.test(uuid)) refuse(`"${uuid}" is not a UUID`);
  const entries: (readonly [string, Interval])[] = [];
  let source = uuid;
  for (const [index, word] of words.entries()) {
    if (!TAG.test(word)) entries.push([source, intervalOf(word) ?? refuse(`"${word}" is no interval and no tag`)]);
    else if (index > 0 && TAG.test(words[index - 1] ?? '')) refuse(`no number behind "${words[index - 1] ?? ''}"`);
    else source = `${uuid}:${word}`;
  }
  const last = words.at(-1) ?? uuid;
  return INTERVAL.test(last) ? entries : refuse(`no number behind "${last}"`);
}

function intervalOf(word: string): Interval | null {
  const [, begin, end] = INTERVAL.exec(word) ?? [];
  if (begin === undefined) return null;
  const first = BigInt(begin);
  const last = end === undefined ? first : BigInt(end);
  return first <= last && last <= MOST ? { first, last } : null;
}

/** As a server prints it: UUIDs and tags in alphabetical order, the untagged first, every UUID once. */
export function renderMysqlGtids(set: MysqlGtidSet): string {
  const parts = new Map<string, string>();
  for (const source of [...set.keys()].sort()) {
    const [uuid = '', tag] = source.split(':');
    const intervals = (set.get(source) ?? []).map(({ first, last }) =>
      first === last ? String(first) : `${String(first)}-${String(last)}`,
    );
    const words = [...(tag === undefined ? [] : [tag]), ...intervals];
    parts.set(uuid, [parts.get(uuid) ?? uuid, ...words].join(':'));
  }
  return [...parts.values()].join(',\n');
}

export function unionMysqlGtids(...sets: readonly MysqlGtidSet[]): MysqlGtidSet {
  const all = new Map<string, Interval[]>();
  for (const set of sets) for (const [source, intervals] of set) listOf(all, source).push(...intervals);
  return setOf(all);
}

/** What `set` has and `other` lacks, as GTID_SUBTRACT gives it. */
export function subtractMysqlGtids(set: MysqlGtidSet, other: MysqlGtidSet): MysqlGtidSet {
  const rest = [...set].map(([source, intervals]): [string, Interval[]] => [
    source,
    intervals.flatMap((interval) => without(interval, other.get(source) ?? [])),
  ]);
  return setOf(new Map(rest));
}

function without({ first, last }: Interval, holes: readonly Interval[]): readonly Interval[] {
  const rest: Interval[] = [];
  let from = first;
  for (const hole of holes) {
    if (hole.last < from || hole.first > last) continue;
    if (hole.first > from) rest.push({ first: from, last: hole.first - 1n });
    from = hole.last + 1n;
  }
  return from > last ? rest : [...rest, { first: from, last }];
}

export const intersectMysqlGtids = (left: MysqlGtidSet, right: MysqlGtidSet): MysqlGtidSet =>
  subtractMysqlGtids(left, subtractMysqlGtids(left, right));

/** As GTID_SUBSET(other, set) says. */
export const containsMysqlGtids = (set: MysqlGtidSet, other: MysqlGtidSet): boolean =>
  subtractMysqlGtids(other, set).size === 0;

export const compareMysqlGtids = (left: MysqlGtidSet, right: MysqlGtidSet): GtidOrder =>
  orderBy(containsMysqlGtids, left, right);

export function countMysqlGtids(set: MysqlGtidSet): bigint {
  let count = 0n;
  for (const intervals of set.values()) for (const { first, last } of intervals) count += last - first + 1n;
  return count;
}

function listOf(lists: Map<string, Interval[]>, source: string): Interval[] {
  const known = lists.get(source);
  if (known !== undefined) return known;
  const fresh: Interval[] = [];
  lists.set(source, fresh);
  return fresh;
}

const setOf = (lists: ReadonlyMap<string, readonly Interval[]>): MysqlGtidSet =>
  new Map([...lists].filter(([, intervals]) => intervals.length > 0).map(([source, list]) => [source, joined(list)]));

function joined(intervals: readonly Interval[]): readonly Interval[] {
  const apart: Interval[] = [];
  const ascending = [...intervals].sort((left, right) => (left.first < right.first ? -1 : 1));
  for (const interval of ascending) {
    const before = apart.at(-1);
    if (before === undefined || interval.first > before.last + 1n) apart.push(interval);
    else if (interval.last > before.last) apart[apart.length - 1] = { first: before.first, last: interval.last };
  }
  return apart;
}
