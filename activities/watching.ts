import { Context, log } from '@temporalio/activity';
import type { WatchListing, WatchPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { Turns } from '../adapters/turns.ts';
import type { ListedDelay } from '../domain/lag.ts';
import { furthestBehind } from '../domain/lag.ts';
import type { WatchDetails } from '../domain/watch.ts';
import { beat, keepBeating } from './beats.ts';
import { pause } from './pause.ts';
import { Teller } from './telling.ts';
import type { WatchActivities } from './watch-contract.ts';
import type { Known, WatchPlane } from './watched-cluster.ts';
import { WatchedCluster } from './watched-cluster.ts';

const RELOAD_EVERY_MS = 1_000;
const AGAIN_AFTER_FAULT_MS = 5_000;
/** Of a turn each: 20 a second at most. */
const BEGUN_AT_ONCE = 4;

/** So many replicas, the ones that are the furthest behind, are in the heartbeat of the activity, which Temporal stores each time. */
const MOST_LISTED = 50;

interface Running {
  readonly version: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** The watches of a shard: one for every cluster that the inventory has in it now. What goes wrong with one leaves the others alone. */
class Shard {
  readonly #ports: WatchPorts;
  readonly #plane: WatchPlane;
  readonly #running = new Map<string, Running>();
  readonly #known = new Map<string, Known>();
  readonly #watched = new Map<string, WatchedCluster>();

  constructor(ports: WatchPorts) {
    this.#ports = ports;
    const { runs } = ports;
    const teller = new Teller(runs);
    const tell: WatchPlane['tell'] = (transition) => {
      teller.tell(transition);
    };
    this.#plane = { runs, tell, beginning: new Turns(BEGUN_AT_ONCE) };
  }

  async follow(wanted: readonly WatchListing[]): Promise<void> {
    const versions = new Map(wanted.map(({ cluster, version }) => [cluster, version]));
    const others = [...this.#running].filter(([name, { version }]) => versions.get(name) !== version);
    await Promise.all(others.map(([name]) => this.#stop(name)));
    for (const { cluster, version } of wanted) {
      if (this.#running.has(cluster)) continue;
      const stop = new AbortController();
      this.#running.set(cluster, { version, stop, ended: this.#keepWatching(cluster, stop.signal) });
    }
  }

  /** How far the replicas of its clusters are behind. */
  get delays(): readonly ListedDelay[] {
    return furthestBehind(
      [...this.#watched.values()].flatMap((one) => one.delays),
      MOST_LISTED,
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.stop.abort();
    await running?.ended;
  }

  async #keepWatching(name: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const cluster = await this.#ports.cluster(name);
        const watched = new WatchedCluster(cluster, this.#plane, this.#known.get(name) ?? null);
        this.#watched.set(name, watched);
        await watched.run(signal).finally(() => {
          this.#watched.delete(name);
          if (watched.known !== null) this.#known.set(name, watched.known);
        });
      } catch (error) {
        log.error('the watch of a cluster ended with a fault and is begun again', { cluster: name, error });
        await pause(AGAIN_AFTER_FAULT_MS, signal);
      }
    }
  }
}

/** An inventory that cannot be read now changes nothing: what is watched goes on being watched. */
async function wantedOf(ports: WatchPorts, shard: string): Promise<readonly WatchListing[] | null> {
  try {
    return await ports.watched(shard);
  } catch (error) {
    if (!(error instanceof AdapterFailure)) throw error;
    log.warn('the inventory cannot be read, so the watch goes on as it was', { why: error.message });
    return null;
  }
}

export const watchActivities = (ports: WatchPorts): WatchActivities => ({
  watchShard: ({ shard }) =>
    keepBeating(async () => {
      const { cancellationSignal: signal } = Context.current();
      const watches = new Shard(ports);
      try {
        while (!signal.aborted) {
          const wanted = await wantedOf(ports, shard);
          if (wanted !== null) await watches.follow(wanted);
          beat({ delays: watches.delays } satisfies WatchDetails);
          await pause(RELOAD_EVERY_MS, signal);
        }
      } finally {
        await watches.stop();
      }
      signal.throwIfAborted();
    }),
});
