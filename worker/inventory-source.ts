import { stat } from 'node:fs/promises';
import type { WatchListing } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { ClusterConfig, Inventory } from '../inventory/config.ts';
import { clusterDigest } from '../inventory/digest.ts';
import { findCluster, loadInventory } from '../inventory/load.ts';

export interface ManagedCluster {
  readonly config: ClusterConfig;
  readonly access: Inventory['access'];
}

/** The inventory as it is on disk now: read again when the file changed, so that no restart is needed. */
export class InventorySource {
  readonly #path: string;
  #read: { readonly inventory: Inventory; readonly changedAt: number } | null = null;
  /** Of the inventory as it was read last: it is asked for every second, and large. */
  #listed: { readonly inventory: Inventory; readonly listings: ReadonlyMap<string, readonly WatchListing[]> } | null =
    null;

  constructor(path: string) {
    this.#path = path;
  }

  async current(): Promise<Inventory> {
    const changedAt = await stat(this.#path).then(
      (facts) => facts.mtimeMs,
      () => -1, // loadInventory explains what is wrong with the path
    );
    if (this.#read?.changedAt !== changedAt || changedAt === -1)
      this.#read = { inventory: await loadInventory(this.#path), changedAt };
    return this.#read.inventory;
  }

  /** @throws AdapterFailure `BadInput` */
  async cluster(name: string): Promise<ManagedCluster> {
    const inventory = await this.#orRefuse(name);
    const found = findCluster(inventory, name);
    if (found.kind === 'unknown')
      throw new AdapterFailure({ type: 'BadInput', host: name, message: `${found.message} (nothing was changed)` });
    return { config: found.cluster, access: inventory.access };
  }

  /** @throws AdapterFailure `BadInput` */
  async shard(shard: string): Promise<readonly WatchListing[]> {
    const inventory = await this.#orRefuse(`shard ${shard}`);
    if (this.#listed?.inventory !== inventory) this.#listed = { inventory, listings: listingsOf(inventory) };
    return this.#listed.listings.get(shard) ?? [];
  }

  async #orRefuse(name: string): Promise<Inventory> {
    try {
      return await this.current();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new AdapterFailure({
        type: 'BadInput',
        host: name,
        message: `${why}\nNothing was changed`,
        cause: error,
        facts: { about: 'configuration' },
      });
    }
  }
}

/** The clusters of every shard. */
function listingsOf({ clusters, access }: Inventory): ReadonlyMap<string, readonly WatchListing[]> {
  const listings = new Map<string, WatchListing[]>();
  for (const cluster of clusters) {
    const { shard } = cluster.policy.watch;
    const listing = { cluster: cluster.name, version: clusterDigest(cluster, access) };
    const listed = listings.get(shard) ?? [];
    listed.push(listing);
    listings.set(shard, listed);
  }
  return listings;
}
