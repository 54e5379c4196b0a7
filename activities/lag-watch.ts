import { randomUUID } from 'node:crypto';
import { readBeat, writeBeat } from '../adapters/mariadb-heartbeat.ts';
import type { PrimaryLook } from '../adapters/mariadb-status.ts';
import type { ClusterPorts, Pulse } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { ClockOffset } from '../domain/clock.ts';
import { offsetBetween, ServerClock } from '../domain/clock.ts';
import type { HostName } from '../domain/cluster.ts';
import type { GtidSet } from '../domain/gtid.ts';
import { gtidGap, parseGtids } from '../domain/gtid.ts';
import type { Lag, ReplicaDelay, ShownBeat } from '../domain/lag.ts';
import { BeatLog, ReplicaLag, writtenAgo } from '../domain/lag.ts';
import type { Pace } from './pace.ts';

/** A row may wait for an acknowledgement; while one does, no other is sent. */
const BEAT_MS = 5_000;
const READ_MS = 1_000;
const NO_ROW = 'no heartbeat row has reached it';

/** When something was asked and answered, on the watcher's monotonic clock. */
interface Span {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

interface Shown extends Span {
  readonly shown: ShownBeat;
  readonly completeSinceMs: number | null;
  readonly clock: ClockOffset | null;
}

interface Replica {
  readonly lag: ReplicaLag;
  readonly clock: ServerClock;
  /** Transactions that its primary had committed before, at its last look, and that it has not applied. */
  gap: number | null;
  /** All that was committed by then is applied. */
  completeSinceMs: number | null;
  delay: ReplicaDelay | null;
}

/**
 * Writes heartbeat rows on the primary, and says from what the replicas show of them how far each is behind. Over connections of its own: a row that waits for its
 * acknowledgement, or a table that somebody locked, must not make a server look silent.
 */
export class LagWatch {
  readonly #cluster: ClusterPorts;
  readonly #primaryName: HostName;
  readonly #pace: Pace;
  readonly #beats = new BeatLog();
  readonly #clock = new ServerClock();
  readonly #replicas: ReadonlyMap<HostName, Replica>;
  /** What the primary had committed when it was asked last. */
  #primary: { readonly position: GtidSet; readonly askedAtMs: number } | null = null;
  #whyNoBeat: string | null = null;

  constructor(cluster: ClusterPorts, primary: HostName, pace: Pace) {
    this.#pace = pace;
    this.#cluster = cluster;
    this.#primaryName = primary;
    const replicas = cluster.description.hosts.map((host) => host.name).filter((host) => host !== primary);
    this.#replicas = new Map(
      replicas.map((host) => [
        host,
        { lag: new ReplicaLag(this.#beats), clock: new ServerClock(), gap: null, completeSinceMs: null, delay: null },
      ]),
    );
  }

  /** Ends when it is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const cluster = this.#cluster;
    const { heartbeatMs: everyMs } = cluster.description.watch;
    const writer = randomUUID().slice(0, 8);
    let number = 0;
    const write = (pulse: Pulse): Promise<void> => this.#beat(pulse, `${writer}/${String((number += 1))}`);
    const read = ([host, replica]: readonly [HostName, Replica]): Promise<void> =>
      again(cluster.pulse(host), { pace: this.#pace, signal, work: (pulse) => this.#look(pulse, replica) });
    const writing = again(cluster.pulse(this.#primaryName), { pace: { everyMs }, signal, work: write });
    await Promise.all([writing, ...[...this.#replicas].map(read)]);
  }

  seePrimary({ binlogPosition, clockMs }: PrimaryLook, span: Span): void {
    this.#primary = { position: parseGtids(binlogPosition), askedAtMs: span.startedAtMs };
    this.#clock.note({ serverMs: clockMs, ...span });
  }

  /** @param applied what the replica says by GTID that it has applied; empty: it does not say */
  seeReplica(host: HostName, applied: string): void {
    const replica = this.#replicas.get(host);
    if (replica === undefined || this.#primary === null) return;
    const { position, askedAtMs } = this.#primary;
    replica.gap = applied === '' ? null : gtidGap(position, parseGtids(applied));
    if (replica.gap === 0) replica.completeSinceMs = askedAtMs;
  }

  async #look(pulse: Pulse, replica: Replica): Promise<void> {
    const startedAtMs = performance.now();
    const { gap, completeSinceMs } = replica;
    const clock = (): ClockOffset | null => {
      const nowMs = performance.now();
      return offsetBetween(replica.clock.at(nowMs), this.#clock.at(nowMs));
    };
    try {
      const shown = await readBeat(pulse, { timeoutMs: READ_MS });
      const span = { startedAtMs, endedAtMs: performance.now() };
      if (shown !== null) replica.clock.note({ serverMs: shown.clockMs, ...span });
      const lag = shown === null ? null : lagOf(replica.lag, { ...span, shown, completeSinceMs, clock: clock() });
      const why = lag !== null ? null : (this.#whyNoBeat ?? NO_ROW);
      replica.delay = { atMs: (startedAtMs + span.endedAtMs) / 2, lag, gtidGap: gap, clock: clock(), why };
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      replica.delay = { atMs: startedAtMs, lag: null, gtidGap: gap, clock: clock(), why: error.message };
    }
    this.#beats.forgetBefore(Math.min(...[...this.#replicas.values()].map((one) => one.lag.neededSinceMs)));
  }

  /** Null: the replica was not looked at yet. */
  delayOf(host: HostName): ReplicaDelay | null {
    return this.#replicas.get(host)?.delay ?? null;
  }

  async #beat(pulse: Pulse, token: string): Promise<void> {
    try {
      const beat = this.#beats.begin(token, performance.now());
      const isCommitted = await writeBeat(pulse, token, { timeoutMs: BEAT_MS });
      if (isCommitted) beat.committedAtMs = performance.now();
      this.#whyNoBeat = isCommitted ? null : `no heartbeat row is written: ${pulse.host} refuses writes`;
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      this.#whyNoBeat = `no heartbeat row is written: ${error.message}`;
    }
  }
}

const lagOf = (lag: ReplicaLag, { shown, clock, ...looked }: Shown): Lag | null =>
  lag.see({ ...looked, token: shown.token, ageMs: writtenAgo(shown, clock) });

interface Repeated {
  readonly pace: Pick<Pace, 'everyMs'>;
  readonly signal: AbortSignal;
  readonly work: (pulse: Pulse) => Promise<void>;
}

/** Until it is aborted, also in the middle of the work; the connection is closed then. */
async function again(pulse: Pulse, { pace, signal, work }: Repeated): Promise<void> {
  let stop = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    stop();
  });
  while (!signal.aborted) {
    const startedMs = performance.now();
    // A race with one lasting promise would keep something of every turn for as long as that one lasts.
    await new Promise<void>((resolve, reject) => {
      stop = resolve;
      work(pulse).then(() => {
        if (!signal.aborted) timer = setTimeout(resolve, startedMs + pace.everyMs - performance.now());
      }, reject);
    });
  }
  pulse.close();
}
