import { raceDeadline } from '../adapters/sql.ts';
import type { HostName } from '../domain/cluster.ts';
import { resolveSecret, SecretError } from '../inventory/secrets.ts';
import { unusable } from './access.ts';

/** So soon after a command was run it is not run again. */
const AGAIN_AFTER_MS = 10_000;
/** A value this old may have been changed since: whoever connects gives the command a moment to say so. */
const [OLD_MS, MOMENT_MS] = [60_000, 500];

/** Where a secret is used: the key of the inventory that names it, and the host that it is for. */
export interface Use {
  readonly place: string;
  readonly host: HostName;
}

interface Kept {
  readonly value: string;
  readonly readMs: number;
  readonly triedMs: number;
}

/**
 * Secrets by their references, read whenever one is needed; only what a command printed is kept. Every step of a failover connects: it must not wait for a
 * store of secrets each time, and must not fail with one that is down together with the primary. So whoever connects gets the last value, of a minute ago at once, and the command is run again behind it.
 */
export class Secrets {
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Promise<string>>();
  readonly #onFault: (why: string) => void;

  /** @param onFault told when a command fails whose last value is used instead */
  constructor(onFault: (why: string) => void) {
    this.#onFault = onFault;
  }

  /** @throws AdapterFailure `BadInput`: asking again reads it no better, a person has to mend the reference or what it leads to */
  async read(reference: string, { place, host }: Use): Promise<string> {
    try {
      return await (reference.startsWith('exec:') ? this.#lastOf(reference) : resolveSecret(reference));
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      throw unusable(place, host, error);
    }
  }

  async #lastOf(reference: string): Promise<string> {
    const kept = this.#kept.get(reference);
    if (kept === undefined) return this.#run(reference);
    const now = performance.now();
    if (!this.#running.has(reference) && now - kept.triedMs > AGAIN_AFTER_MS) this.#refresh(reference, kept);
    const running = this.#running.get(reference);
    if (running === undefined || now - kept.readMs <= OLD_MS) return kept.value;
    // Of the run, not of each who waits for it: one that hangs costs a failover this once.
    const leftMs = MOMENT_MS - (now - (this.#kept.get(reference) ?? kept).triedMs);
    if (leftMs <= 0) return kept.value;
    const ended = await raceDeadline(running, leftMs);
    return ended.kind === 'done' ? ended.value : kept.value;
  }

  #refresh(reference: string, kept: Kept): void {
    this.#kept.set(reference, { ...kept, triedMs: performance.now() });
    this.#run(reference).catch((error: unknown) => {
      this.#onFault(`${String(error)}; the value that it gave before is used`);
    });
  }

  /** One run at a time: all who wait for it get its answer. */
  #run(reference: string): Promise<string> {
    const running = this.#running.get(reference);
    if (running !== undefined) return running;
    const run = resolveSecret(reference)
      .then((value) => {
        const readMs = performance.now();
        this.#kept.set(reference, { value, readMs, triedMs: readMs });
        return value;
      })
      .finally(() => this.#running.delete(reference));
    this.#running.set(reference, run);
    return run;
  }
}
