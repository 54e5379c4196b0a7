import type { ClusterPorts, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';

const ASK_MS = 1_000;
/** Steps follow each other at once; whoever needs one later opens another. */
const KEEP_MS = 2_000;
/** Less than many a step takes, which asks for the epoch once, when it begins. */
const PROOF_MS = 500;

interface Held {
  readonly session: Session;
  readonly letGo: NodeJS.Timeout;
}

/**
 * One session per host that outlives a step, so that not every step has to open one. A newer claim ends it, as it ends all; only those of a server that hangs
 * it cannot end, so the epoch is asked for again when the last answer is not fresh.
 */
export class HeldSessions {
  readonly #cluster: ClusterPorts;
  readonly #held = new Map<HostName, Held>();
  /** On this worker's monotonic clock. */
  readonly #provenMs = new WeakMap<Session, number>();

  constructor(cluster: ClusterPorts) {
    this.#cluster = cluster;
  }

  /** @param prove throws when the epoch does not stand on that host any more */
  async take(host: HostName, prove: () => Promise<void>): Promise<Session> {
    return (await this.#takeHeld(host, prove)) ?? this.#open(host, prove);
  }

  /** Only of a step that ended well: after anything else it is not known what the session is in. */
  giveBack(session: Session): void {
    const { host } = session;
    this.#drop(host);
    const letGo = setTimeout(() => {
      this.#drop(host);
    }, KEEP_MS);
    this.#held.set(host, { session, letGo: letGo.unref() });
  }

  async #takeHeld(host: HostName, prove: () => Promise<void>): Promise<Session | null> {
    const held = this.#held.get(host);
    if (held === undefined) return null;
    this.#held.delete(host);
    clearTimeout(held.letGo);
    const { session } = held;
    const isFresh = performance.now() - (this.#provenMs.get(session) ?? Number.NEGATIVE_INFINITY) < PROOF_MS;
    const [answered, proven] = await Promise.allSettled([
      session.rows('SELECT 1', [], { timeoutMs: ASK_MS }),
      isFresh ? null : this.#prove(session, prove),
    ]);
    if (answered.status === 'fulfilled' && proven.status === 'fulfilled') return session;
    session.close();
    if (proven.status === 'rejected') throw proven.reason;
    // Its server was started anew: the next one is opened under the same epoch.
    if (answered.status === 'rejected' && !(answered.reason instanceof AdapterFailure)) throw answered.reason;
    return null;
  }

  async #open(host: HostName, prove: () => Promise<void>): Promise<Session> {
    const session = await this.#cluster.session(host);
    try {
      await this.#prove(session, prove);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** As of when it was asked. */
  async #prove(session: Session, prove: () => Promise<void>): Promise<void> {
    const askedMs = performance.now();
    await prove();
    this.#provenMs.set(session, askedMs);
  }

  #drop(host: HostName): void {
    const held = this.#held.get(host);
    if (held === undefined) return;
    this.#held.delete(host);
    clearTimeout(held.letGo);
    held.session.close();
  }
}
