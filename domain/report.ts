import type { Acceptance } from './acceptance.ts';
import type { Epoch, FenceRung, HostName } from './cluster.ts';
import type { Coverage } from './coverage.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { EventsReport } from './events.ts';
import type { Vote } from './election.ts';
import type { Salvage, Transactions } from './tail.ts';
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

/**
 * Why a server can no longer acknowledge a write. `ssh`: its process is gone and its port closed. `powerOff`: a hook confirms that the host is off.
 * `revocation`: it waits for ackers that no longer receive from it. `accepted`: nothing proves it, and a named person answers for it.
 * `earlier`: proven by an earlier run of the failover, which recorded its decision and was ended then.
 */
export interface FenceProof {
  readonly rung: FenceRung | 'accepted' | 'earlier';
  readonly host: HostName;
  readonly proof: string;
  /** Over SSH: where the binary log of the server that was stopped ends, `FILE:BYTES`. Not there when its host did not say. */
  readonly logEnd?: string;
  /** Of an earlier run's proof: that the host is off, where too few answer without it. */
  readonly again?: FenceProof;
}

/** The server is certain to be down. With another rung it may live on, unable to acknowledge, perhaps still with the VIP. */
export const isDown = ({ rung, again }: FenceProof): boolean =>
  rung === 'ssh' || rung === 'powerOff' || (again !== undefined && isDown(again));

export interface Loss {
  /** True when it is proven that no acknowledged write is missing on the new primary. */
  readonly lossless: boolean;
  readonly explains: string;
  /** Transactions that are lost, as far as anybody knows; null: it cannot be known before the old primary's files can be read. */
  readonly lost: Transactions | null;
  /** The last of them, as GTIDs; empty when there are none, or when they are not known. */
  readonly missing: string;
  /** What only the old primary had, and what became of it: read from its files when its host answers. */
  readonly salvage: Salvage;
}

export interface FailoverDecision {
  readonly diagnosis: Diagnosis;
  readonly votes: readonly Vote[];
  readonly fence: FenceProof;
  readonly coverage: Coverage;
  readonly salvage: Salvage;
  /** Set when a person accepted what could not be proven. */
  readonly accepted: Acceptance | null;
}

/** Elected, and lost before clients were led to it. */
export interface AbandonedWinner {
  readonly host: HostName;
  readonly why: string;
  /** Out of date when the one after it was decided about the same old primary: this one was never recorded then. */
  readonly decision: FailoverDecision;
  readonly loss: Loss;
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
  /** Winners before this one, in order; nearly always none. */
  readonly abandoned: readonly AbandonedWinner[];
  /** Null: the policy is not to run events, or it is not known what became of them. */
  readonly events?: EventsReport | null;
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
  /** Null: the policy is not to run events. */
  readonly events?: EventsReport | null;
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

export interface MakeRoomResult {
  /** `left-alone`: nobody is locked out. `put-back`: nobody is, and an earlier run had left the limit raised; `limit` says what it is now. */
  readonly outcome: 'made-room' | 'put-back' | 'left-alone';
  readonly cluster: string;
  readonly primary: HostName;
  readonly epoch: Epoch;
  /** The ackers that are connected again. */
  readonly attached: readonly HostName[];
  /** `max_connections` as it was, and as it is now; null: it was not touched. */
  readonly limit: { readonly configured: number; readonly now: number } | null;
  readonly timeline: readonly TimelineEntry[];
  readonly sentence: string;
}

export interface FenceDeposedResult {
  readonly outcome: 'fenced' | 'left-alone';
  readonly cluster: string;
  readonly host: HostName;
  readonly sentence: string;
}

export interface VerifyResult {
  readonly outcome: 'ok' | 'warn';
  readonly cluster: string;
  readonly verdict: Verdict;
}
