import type { ClusterPorts, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';

const ASK_MS = 1_000;
/** Steps follow each other at once; whoever needs one later opens another. */
const KEEP_MS = 2_000;

interface Held {
  readonly session: Session;
  readonly letGo: NodeJS.Timeout;
}

/**
 * One session per host that outlives a step. It was checked against the epoch when it was opened, and a newer claim ends every session that it finds, so one
 * that still answers belongs to an epoch that still stands.
 */
export class HeldSessions {
  readonly #cluster: ClusterPorts;
  readonly #held = new Map<HostName, Held>();

  constructor(cluster: ClusterPorts) {
    this.#cluster = cluster;
  }

  /** @param prove throws when the epoch does not stand on that host any more; asked of a new session alone */
  async take(host: HostName, prove: () => Promise<void>): Promise<Session> {
    return (await this.#takeHeld(host)) ?? this.#open(host, prove);
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

  async #takeHeld(host: HostName): Promise<Session | null> {
    const held = this.#held.get(host);
    if (held === undefined) return null;
    this.#held.delete(host);
    clearTimeout(held.letGo);
    try {
      await held.session.rows('SELECT 1', [], { timeoutMs: ASK_MS });
      return held.session;
    } catch (error) {
      held.session.close();
      // Its server was started anew, or a newer claim ended it: the epoch of the next one is asked for.
      if (error instanceof AdapterFailure) return null;
      throw error;
    }
  }

  async #open(host: HostName, prove: () => Promise<void>): Promise<Session> {
    const session = await this.#cluster.session(host);
    try {
      await prove();
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  #drop(host: HostName): void {
    const held = this.#held.get(host);
    if (held === undefined) return;
    this.#held.delete(host);
    clearTimeout(held.letGo);
    held.session.close();
  }
}
