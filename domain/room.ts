import type { HostName } from './cluster.ts';
import type { ReplicationStatus } from './observation.ts';

/** What a receiver is told whose source has no connection free. */
const NO_CONNECTION_FREE = 1040;

/** Each of the recorded ackers, and how it receives; null: it does not say. */
export type Receivers = ReadonlyMap<HostName, Pick<ReplicationStatus, 'source' | 'receiver' | 'receiverError'> | null>;

/**
 * The recorded ackers are back and nobody of them gets in, since the writes that wait for them have every connection of `primary`. One that is away says nothing:
 * whoever acts on it asks the primary itself who is connected.
 */
export function areLockedOut(primary: HostName, ackers: Receivers): boolean {
  const receivers = [...ackers.values()].filter((one) => one !== null && one.source === primary);
  if (receivers.some((one) => one?.receiver === 'running')) return false;
  return receivers.some((one) => one?.receiver === 'connecting' && one.receiverError?.code === NO_CONNECTION_FREE);
}

/** What a watcher remembers of it. Instants are of its monotonic clock, in milliseconds. */
export interface LockoutMemory {
  /** Since when the ackers are locked out at every sight; null: they were not the last time. */
  readonly lockedOutSinceMs: number | null;
  /** When room was made for them last, or tried to; null: not since the watcher began. */
  readonly madeRoomAtMs: number | null;
}

/** A receiver tries once a second, so a server that is full for a moment only lets it in by itself. */
const LOCKED_OUT_MS = 3_000;
const AGAIN_MS = 60_000;
/** Applications may need for hours what the limit was raised to; each try claims an epoch. */
const PUT_BACK_AGAIN_MS = 600_000;

/** Another operation holds the cluster, or Temporal does not answer. */
const BUSY_MS = 1_000;

/** What the records say of who acknowledges, and of room that was made. */
export interface Recorded {
  /** Nobody: not lossless, or not known. */
  readonly ackers: readonly HostName[];
  readonly isRoomLeft: boolean;
}

export interface Lockout {
  readonly areLockedOut: boolean;
  /** An operation raised the limit, and could not put it back yet. */
  readonly isRoomLeft: boolean;
}

/** Whether an operation is to make room, or to put the limit back; at most once in a while. */
export function judgeLockout(
  seen: Lockout,
  { memory, nowMs }: { readonly memory: LockoutMemory; readonly nowMs: number },
): { readonly lockedOutSinceMs: number | null; readonly isLasting: boolean; readonly isDue: boolean } {
  const { madeRoomAtMs } = memory;
  const hasRested = (forMs: number): boolean => madeRoomAtMs === null || nowMs - madeRoomAtMs >= forMs;
  if (!seen.areLockedOut) {
    const isDue = seen.isRoomLeft && hasRested(PUT_BACK_AGAIN_MS);
    return { lockedOutSinceMs: null, isLasting: false, isDue };
  }
  const lockedOutSinceMs = memory.lockedOutSinceMs ?? nowMs;
  const isLasting = nowMs - lockedOutSinceMs >= LOCKED_OUT_MS;
  return { lockedOutSinceMs, isLasting, isDue: isLasting && hasRested(AGAIN_MS) };
}

/** When it counts as tried, now. @param wasStarted that there was a run */
export const triedAt = (nowMs: number, wasStarted: boolean): number =>
  wasStarted ? nowMs : nowMs - AGAIN_MS + BUSY_MS;

/** Clients that come by the local socket are refused by no kernel: where they take what was added, more is. */
const MORE_EACH_TIME = 4;
const TIMES = 8;

/** What a limit is raised to, one after the other: by the members, by more of them each time, never beyond its double and the members, since each connection takes memory. */
const stepsFrom = (limit: number, members: number): readonly number[] =>
  Array.from({ length: TIMES }, (_, time) => Math.min(limit + members * MORE_EACH_TIME ** time, 2 * limit + members));

/** The next one above `present`; `present` itself where there is none. */
export const raisedLimit = (limit: number, members: number, present: number): number =>
  stepsFrom(limit, members).find((step) => step > present) ?? present;

/** Whether `present` is what `limit` was raised to; anything else was set by somebody else. */
export const isRaisedFrom = (limit: number, members: number, present: number): boolean =>
  stepsFrom(limit, members).includes(present);
