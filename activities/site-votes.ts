import type { ClusterPorts } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { reachesFrom } from './elsewhere.ts';

/** The one who stays in trouble is asked about less often. */
const [ASK_EVERY_MS, ASK_LATER_EVERY_MS, SOON_MS] = [500, 1_000, 5_000];
const VOTE_MS = 2_000;

interface Site {
  readonly name: string;
  askedAtMs: number;
  isAsked: boolean;
  /** It answered, or had its time to, since the trouble began. */
  hasHadItsSay: boolean;
  vote: { readonly reaches: boolean; readonly atMs: number } | null;
}

/** What the workers of other sites say of a primary that does not answer here. They are asked only then. */
export class SiteVotes {
  readonly #cluster: ClusterPorts;
  readonly #primary: HostName;
  readonly #onFault: (error: unknown) => void;
  readonly #sites: readonly Site[];
  #sinceMs: number | null = null;

  constructor(cluster: ClusterPorts, primary: HostName, onFault: (error: unknown) => void) {
    this.#cluster = cluster;
    this.#primary = primary;
    this.#onFault = onFault;
    this.#sites = cluster.description.watch.observers.map((name) => ({
      ...{ name, askedAtMs: Number.NEGATIVE_INFINITY, isAsked: false, hasHadItsSay: false, vote: null },
    }));
  }

  /** It answers here. */
  calm(): void {
    if (this.#sinceMs === null) return;
    this.#sinceMs = null;
    for (const site of this.#sites) [site.hasHadItsSay, site.vote] = [false, null];
  }

  /** @returns whether each has had its say since the trouble began; what is seen here must not be judged before */
  ask(nowMs: number): boolean {
    this.#sinceMs ??= nowMs;
    const everyMs = nowMs - this.#sinceMs < SOON_MS ? ASK_EVERY_MS : ASK_LATER_EVERY_MS;
    for (const site of this.#sites) {
      if (site.isAsked || nowMs - site.askedAtMs < everyMs) continue;
      this.#askOne(site, nowMs).catch(this.#onFault);
    }
    return this.#sites.every((site) => site.hasHadItsSay);
  }

  /** Null: it cannot say, or said so too long ago. */
  votes(nowMs: number): readonly (boolean | null)[] {
    const lastsMs = Math.max(VOTE_MS, 2 * this.#cluster.description.watch.silenceMs);
    return this.#sites.map(({ vote }) => (vote === null || nowMs - vote.atMs > lastsMs ? null : vote.reaches));
  }

  async #askOne(site: Site, askedAtMs: number): Promise<void> {
    [site.askedAtMs, site.isAsked] = [askedAtMs, true];
    try {
      const reaches = await reachesFrom(this.#cluster, site.name, this.#primary);
      // It was asked about a trouble that is over.
      if (this.#sinceMs === null || askedAtMs < this.#sinceMs) return;
      site.hasHadItsSay = true;
      if (reaches !== null) site.vote = { reaches, atMs: performance.now() };
    } finally {
      site.isAsked = false;
    }
  }
}
