import { randomUUID } from 'node:crypto';
import { readBeat, writeBeat } from '../adapters/mariadb-heartbeat.ts';
import type { PrimaryLook } from '../adapters/mariadb-status.ts';
import type { Pulse } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { ClockOffset } from '../domain/clock.ts';
import { offsetBetween, ServerClock } from '../domain/clock.ts';
import type { HostName } from '../domain/cluster.ts';
import { gtidGap, parseGtids } from '../domain/gtid.ts';
import type { Lag, ReplicaDelay, ShownBeat } from '../domain/lag.ts';
import { BeatLog, ReplicaLag, writtenAgo } from '../domain/lag.ts';
import { pause } from './pause.ts';

/** A row may wait for an acknowledgement; while one does, no other is sent. */
const BEAT_MS = 5_000;
const NO_ROW = 'no heartbeat row has reached it';

/** When something was asked and answered, on the watcher's monotonic clock. */
interface Span {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

interface Shown extends Span {
  readonly shown: ShownBeat;
  readonly gap: number | null;
  readonly clock: ClockOffset | null;
}

interface Replica {
  readonly lag: ReplicaLag;
  readonly clock: ServerClock;
  readMs: number;
  delay: ReplicaDelay | null;
}

/** Writes heartbeat rows on the primary, over a connection of its own, and says from what the replicas show of them how far each is behind. */
export class LagWatch {
  readonly #pulse: Pulse;
  readonly #everyMs: number;
  readonly #beats = new BeatLog();
  readonly #clock = new ServerClock();
  readonly #replicas = new Map<HostName, Replica>();
  /** What the primary had committed when it was asked last. */
  #primary: { readonly position: string; readonly askedAtMs: number } | null = null;
  #whyNoBeat: string | null = null;

  /** @param pulse to the primary; it is closed at the end */
  constructor(pulse: Pulse, everyMs: number) {
    this.#pulse = pulse;
    this.#everyMs = everyMs;
  }

  /** Writes until it is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const writer = randomUUID().slice(0, 8);
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    for (let number = 1; !signal.aborted; number += 1) {
      const startedMs = performance.now();
      await Promise.race([this.#beat(`${writer}/${String(number)}`), aborted]);
      await pause(startedMs + this.#everyMs - performance.now(), signal);
    }
    this.#pulse.close();
  }

  seePrimary({ binlogPosition, clockMs }: PrimaryLook, span: Span): void {
    this.#primary = { position: binlogPosition, askedAtMs: span.startedAtMs };
    this.#clock.note({ serverMs: clockMs, ...span });
  }

  /**
   * Reads what a replica shows, unless that was read a moment ago.
   * @param applied what it has applied by GTID
   */
  async look(pulse: Pulse, applied: string, timeoutMs: number): Promise<void> {
    const replica = this.#replicas.get(pulse.host) ?? this.#begin(pulse.host);
    const startedAtMs = performance.now();
    if (startedAtMs - replica.readMs < this.#everyMs * 0.9) return;
    replica.readMs = startedAtMs;
    const gap = this.#gap(applied);
    const clock = (): ClockOffset | null => {
      const nowMs = performance.now();
      return offsetBetween(replica.clock.at(nowMs), this.#clock.at(nowMs));
    };
    try {
      const shown = await readBeat(pulse, { timeoutMs });
      const span = { startedAtMs, endedAtMs: performance.now() };
      if (shown !== null) replica.clock.note({ serverMs: shown.clockMs, ...span });
      const lag = shown === null ? null : this.#lagOf(replica, { ...span, shown, gap, clock: clock() });
      const why = lag !== null ? null : (this.#whyNoBeat ?? NO_ROW);
      replica.delay = { atMs: (startedAtMs + span.endedAtMs) / 2, lag, gtidGap: gap, clock: clock(), why };
    } catch (error) {
      if (!(error instanceof AdapterFailure) || error.silence !== null) throw error;
      replica.delay = { atMs: startedAtMs, lag: null, gtidGap: gap, clock: clock(), why: error.message };
    }
    this.#beats.forgetBefore(Math.min(...[...this.#replicas.values()].map((one) => one.lag.neededSinceMs)));
  }

  /** Null: the replica was not looked at yet. */
  delayOf(host: HostName): ReplicaDelay | null {
    return this.#replicas.get(host)?.delay ?? null;
  }

  #begin(host: HostName): Replica {
    const replica = { lag: new ReplicaLag(this.#beats), clock: new ServerClock(), readMs: -Infinity, delay: null };
    this.#replicas.set(host, replica);
    return replica;
  }

  async #beat(token: string): Promise<void> {
    try {
      const beat = this.#beats.begin(token, performance.now());
      const isCommitted = await writeBeat(this.#pulse, token, { timeoutMs: BEAT_MS });
      if (isCommitted) beat.committedAtMs = performance.now();
      this.#whyNoBeat = isCommitted ? null : `no heartbeat row is written: ${this.#pulse.host} refuses writes`;
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      this.#whyNoBeat = `no heartbeat row is written: ${error.message}`;
    }
  }

  #lagOf({ lag }: Replica, { shown, gap, clock, startedAtMs, endedAtMs }: Shown): Lag | null {
    const completeSinceMs = gap === 0 ? (this.#primary?.askedAtMs ?? null) : null;
    const ageMs = writtenAgo(shown, clock);
    return lag.see({ startedAtMs, endedAtMs, token: shown.token, ageMs, completeSinceMs });
  }

  #gap(applied: string): number | null {
    return this.#primary === null || applied === ''
      ? null
      : gtidGap(parseGtids(this.#primary.position), parseGtids(applied));
  }
}
