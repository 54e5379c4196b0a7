import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Lab } from '../../lab/lab.ts';
import type { Cluster } from './cluster.ts';

interface FailoverPolicy {
  fence?: readonly string[];
  salvage?: 'apply' | 'quarantine';
  automatic?: boolean;
  grace?: string;
  cooldown?: string;
}

interface Inventory {
  clusters: { shop: { policy: { failover: FailoverPolicy } } };
}

/** Changes the policy of failovers, from the workers' next look at the inventory on. */
export function setPolicy(lab: Lab, policy: FailoverPolicy): void {
  const file = lab.etc('standfast.yaml');
  const inventory = parse(readFileSync(file, 'utf8')) as Inventory;
  Object.assign(inventory.clusters.shop.policy.failover, policy);
  writeFileSync(file, stringify(inventory));
}

/** After every test the lab's own policy is there again. */
export function keepPolicy(cluster: () => Cluster): void {
  afterEach(() => {
    setPolicy(cluster().lab, {
      fence: ['ssh', 'powerOff'],
      salvage: 'apply',
      automatic: false,
      grace: '0s',
      cooldown: '10m',
    });
  });
}
