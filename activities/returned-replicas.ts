import type { HostName } from '../domain/cluster.ts';
import type { ReplicationStatus } from '../domain/observation.ts';
import type { Sight } from './host-watch.ts';

/** As long as its init script, or whoever restarted its host, has to start it by themselves. */
const SETTLE_MS = 2_000;
/** After one that did not help, or that another operation was in the way of. */
const AGAIN_AFTER_MS = 10_000;

/**
 * Replicas that were away and stand still since they answer again, as every one does after a start of its server. One that stood still without being away was
 * stopped by somebody.
 */
export class ReturnedReplicas {
  readonly #primary: HostName;
  readonly #away = new Set<HostName>();
  readonly #atRestSinceMs = new Map<HostName, number>();
  #restUntilMs = 0;

  constructor(primary: HostName) {
    this.#primary = primary;
  }

  see(host: HostName, sight: Sight<ReplicationStatus | null>, nowMs: number): void {
    // A claim ends connections: one that is lost says nothing of its host.
    if (sight.reach === 'lost') return;
    if (sight.reach !== 'answers') {
      this.#away.add(host);
      this.#atRestSinceMs.delete(host);
    } else if (!isAtRest(sight.value, this.#primary)) {
      this.#away.delete(host);
      this.#atRestSinceMs.delete(host);
    } else if (this.#away.delete(host)) this.#atRestSinceMs.set(host, nowMs);
  }

  has(host: HostName): boolean {
    return this.#atRestSinceMs.has(host);
  }

  /** To be asked while the primary serves. Whoever restarts one replica after the other must not end with nobody who acknowledges. */
  act(nowMs: number): 'startReplicas' | null {
    const isSettled = [...this.#atRestSinceMs.values()].some((sinceMs) => nowMs - sinceMs >= SETTLE_MS);
    return isSettled && nowMs >= this.#restUntilMs ? 'startReplicas' : null;
  }

  /** Their start was tried. */
  tried(nowMs: number): void {
    this.#restUntilMs = nowMs + AGAIN_AFTER_MS;
  }
}

/** With an error it stands still for a reason that a start does not mend. */
const isAtRest = (replication: ReplicationStatus | null, primary: HostName): boolean =>
  replication !== null &&
  replication.source === primary &&
  replication.receiver === 'stopped' &&
  replication.applier === 'stopped' &&
  replication.receiverError === null &&
  replication.applierError === null;
