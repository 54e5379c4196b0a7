import { log } from '@temporalio/activity';
import type { RunsPort, Started, WatchListing, WatchPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { raceDeadline } from '../adapters/sql.ts';
import { Turns } from '../adapters/turns.ts';
import { furthestBehind } from '../domain/lag.ts';
import type { Transition, WatchDetails } from '../domain/watch.ts';
import { pause } from './pause.ts';
import { Teller } from './telling.ts';
import type { Known, WatchPlane } from './watched-cluster.ts';
import { WatchedCluster } from './watched-cluster.ts';

const AGAIN_AFTER_FAULT_MS = 5_000;
/** Of a turn each: 20 a second at most. */
const BEGUN_AT_ONCE = 4;
/** So many replicas, the ones that are the furthest behind, are in the heartbeat of the activity, which Temporal stores each time. */
const MOST_LISTED = 50;
/** Longer than the longest pause before the next attempt (`watch-clusters.ts`). */
const KEPT_FOR_MS = 10_000;
/** One watch that does not end must not keep the others of its shard from following the inventory. */
const LONGEST_END_MS = 10_000;

/** An attempt of `watchShard`. */
export interface Attempt {
  /** By Temporal's clock. Of two attempts the one that was scheduled last counts. */
  readonly scheduledAtMs: number;
  /** What is said to Temporal in the course of `work` is said as this attempt. */
  readonly as: <T>(work: () => T) => T;
}

/** Nobody has the shard. */
interface Left {
  readonly giveUp: NodeJS.Timeout;
  /** Until somebody has it, or it is given up. */
  readonly over: Promise<void>;
  readonly end: () => void;
}

interface Running {
  readonly version: string;
  /** From then on it starts nothing. */
  readonly stop: AbortController;
  /** It did not end. From then on it says nothing either, and another may watch the cluster. */
  readonly giveUp: AbortController;
  readonly ended: Promise<void>;
}

/**
 * The watches of a shard: one for every cluster that the inventory has in it now. What goes wrong with one leaves the others alone. It outlives an attempt whose
 * heartbeat was lost or whose run goes on as a new one, since to begin a thousand clusters anew takes a minute; while no attempt has it, it looks, and says and starts nothing.
 */
export class Shard {
  readonly #name: string;
  readonly #ports: WatchPorts;
  readonly #onEnd: () => void;
  readonly #teller: Teller;
  readonly #turns: Pick<WatchPlane, 'beginning' | 'rehearsing'>;
  readonly #running = new Map<string, Running>();
  readonly #known = new Map<string, Known>();
  readonly #watched = new Map<string, WatchedCluster>();
  #attempt: Attempt;
  /** Set while no attempt has it. */
  #left: Left | null = null;
  #isEnded = false;
  /** Why the inventory cannot be read, as it was logged; empty: it can. */
  #unread = '';

  /** @param onEnd called when it watches nothing any more, and never will */
  constructor(name: string, ports: WatchPorts, { attempt, onEnd }: { attempt: Attempt; onEnd: () => void }) {
    this.#name = name;
    this.#ports = ports;
    this.#attempt = attempt;
    this.#onEnd = onEnd;
    this.#teller = new Teller({ tell: (transitions) => this.#tell(transitions) });
    this.#turns = { beginning: new Turns(BEGUN_AT_ONCE), rehearsing: new Turns(1) };
  }

  /** @returns false when a later attempt has it, or had it last */
  take(attempt: Attempt): boolean {
    if (attempt.scheduledAtMs < this.#attempt.scheduledAtMs) return false;
    this.#attempt = attempt;
    this.#endLeft();
    // What an earlier attempt said last may not have arrived.
    for (const watched of this.#watched.values()) watched.tellAgain();
    return true;
  }

  isOf(attempt: Attempt): boolean {
    return this.#attempt === attempt && this.#isHeld;
  }

  /** The attempt does not count any more, and nobody knows yet where the next one is: it may come here. */
  leave(attempt: Attempt): void {
    if (!this.isOf(attempt)) return;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#left = { giveUp: setTimeout(() => void this.#end(), KEPT_FOR_MS), over, end };
  }

  /** Nothing happens when another attempt has it. */
  async end(attempt: Attempt): Promise<void> {
    if (this.isOf(attempt)) await this.#end();
  }

  /** Begins and ends watches as the inventory has it now. One that cannot be read now changes nothing. */
  async follow(): Promise<void> {
    const wanted = await this.#wanted();
    if (wanted === null) return;
    const versions = new Map(wanted.map(({ cluster, version }) => [cluster, version]));
    const others = [...this.#running].filter(([name, { version }]) => versions.get(name) !== version);
    await Promise.all(others.map(([name]) => this.#stop(name)));
    for (const { cluster, version } of wanted) {
      if (this.#running.has(cluster) || this.#isEnded) continue;
      const [stop, giveUp] = [new AbortController(), new AbortController()];
      const ended = this.#keepWatching(cluster, stop.signal, giveUp.signal);
      this.#running.set(cluster, { version, stop, giveUp, ended });
    }
  }

  /** What it watches, and how far the replicas of its clusters are behind. */
  get details(): WatchDetails {
    const delays = [...this.#watched.values()].flatMap((one) => one.delays);
    const isWithout = (name: string): boolean => (this.#watched.get(name)?.primary ?? null) === null;
    return {
      delays: furthestBehind(delays, MOST_LISTED),
      clusters: Object.fromEntries([...this.#running].map(([name, { version }]) => [name, version])),
      withoutPrimary: [...this.#running.keys()].filter(isWithout),
    };
  }

  async #end(): Promise<void> {
    this.#isEnded = true;
    this.#endLeft();
    this.#onEnd();
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  #endLeft(): void {
    clearTimeout(this.#left?.giveUp);
    this.#left?.end();
    this.#left = null;
  }

  /** An attempt has it. */
  get #isHeld(): boolean {
    return this.#left === null && !this.#isEnded;
  }

  /** For one watch, until it is stopped, as the attempt that has the shard. While none has, another worker may have it by now, and nothing is started. */
  #runsOf(stopped: AbortSignal): RunsPort {
    const { runs } = this.#ports;
    const mayStart = (): boolean => this.#isHeld && !stopped.aborted;
    const start = async (work: () => Promise<Started>): Promise<Started> =>
      mayStart() ? this.#attempt.as(work) : { kind: 'busy' };
    return {
      failOver: (cluster, reason) => start(() => runs.failOver(cluster, reason)),
      primaryDied: async (cluster, why) => mayStart() && (await this.#attempt.as(() => runs.primaryDied(cluster, why))),
      reopen: (cluster, host) => start(() => runs.reopen(cluster, host)),
      makeRoom: (cluster) => start(() => runs.makeRoom(cluster)),
      sinceLastFailover: (cluster, withinMs) => this.#attempt.as(() => runs.sinceLastFailover(cluster, withinMs)),
      rehearse: async (cluster) => (mayStart() ? this.#attempt.as(() => runs.rehearse(cluster)) : { kind: 'unknown' }),
      tell: (transitions) => this.#tell(transitions),
    };
  }

  /** While no attempt has the shard, what is told waits for the next one. */
  async #tell(transitions: readonly Transition[]): Promise<void> {
    while (this.#left !== null) await this.#left.over;
    if (!this.#isEnded) await this.#attempt.as(() => this.#ports.runs.tell(transitions));
  }

  async #wanted(): Promise<readonly WatchListing[] | null> {
    try {
      const wanted = await this.#ports.watched(this.#name);
      this.#unread = '';
      return wanted;
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      if (error.message === this.#unread) return null;
      this.#unread = error.message;
      log.warn('the inventory cannot be read, so the watch goes on as it was', { why: error.message });
      return null;
    }
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    running.stop.abort();
    const ended = await raceDeadline(running.ended, LONGEST_END_MS);
    if (ended.kind !== 'late') return;
    running.giveUp.abort();
    const known = this.#watched.get(name)?.known ?? null;
    if (known !== null) this.#known.set(name, known);
    log.error('the watch of a cluster does not end and is given up', { cluster: name });
  }

  async #keepWatching(name: string, stopped: AbortSignal, givenUp: AbortSignal): Promise<void> {
    const plane: WatchPlane = {
      ...{ runs: this.#runsOf(stopped), ...this.#turns },
      tell: (transition) => {
        if (!givenUp.aborted) this.#teller.tell(transition);
      },
    };
    const isStopped = (): boolean => stopped.aborted;
    while (!isStopped()) {
      try {
        const cluster = await this.#ports.cluster(name);
        if (isStopped()) return;
        const watched = new WatchedCluster(cluster, plane, this.#known.get(name) ?? null);
        this.#watched.set(name, watched);
        await watched.run(stopped).finally(() => {
          // Another one may watch it by now.
          if (givenUp.aborted) return;
          this.#watched.delete(name);
          if (watched.known !== null) this.#known.set(name, watched.known);
        });
      } catch (error) {
        log.error('the watch of a cluster ended with a fault and is begun again', { cluster: name, error });
        await pause(AGAIN_AFTER_FAULT_MS, stopped);
      }
    }
  }
}

/** The shards that this process watches, or has watched a moment ago. */
export class Shards {
  readonly #ports: WatchPorts;
  readonly #shards = new Map<string, Shard>();

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  /** As an earlier attempt left it, or from it while it does not know yet that it has lost it; otherwise a new one. @returns null when a later attempt has it */
  take(name: string, attempt: Attempt): Shard | null {
    const known = this.#shards.get(name);
    if (known !== undefined) return known.take(attempt) ? known : null;
    const onEnd = (): void => void this.#shards.delete(name);
    const shard = new Shard(name, this.#ports, { attempt, onEnd });
    this.#shards.set(name, shard);
    return shard;
  }
}
