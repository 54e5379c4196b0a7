/** The lock is the address: at most one run lives at a workflow ID, and role-changing runbooks of a cluster share one. */
export const operationId = (cluster: string): string => `operation/${cluster}`;
export const deposedId = (cluster: string, host: string): string => `deposed/${cluster}/${host}`;
export const rejoinId = (cluster: string, host: string): string => `rejoin/${cluster}/${host}`;
export const provisionId = (cluster: string, host: string): string => `provision/${cluster}/${host}`;
export const filesId = (cluster: string, fileset: string): string => `files/${cluster}/${fileset}`;
export const watchId = (shard: string): string => `watch/${shard}`;
