import { stat } from 'node:fs/promises';
import type { WatchListing } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { ClusterConfig, Inventory } from '../inventory/config.ts';
import { clusterDigest } from '../inventory/digest.ts';
import { findCluster, parseInventory, readInventory } from '../inventory/load.ts';

export interface ManagedCluster {
  readonly config: ClusterConfig;
  readonly access: Inventory['access'];
}

/** The inventory as it is on disk now: read again when the file changed, so that no restart is needed. */
export class InventorySource {
  readonly #path: string;
  /** Also of one that is broken: everybody asks every second, and it is large. */
  #read: { readonly version: string | null; readonly inventory: Promise<Inventory> } | null = null;
  /** Of the inventory as it was read last: it is asked for every second, and large. */
  #listed: { readonly inventory: Inventory; readonly listings: ReadonlyMap<string, readonly WatchListing[]> } | null =
    null;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws InventoryError the same one to everybody, for as long as the file stays as it is */
  async current(): Promise<Inventory> {
    const version = await stat(this.#path).then(
      // `rsync -t` keeps the time of the last change, and a store may give every file the same one.
      ({ mtimeMs, ctimeMs, ino, size }) => [mtimeMs, ctimeMs, ino, size].join(' '),
      () => null, // readInventory explains what is wrong with the path
    );
    if (version === null || this.#read?.version !== version) this.#read = { version, inventory: this.#load() };
    return this.#read.inventory;
  }

  async #load(): Promise<Inventory> {
    const text = await readInventory(this.#path).catch((error: unknown) => {
      this.#read = null; // says nothing of the file: a process may have too many open
      throw error;
    });
    return parseInventory(this.#path, text);
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
