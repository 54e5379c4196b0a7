/** Registered workflows only: everything exported here can be started by its name. */
export { admitReplica } from './admit-replica.ts';
export { auditCluster } from './audit-cluster.ts';
export { diffFiles } from './diff-files.ts';
export { failover } from './failover.ts';
export { goAsync } from './go-async.ts';
export { fenceDeposed } from './fence-deposed.ts';
export { makeRoom } from './make-room.ts';
export { preparePrimary } from './prepare-primary.ts';
export { provisionReplica } from './provision-replica.ts';
export { removeAcker } from './remove-acker.ts';
export { rejoinReplica } from './rejoin-replica.ts';
export { repointReplica } from './repoint-replica.ts';
export { syncFiles } from './sync-files.ts';
export { watchClusters } from './watch-clusters.ts';
export { verifyReplication } from './verify-replication.ts';
