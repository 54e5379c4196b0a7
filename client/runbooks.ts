import { deposedId, filesId, operationId, planId, provisionId, rejoinId } from '../domain/addresses.ts';
import type { AuditResult } from '../domain/audit/report.ts';
import type { Parsed } from '../domain/inputs.ts';
import {
  parseAdmitReplica,
  parseAuditCluster,
  parseDiffFiles,
  parseFailover,
  parseFenceDeposed,
  parseGoAsync,
  parseMakeRoom,
  parsePreparePrimary,
  parseProvisionReplica,
  parseRemoveAcker,
  parseRejoinReplica,
  parseSyncFiles,
  parseVerifyReplication,
} from '../domain/inputs.ts';
import type {
  AdmitReplicaInput,
  AuditClusterInput,
  FailoverInput,
  FailoverOrder,
  FenceDeposedInput,
  GoAsyncInput,
  MakeRoomInput,
  PreparePrimaryInput,
  ProvisionReplicaInput,
  RemoveAckerInput,
  RejoinReplicaInput,
  SyncFilesInput,
  VerifyReplicationInput,
} from '../domain/inputs.ts';
import { failoverSummary, makeRoomSummary, withReason } from '../domain/summaries.ts';
import type { FailoverPlan } from '../domain/plan.ts';
import type { FilesResult } from '../domain/filesets.ts';
import type { RejoinResult } from '../domain/rejoin.ts';
import type {
  AdmitResult,
  FailoverResult,
  FenceDeposedResult,
  GoAsyncResult,
  MakeRoomResult,
  PrepareResult,
  ProvisionResult,
  RemoveAckerResult,
  VerifyResult,
} from '../domain/report.ts';

/** A workflow as the client sees it: its type, its address, its input. `Result` lives in the type alone. */
export interface Runbook<Input extends { readonly cluster: string }, Result> {
  readonly type: string;
  readonly parse: (input: unknown) => Parsed<Input>;
  /** The address is the lock; `nonce` makes the ID of a runbook that anybody may run at any time. */
  readonly workflowId: (input: Input, nonce: string) => string;
  readonly summary: (input: Input) => string;
  /** The shape is the worker's promise: both are built from one source. */
  readonly resultOf: (value: unknown) => Result;
}

export const failoverRunbook: Runbook<FailoverInput, FailoverResult> = {
  type: 'failover',
  parse: parseFailover,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: failoverSummary,
  resultOf: (value) => value as FailoverResult,
};

/** The same workflow, told to change nothing. */
export const planFailoverRunbook: Runbook<FailoverOrder, FailoverPlan> = {
  type: 'failover',
  parse: parseFailover,
  workflowId: ({ cluster }, nonce) => planId(cluster, nonce),
  summary: ({ cluster, candidate }) =>
    `plan a failover of ${cluster}${candidate === undefined ? '' : ` to ${candidate}`}`,
  resultOf: (value) => value as FailoverPlan,
};

export const provisionRunbook: Runbook<ProvisionReplicaInput, ProvisionResult> = {
  type: 'provisionReplica',
  parse: parseProvisionReplica,
  workflowId: ({ cluster, host }) => provisionId(cluster, host),
  summary: ({ cluster, host, from }) => `provision ${host} of ${cluster} from ${from ?? 'its primary'}`,
  resultOf: (value) => value as ProvisionResult,
};

export const rejoinRunbook: Runbook<RejoinReplicaInput, RejoinResult> = {
  type: 'rejoinReplica',
  parse: parseRejoinReplica,
  workflowId: ({ cluster, host }) => rejoinId(cluster, host),
  summary: ({ cluster, host }) => `bring ${host} back to ${cluster}`,
  resultOf: (value) => value as RejoinResult,
};

export const prepareRunbook: Runbook<PreparePrimaryInput, PrepareResult> = {
  type: 'preparePrimary',
  parse: parsePreparePrimary,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster, host }) => `prepare ${host} as the primary of ${cluster}`,
  resultOf: (value) => value as PrepareResult,
};

export const admitRunbook: Runbook<AdmitReplicaInput, AdmitResult> = {
  type: 'admitReplica',
  parse: parseAdmitReplica,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster, host }) => `admit ${host} to the ackers of ${cluster}`,
  resultOf: (value) => value as AdmitResult,
};

export const removeAckerRunbook: Runbook<RemoveAckerInput, RemoveAckerResult> = {
  type: 'removeAcker',
  parse: parseRemoveAcker,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster, host, reason }) => withReason(`remove ${host} from the ackers of ${cluster}`, reason),
  resultOf: (value) => value as RemoveAckerResult,
};

export const goAsyncRunbook: Runbook<GoAsyncInput, GoAsyncResult> = {
  type: 'goAsync',
  parse: parseGoAsync,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster, reason }) => withReason(`go async with ${cluster}`, reason),
  resultOf: (value) => value as GoAsyncResult,
};

export const makeRoomRunbook: Runbook<MakeRoomInput, MakeRoomResult> = {
  type: 'makeRoom',
  parse: parseMakeRoom,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster }) => makeRoomSummary(cluster),
  resultOf: (value) => value as MakeRoomResult,
};

export const fenceDeposedRunbook: Runbook<FenceDeposedInput, FenceDeposedResult> = {
  type: 'fenceDeposed',
  parse: parseFenceDeposed,
  workflowId: ({ cluster, host }) => deposedId(cluster, host),
  summary: ({ cluster, host }) => `shut off ${host} of ${cluster} as soon as it answers`,
  resultOf: (value) => value as FenceDeposedResult,
};

export const verifyRunbook: Runbook<VerifyReplicationInput, VerifyResult> = {
  type: 'verifyReplication',
  parse: parseVerifyReplication,
  workflowId: ({ cluster }, nonce) => `verify/${cluster}/${nonce}`,
  summary: ({ cluster }) => `verify ${cluster}`,
  resultOf: (value) => value as VerifyResult,
};

export const auditRunbook: Runbook<AuditClusterInput, AuditResult> = {
  type: 'auditCluster',
  parse: parseAuditCluster,
  workflowId: ({ cluster }, nonce) => `audit/${cluster}/${nonce}`,
  summary: ({ cluster }) => `audit ${cluster}`,
  resultOf: (value) => value as AuditResult,
};

const filesAddress = ({ cluster, fileset }: SyncFilesInput, nonce: string): string =>
  fileset === undefined ? `files/${cluster}/${nonce}` : filesId(cluster, fileset);

export const syncFilesRunbook: Runbook<SyncFilesInput, FilesResult> = {
  type: 'syncFiles',
  parse: parseSyncFiles,
  workflowId: filesAddress,
  summary: ({ cluster, fileset }) => `sync ${fileset ?? 'every fileset'} of ${cluster}`,
  resultOf: (value) => value as FilesResult,
};

export const diffFilesRunbook: Runbook<SyncFilesInput, FilesResult> = {
  type: 'diffFiles',
  parse: parseDiffFiles,
  workflowId: filesAddress,
  summary: ({ cluster, fileset }) => `compare ${fileset ?? 'every fileset'} of ${cluster}`,
  resultOf: (value) => value as FilesResult,
};
