import type { RunsAnswer } from '../domain/cluster-runs.ts';
import type { Check } from '../domain/checkup.ts';
import type { ClusterDescription } from '../domain/cluster.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import type { Inventory } from '../inventory/config.ts';
import type { DiscoveryOrder } from '../inventory/draft.ts';
import type { RunsQuestion } from './cluster-runs.ts';
import type { Paint } from './paint.ts';
import type { StandfastApi } from './standfast.ts';

/** The terminal, as the commands see it: data goes out, everything else beside it. */
export interface CliIo {
  readonly out: (text: string) => void;
  /** In the place of what was there before, on a terminal; elsewhere after it. */
  readonly redraw: (text: string) => void;
  readonly err: (text: string) => void;
  readonly paintOut: Paint;
  readonly paintErr: Paint;
  /** Somebody sits at it and can answer a question. */
  readonly isInteractive: boolean;
  readonly ask: (question: string) => Promise<string>;
  /** Calls back on Ctrl-C until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** Both workers as a pair, one of them alone, or the one of another site, which only looks. */
export type WorkerOrder =
  { readonly role: 'runbooks' | 'watch' | undefined } | { readonly role: 'observe'; readonly site: string };

/** The hosts of the inventory, asked from this process; nothing can be changed through it. */
export interface HostsApi {
  readonly inventory: Inventory;
  /** @param silentMs how long a host may say nothing */
  observe(
    cluster: string,
    silentMs: number,
  ): Promise<{ readonly cluster: ClusterDescription; readonly observation: ClusterObservation }>;
  /** What is needed of this machine and of every host, for one cluster or for all. */
  examine(cluster: string | undefined): Promise<readonly Check[]>;
  close(): void;
}

/** What Temporal knows of clusters, for whoever can do without. */
export interface RunsApi {
  runs(question: RunsQuestion): Promise<RunsAnswer>;
  close(): Promise<void>;
}

/** What the commands reach outside themselves; loaded only when one needs it. */
export interface CliWorld {
  readonly connect: () => Promise<StandfastApi>;
  readonly openHosts: () => Promise<HostsApi>;
  readonly openRuns: () => Promise<RunsApi>;
  /** The text of an inventory of what runs there; nothing is changed. @throws PlainSshError */
  readonly discover: (order: DiscoveryOrder) => Promise<string>;
  /** @returns the exit code. Without a role both are started, each as a process of its own. */
  readonly startWorker: (order: WorkerOrder) => Promise<number>;
}

export interface GlobalOptions {
  readonly output: 'text' | 'json' | 'md';
  readonly detach?: true | undefined;
  readonly timeout?: number | undefined;
  /** Commander's reading of `--no-input`. */
  readonly input: boolean;
}
