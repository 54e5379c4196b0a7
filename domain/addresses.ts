/** The lock is the address: at most one run lives at a workflow ID, and role-changing runbooks of a cluster share one. */
export const operationId = (cluster: string): string => `operation/${cluster}`;
/** A plan holds nothing, so any number may be made at once. */
export const planId = (cluster: string, nonce: string): string => `plan/${cluster}/${nonce}`;
export const deposedId = (cluster: string, host: string): string => `deposed/${cluster}/${host}`;
export const rejoinId = (cluster: string, host: string): string => `rejoin/${cluster}/${host}`;
export const provisionId = (cluster: string, host: string): string => `provision/${cluster}/${host}`;
export const filesId = (cluster: string, fileset: string): string => `files/${cluster}/${fileset}`;
export const watchId = (shard: string): string => `watch/${shard}`;

/** By these the runs of Standfast are found; a namespace must have them all, as keywords. */
export const SEARCH_ATTRIBUTES = [
  'StandfastCluster',
  'StandfastRunbook',
  'StandfastPhase',
  'StandfastOutcome',
] as const;

/**
 * Which of them a namespace lacks. Asked by a query that names each, which whoever may work for the namespace may put: to list them takes a right that neither a
 * client nor a worker need have.
 * @param accepts puts the query; false when Temporal does not know what it names
 */
export async function missingAttributes(accepts: (query: string) => Promise<boolean>): Promise<readonly string[]> {
  const known = await Promise.all(SEARCH_ATTRIBUTES.map((name) => accepts(`${name} = 'nobody'`)));
  return SEARCH_ATTRIBUTES.filter((_, index) => known[index] !== true);
}

/** The runs of a cluster, as Temporal's list is asked for them. */
export const runsOf = (type: string, cluster: string): string =>
  `WorkflowType = "${type}" AND StandfastCluster = "${cluster}"`;

/** Failovers that promoted somebody. */
export const promotionsOf = (cluster: string): string =>
  `${runsOf('failover', cluster)} AND StandfastOutcome = "failed-over"`;

/** What makes them, by whoever may; a worker does so itself when its credential lets it. */
export const makesAttributes = (namespace: string, names: readonly string[]): string =>
  `temporal operator search-attribute create --namespace ${namespace} ${names.map((name) => `--name ${name} --type Keyword`).join(' ')}`;

export const makesNamespace = (namespace: string): string =>
  `temporal operator namespace create --namespace ${namespace} --retention 2400h`;

/** Bulk work must not starve a failover, and neither may starve the watch. */
export interface TaskQueues {
  readonly runbooks: string;
  /** Failovers that a watcher starts; polled by every worker, so that another one goes on when the first dies. */
  readonly failover: string;
  readonly watch: string;
  /** Of the worker of one site, which only looks; each site's worker polls its own. */
  readonly observe: (site: string) => string;
}

export const taskQueues = (base: string): TaskQueues => ({
  runbooks: base,
  failover: `${base}-failover`,
  watch: `${base}-watch`,
  observe: (site) => `${base}-observe-${site}`,
});
