import { observeSoon } from '../activities/observing-soon.ts';
import type { ClusterDescription } from '../domain/cluster.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import type { Inventory } from '../inventory/config.ts';
import { inventoryPathOf } from './config.ts';
import { InventorySource } from './inventory-source.ts';
import { createLookingPorts } from './ports.ts';

interface Observed {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
}

/** The hosts of the inventory, asked from this process. Nothing can be changed through it. */
export interface Hosts {
  readonly inventory: Inventory;
  /** @param silentMs how long a host may say nothing */
  observe(cluster: string, silentMs: number): Promise<Observed>;
  close(): void;
}

/** @throws InventoryError */
export async function openHosts(): Promise<Hosts> {
  const source = new InventorySource(inventoryPathOf(process.env));
  const inventory = await source.current();
  const ports = createLookingPorts(source);
  return {
    inventory,
    observe: async (name, silentMs) => {
      const cluster = await ports.cluster(name);
      return { cluster: cluster.description, observation: await observeSoon(cluster, silentMs) };
    },
    close: () => {
      ports.close();
    },
  };
}
