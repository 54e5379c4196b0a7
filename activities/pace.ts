import type { WatchPolicy } from '../domain/cluster.ts';

/** A run may wait for a person for hours; until then the cluster is looked at as before. */
const RESTS_FOR_MS = 10_000;

/** How often the hosts of one cluster are looked at. */
export class Pace {
  readonly #policy: Pick<WatchPolicy, 'everyMs' | 'silenceMs'>;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(policy: Pick<WatchPolicy, 'everyMs' | 'silenceMs'>) {
    this.#policy = policy;
  }

  /** Votes expire after one silence, so a watcher that rests looks twice in one: what it says of a cluster stays as true as before. */
  get everyMs(): number {
    const { everyMs, silenceMs } = this.#policy;
    return this.isResting ? Math.max(everyMs, silenceMs / 2) : everyMs;
  }

  /** Nothing is looked at sooner than its period. */
  get isResting(): boolean {
    return performance.now() < this.#restsUntilMs;
  }

  /** A run that the watcher started has the cluster: there is nothing to decide, and the run needs the processor and the servers. */
  rest(): void {
    this.#restsUntilMs = performance.now() + RESTS_FOR_MS;
  }
}
