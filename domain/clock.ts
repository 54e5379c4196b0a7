/** How far a server's clock is ahead of another one. */
export interface ClockOffset {
  readonly offsetMs: number;
  /** The true offset differs by no more. */
  readonly errorMs: number;
}

/** A server's clock, read at some instant between the two of the watcher's monotonic clock. All in milliseconds. */
export interface ClockReading {
  readonly serverMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Two clocks run apart by no more: NTP slews by up to 500 parts in a million. Source: RFC 5905, PHI and the frequency tolerance of ntpd. */
const DRIFT = 0.000_5;

/** The offset of one server's clock to the watcher's monotonic one, by the reading that bounds it best. */
export class ServerClock {
  #best: { readonly offsetMs: number; readonly errorMs: number; readonly atMs: number } | null = null;

  note({ serverMs, startedAtMs, endedAtMs }: ClockReading): void {
    const reading = {
      offsetMs: serverMs - (startedAtMs + endedAtMs) / 2,
      errorMs: (endedAtMs - startedAtMs) / 2,
      atMs: endedAtMs,
    };
    const known = this.at(endedAtMs);
    // A clock that was set disagrees with what was known of it.
    const wasSet = known !== null && Math.abs(known.offsetMs - reading.offsetMs) > known.errorMs + reading.errorMs;
    if (known === null || wasSet || reading.errorMs <= known.errorMs) this.#best = reading;
  }

  /** Null: it was not read yet. */
  at(nowMs: number): ClockOffset | null {
    if (this.#best === null) return null;
    const { offsetMs, errorMs, atMs } = this.#best;
    return { offsetMs, errorMs: errorMs + (nowMs - atMs) * DRIFT };
  }
}

/** How far one server's clock is ahead of the other's; null while one of them is not known. */
export function offsetBetween(one: ClockOffset | null, other: ClockOffset | null): ClockOffset | null {
  if (one === null || other === null) return null;
  return { offsetMs: one.offsetMs - other.offsetMs, errorMs: one.errorMs + other.errorMs };
}
