import type { Epoch, HostName } from './cluster.ts';
import type { Coverage } from './coverage.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Vote } from './election.ts';
import type { Verdict } from './verdict.ts';

/** One step as it ran: instants are ISO 8601 on the worker's clock. */
export interface TimelineEntry {
  readonly step: string;
  readonly host: HostName | null;
  readonly startedAt: string;
  readonly durationMs: number;
  /** 1 for the first worker that ran the phase; higher after a worker died. */
  readonly attempt: number;
  readonly worker: string;
  readonly outcome: string;
}

export type FenceProof =
  | { readonly rung: 'ssh'; readonly host: HostName; readonly proof: string }
  | { readonly rung: 'powerOff'; readonly host: HostName; readonly proof: string }
  /** Proven by an earlier run of the failover, which recorded its decision and was ended then. */
  | { readonly rung: 'earlier'; readonly host: HostName; readonly proof: string };

export interface Loss {
  /** True when it is proven that no acknowledged write is missing on the new primary. */
  readonly lossless: boolean;
  readonly explains: string;
  /** Transactions of the old primary that the new one does not have, as GTIDs. */
  readonly missing: string;
}

export interface FailoverDecision {
  readonly diagnosis: Diagnosis;
  readonly votes: readonly Vote[];
  readonly fence: FenceProof;
  readonly coverage: Coverage;
}

export interface FailoverResult {
  readonly outcome: 'failed-over' | 'reopened';
  readonly cluster: string;
  readonly oldPrimary: HostName;
  readonly newPrimary: HostName;
  readonly epoch: Epoch;
  readonly sentence: string;
  readonly decision: FailoverDecision | null;
  readonly loss: Loss | null;
  readonly timeline: readonly TimelineEntry[];
  readonly verdict: Verdict | null;
}

export interface ProvisionResult {
  readonly outcome: 'admitted';
  readonly cluster: string;
  readonly host: HostName;
  readonly donor: HostName;
  readonly bytes: number;
  /** GTID position of the snapshot. */
  readonly snapshot: string;
  readonly checksum: { readonly tables: number; readonly position: string };
  readonly timeline: readonly TimelineEntry[];
  readonly sentence: string;
}

export interface PrepareResult {
  readonly outcome: 'open';
  readonly cluster: string;
  readonly host: HostName;
  readonly epoch: Epoch;
  readonly mode: 'lossless' | 'async';
  readonly timeline: readonly TimelineEntry[];
  readonly sentence: string;
}

export interface AdmitResult {
  readonly outcome: 'admitted';
  readonly cluster: string;
  readonly host: HostName;
  readonly epoch: Epoch;
  readonly mode: 'lossless' | 'async';
  readonly ackers: readonly HostName[];
  readonly timeline: readonly TimelineEntry[];
}

export interface RemoveAckerResult {
  readonly outcome: 'removed';
  readonly cluster: string;
  readonly host: HostName;
  readonly primary: HostName;
  readonly epoch: Epoch;
  readonly mode: 'lossless' | 'async';
  readonly ackers: readonly HostName[];
  /** Hosts that the primary refuses from now on, since they could not be told to acknowledge nothing; each with the reason. */
  readonly refused: readonly string[];
  readonly timeline: readonly TimelineEntry[];
  readonly sentence: string;
}

export interface GoAsyncResult {
  readonly outcome: 'async';
  readonly cluster: string;
  readonly primary: HostName;
  readonly epoch: Epoch;
  /** As in {@link RemoveAckerResult}. */
  readonly refused: readonly string[];
  readonly timeline: readonly TimelineEntry[];
  readonly sentence: string;
}

export interface VerifyResult {
  readonly outcome: 'ok' | 'warn';
  readonly cluster: string;
  readonly verdict: Verdict;
}
