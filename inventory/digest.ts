import { createHash } from 'node:crypto';
import type { ClusterConfig, Inventory } from './config.ts';

/** Another one means that something about the cluster, or about the access to its hosts, is not the same. */
export const clusterDigest = (cluster: ClusterConfig, access: Inventory['access']): string =>
  createHash('sha256').update(JSON.stringify({ cluster, access })).digest('hex').slice(0, 16);
