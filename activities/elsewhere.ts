import type { ClusterPorts } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ClusterObservation, SiteSight } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf, reachesLiving } from '../domain/observation.ts';
import { recordedPrimary } from '../domain/records.ts';

/** Whether the worker of a site reaches that server, alive; null: it cannot say. */
export async function reachesFrom(cluster: ClusterPorts, site: string, host: HostName): Promise<boolean | null> {
  const reach = await cluster.seenFrom(site, host);
  return reach === null ? null : reachesLiving(reach);
}

/** What the workers of other sites say of a primary in one look; nobody is asked twice. */
export class Elsewhere {
  readonly #cluster: ClusterPorts;
  #asked: { readonly host: HostName; readonly said: Promise<readonly SiteSight[]> } | null = null;

  constructor(cluster: ClusterPorts) {
    this.#cluster = cluster;
  }

  /** As soon as it is known who is primary; whether it answers here may be known later. */
  askSoon(primary: () => Promise<HostName | null>): void {
    if (this.#sites.length === 0) return;
    const asking = primary().then((host) => (host === null ? [] : this.#ask(host)));
    // Whoever needs the answer hears of the fault as well.
    asking.catch(() => undefined);
  }

  /** @returns null: they are not expected to say anything, or nothing about this */
  async about(seen: ClusterObservation, leaveOut: HostName | null): Promise<readonly SiteSight[] | null> {
    if (this.#sites.length === 0) return null;
    const primary = recordedPrimary(answeredRecords(seen), seen.hosts.length);
    if (primary.kind !== 'known') return null;
    const { host } = primary.record;
    const { server, helper } = observationOf(seen, host);
    if (server !== null && reachesLiving(server.reach)) return null;
    const isKnownDead = host === leaveOut || (isAnswering(helper) && helper.mysqld === 'stopped');
    return isKnownDead ? this.#sites.map((site) => ({ site, host, reaches: null })) : this.#ask(host);
  }

  get #sites(): readonly string[] {
    return this.#cluster.description.watch.observers;
  }

  #ask(host: HostName): Promise<readonly SiteSight[]> {
    if (this.#asked?.host === host) return this.#asked.said;
    const asking = this.#sites.map(async (site) => {
      return { site, host, reaches: await reachesFrom(this.#cluster, site, host) };
    });
    this.#asked = { host, said: Promise.all(asking) };
    return this.#asked.said;
  }
}
