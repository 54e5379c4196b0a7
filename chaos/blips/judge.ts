import type { Attempt } from '../../lab/ledger/attempt.ts';
import type { HostFacts } from '../rounds/outside.ts';
import { primaryOf } from '../rounds/outside.ts';
import type { Operation, Standing } from './standing.ts';

/** `false failover`: one was carried out, or somebody else is primary. */
export interface Violation {
  readonly kind:
    | 'false failover'
    | 'operation'
    | 'epoch'
    | 'watch fault'
    | 'not whole'
    | 'not played'
    | 'lost write'
    | 'other writer';
  readonly what: string;
}

/** What a blip has left to be judged by. */
export interface Evidence {
  /** Why it could not be played as it was meant; null: it was. */
  readonly fault: string | null;
  readonly before: Standing;
  readonly after: Standing;
  /** What has had the lock of the cluster meanwhile: nobody asked for anything. */
  readonly operations: readonly Operation[];
  /** What the watcher logged as a fault of its own. */
  readonly watchFaults: readonly string[];
  /** What kept the cluster from being whole again; null: nothing. */
  readonly missing: string | null;
}

const violation = (kind: Violation['kind'], what: string): Violation => ({ kind, what });

/** @returns nothing when the blip has changed nothing that lasts */
export function judgeBlip(evidence: Evidence): readonly Violation[] {
  const { fault, before, after, operations, watchFaults, missing } = evidence;
  return [
    ...(fault === null ? [] : [violation('not played', fault)]),
    ...operations
      .filter((one) => !isRefusedStart(one))
      .map(({ type, ending }) =>
        violation(type === 'failover' ? 'false failover' : 'operation', `${type} was started and ended: ${ending}`),
      ),
    ...succeeded(before.hosts, after.hosts),
    ...epochs(before.hosts, after.hosts),
    ...watchFaults.map((what) => violation('watch fault', what)),
    ...(missing === null ? [] : [violation('not whole', missing)]),
  ];
}

/** The watcher was wrong, and the failover found so by itself. Whether it has changed nothing, as it says, the records tell. */
export const isRefusedStart = ({ type, ending }: Operation): boolean =>
  type === 'failover' && ending.includes('Nothing was changed');

function succeeded(before: readonly HostFacts[], after: readonly HostFacts[]): readonly Violation[] {
  const [was, is] = [nameOf(before), nameOf(after)];
  return was === is ? [] : [violation('false failover', `${was} was the one that accepts writes, and ${is} is now`)];
}

const nameOf = (hosts: readonly HostFacts[]): string => primaryOf(hosts)?.host ?? 'nobody alone';

function epochs(before: readonly HostFacts[], after: readonly HostFacts[]): readonly Violation[] {
  return after.flatMap(({ host, records }) => {
    const was = before.find((one) => one.host === host)?.records ?? null;
    return (['epoch', 'primary'] as const)
      .filter((record) => was?.[record] !== records?.[record])
      .map((record) =>
        violation('epoch', `${record} of ${host} was "${was?.[record] ?? ''}" and is "${records?.[record] ?? ''}"`),
      );
  });
}

/** When a round was played, on the clock of the ledger. */
export interface Window {
  readonly round: number;
  readonly fromUs: number;
}

export interface Books {
  readonly attempts: readonly Attempt[];
  /** Tokens of all rows on the primary. */
  readonly onPrimary: readonly string[];
  /** Server ID of the only one that may have acknowledged. */
  readonly primary: number;
}

export type BookedViolation = Violation & { readonly round: number };

/** Every write that was acknowledged is there, and nobody else has acknowledged one. Each is put down to the round in which it was sent. */
export function judgeBooks(
  { attempts, onPrimary, primary }: Books,
  windows: readonly Window[],
): readonly BookedViolation[] {
  const there = new Set(onPrimary);
  const acknowledged = attempts.filter(({ outcome }) => outcome === 'ack');
  const found = [
    ...acknowledged.filter(({ token }) => !there.has(token)).map((one) => ['lost write', one] as const),
    ...acknowledged.filter(({ serverId }) => serverId !== primary).map((one) => ['other writer', one] as const),
  ];
  return windows.flatMap(({ round, fromUs }, index) => {
    const untilUs = windows[index + 1]?.fromUs ?? Number.POSITIVE_INFINITY;
    const here = found.filter(([, { sentAt }]) => sentAt < untilUs && (index === 0 || sentAt >= fromUs));
    return (['lost write', 'other writer'] as const).flatMap((kind) => {
      const [first, ...more] = here.filter((one) => one[0] === kind).map(([, attempt]) => attempt);
      if (first === undefined) return [];
      const by = `acknowledged by server ${String(first.serverId)} through ${first.route}`;
      return [{ round, ...violation(kind, `${first.token}, ${by}, and ${String(more.length)} more`) }];
    });
  });
}
