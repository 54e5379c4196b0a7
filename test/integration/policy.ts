import { afterEach } from 'vitest';
import type { Cluster } from './cluster.ts';

/** After every test the lab's own policy is there again. */
export function keepPolicy(cluster: () => Cluster): void {
  afterEach(() => {
    cluster().lab.configure({});
  });
}
