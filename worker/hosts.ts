import { observeSoon } from '../activities/observing-soon.ts';
import type { ClusterDescription } from '../domain/cluster.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import type { Check } from '../domain/checkup.ts';
import type { Inventory } from '../inventory/config.ts';
import { examineHosts } from './checkup-hosts.ts';
import { examineMachine } from './checkup-machine.ts';
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
  /** What is needed of this machine and of every host, for one cluster or for all. */
  examine(cluster: string | undefined): Promise<readonly Check[]>;
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
    examine: async (name) => {
      const clusters = inventory.clusters.filter((cluster) => name === undefined || cluster.name === name);
      const machine = await examineMachine(inventory, clusters);
      const hosts: Check[] = [];
      for (const config of clusters)
        hosts.push(...(await examineHosts({ config, access: inventory.access }, await ports.cluster(config.name))));
      return [...machine, ...hosts];
    },
    close: () => {
      ports.close();
    },
  };
}
