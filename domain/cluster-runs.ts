import type { ListedDelay } from './lag.ts';

/** A run of the cluster that has not ended. */
export interface RunningRun {
  readonly type: string;
  readonly workflowId: string;
  readonly runId: string;
  /** ISO 8601. */
  readonly since: string;
  /** Where it is; null: it has not said. */
  readonly phase: string | null;
  /** It stands still until a person has answered. */
  readonly asksPerson: boolean;
}

export interface EndedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** When it ended: ISO 8601, Temporal's clock. */
  readonly at: string;
  /** What it said of itself; `failed` when it ended before it could. */
  readonly outcome: string;
}

/** What Temporal knows of a cluster, without a worker being asked. */
export interface ClusterRuns {
  /** Holds the lock of the cluster: nothing else can change roles meanwhile. */
  readonly operation: RunningRun | null;
  /** Runs beside it, such as a copy. */
  readonly others: readonly RunningRun[];
  readonly lastVerification: EndedRun | null;
  /** The last that promoted a host. */
  readonly lastFailover: EndedRun | null;
  /** Identity of the worker that watches the cluster now; null: nobody does. */
  readonly watcher: string | null;
  /** What the watcher says of the lag of the cluster's replicas. */
  readonly delays: readonly ListedDelay[];
}

export type RunsAnswer =
  { readonly reach: 'answers'; readonly runs: ClusterRuns } | { readonly reach: 'silent'; readonly why: string };
