import type { ClockOffset } from './clock.ts';
import type { HostName } from './cluster.ts';

/** A heartbeat row for the primary. Instants are of the watcher's monotonic clock, in milliseconds. */
export interface Beat {
  readonly token: string;
  readonly sentAtMs: number;
  /** When the primary's answer came; Infinity: not yet, or not at all. A replica can show the row before. */
  committedAtMs: number;
}

/** What a replica showed at some instant between the two. */
export interface BeatSight {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Of the newest heartbeat row that it has applied. */
  readonly token: string;
  /** Time since that row was written, at most; null: not known. By the clocks of two servers, so it is used only for rows that somebody else wrote. */
  readonly ageMs: number | null;
  /** Since when everything that the primary had committed then is applied, by GTID; null: something is not, or it is not known. */
  readonly completeSinceMs: number | null;
}

/** Time since the oldest transaction was committed that a replica has not applied; 0: there is none. The true lag differs from it by `errorMs` at most. */
export interface Lag {
  readonly lagMs: number;
  readonly errorMs: number;
}

/** A heartbeat row as a replica shows it. Milliseconds since 1970. */
export interface ShownBeat {
  readonly token: string;
  /** By the clock of the server that wrote it. */
  readonly writtenMs: number;
  /** The replica's clock, when it was asked. */
  readonly clockMs: number;
}

/** Time since the row was written, at most; null while the two clocks are not known. */
export const writtenAgo = ({ writtenMs, clockMs }: ShownBeat, replicaClock: ClockOffset | null): number | null =>
  replicaClock === null ? null : Math.max(0, clockMs - replicaClock.offsetMs - writtenMs + replicaClock.errorMs);

/** More than a replica that is minutes behind at the fastest heartbeat has outstanding. */
const MOST_BEATS = 5_000;

/** The heartbeat rows of one primary, oldest first, as far as they are still needed. */
export class BeatLog {
  #beats: Beat[] = [];

  /** To be called before it is sent. */
  begin(token: string, sentAtMs: number): Beat {
    const beat = { token, sentAtMs, committedAtMs: Infinity };
    this.#beats.push(beat);
    // Every other one of the older half: the error grows where the lag is long.
    if (this.#beats.length > MOST_BEATS)
      this.#beats = this.#beats.filter((_, index) => index % 2 === 0 || index > MOST_BEATS / 2);
    return beat;
  }

  /** Null: it is not here, or not any more. */
  find(token: string): Beat | null {
    // The newest is shown nearly always.
    return this.#beats.findLast((beat) => beat.token === token) ?? null;
  }

  /** The oldest that was committed after `shown`; of all when it is null. */
  committedAfter(shown: Beat | null): Beat | null {
    const from = shown === null ? 0 : this.#beats.lastIndexOf(shown) + 1;
    return this.#beats.find((beat, index) => index >= from && beat.committedAtMs < Infinity) ?? null;
  }

  /** Every replica has shown this one, or a later one. */
  forgetBefore(sentAtMs: number): void {
    const first = this.#beats.findIndex((beat) => beat.sentAtMs >= sentAtMs);
    if (first > 0) this.#beats.splice(0, first);
  }
}

/** The lag of one replica, bounded on both sides by what it shows of a primary's heartbeat rows, on one clock. */
export class ReplicaLag {
  readonly #beats: BeatLog;
  #last: BeatSight | null = null;
  #arrivalMs = 0;
  #neededSinceMs = Number.NEGATIVE_INFINITY;

  constructor(beats: BeatLog) {
    this.#beats = beats;
  }

  /** Beats that were sent before are not needed for it any more. */
  get neededSinceMs(): number {
    return this.#neededSinceMs;
  }

  /** Null: nothing bounds it from above, since the row is not one of these beats and its age is not known. */
  see(sight: BeatSight): Lag | null {
    const found = this.#beats.find(sight.token);
    if (found !== null) this.#arrive(sight, found);
    this.#last = sight;
    const least = this.#least(sight, found);
    const most = this.#most(sight, found);
    if (most === null) return null;
    // Between the bounds, what the last row needed to arrive is the likeliest.
    const lagMs = Math.min(Math.max(this.#arrivalMs, least), Math.max(least, most));
    return { lagMs, errorMs: Math.max(lagMs - least, most - lagMs, 0) };
  }

  /** How long the row needed: it was not there at the last look, and is at this one. */
  #arrive(sight: BeatSight, shown: Beat): void {
    this.#neededSinceMs = shown.sentAtMs;
    if (this.#last === null || this.#last.token === sight.token) return;
    const least = Math.max(0, this.#last.startedAtMs - shown.committedAtMs);
    this.#arrivalMs = (least + sight.endedAtMs - shown.sentAtMs) / 2;
  }

  /** What is not applied was committed at least so long before. */
  #least({ startedAtMs }: BeatSight, found: Beat | null): number {
    const missing = this.#beats.committedAfter(found);
    return missing === null ? 0 : Math.max(0, startedAtMs - missing.committedAtMs);
  }

  #most({ endedAtMs, ageMs, completeSinceMs }: BeatSight, found: Beat | null): number | null {
    const bounds = [
      ...(found === null ? (ageMs === null ? [] : [ageMs]) : [endedAtMs - found.sentAtMs]),
      ...(completeSinceMs === null ? [] : [endedAtMs - completeSinceMs]),
    ];
    return bounds.length === 0 ? null : Math.min(...bounds);
  }
}

/** What a watcher knows of how far a replica is behind. */
export interface ReplicaDelay {
  /** When it was looked at, on the watcher's monotonic clock. */
  readonly atMs: number;
  /** Null: not known, see `why`. */
  readonly lag: Lag | null;
  /** Transactions that its primary had committed at the last look and that it has not applied; null: not known. */
  readonly gtidGap: number | null;
  /** How far its clock is ahead of its primary's; null: not known. */
  readonly clock: ClockOffset | null;
  /** Why there is no lag to tell of. */
  readonly why: string | null;
}

/** The same, for people and programs that ask. */
export interface ListedDelay extends Omit<ReplicaDelay, 'atMs'> {
  readonly cluster: string;
  readonly host: HostName;
  /** When the replica was looked at: ISO 8601, the watcher's clock. */
  readonly at: string;
}

const orderOf = ({ lag }: ListedDelay): number => lag?.lagMs ?? Number.MAX_VALUE;

/** The ones that are the furthest behind, at most `most`; those of which nothing is known first. */
export const furthestBehind = (delays: readonly ListedDelay[], most: number): readonly ListedDelay[] =>
  [...delays].sort((one, other) => orderOf(other) - orderOf(one)).slice(0, most);
