import type { Epoch } from '../domain/cluster.ts';
import type { Authority } from './authority.ts';

/** As long as its sessions are kept. */
const KEEP_MS = 2_000;
/** A member that went since it accepted the claim would be waited for. */
const YOUNG_MS = 1_000;

/**
 * What the next activity of a run goes on with when it begins in this process, at once: sessions are open, and the records of the members are known. In another
 * process, or later, it asks anew. Every order and every session is checked against the epoch, as it is within one activity.
 */
export class HandedOver {
  readonly #left = new Map<string, Authority>();

  leave(authority: Authority): void {
    if (performance.now() - authority.sinceMs > YOUNG_MS) return;
    const key = keyOf(authority.epoch);
    this.#left.set(key, authority);
    setTimeout(() => this.#left.delete(key), KEEP_MS).unref();
  }

  /** Once. */
  take(epoch: Epoch): Authority | null {
    const key = keyOf(epoch);
    const authority = this.#left.get(key) ?? null;
    this.#left.delete(key);
    return authority;
  }
}

const keyOf = ({ number, run }: Epoch): string => `${String(number)} ${run}`;
