import type { Parsed } from '../domain/inputs.ts';
import { parseFailover, parsePreparePrimary, parseProvisionReplica, parseVerifyReplication } from '../domain/inputs.ts';
import type {
  FailoverInput,
  PreparePrimaryInput,
  ProvisionReplicaInput,
  VerifyReplicationInput,
} from '../domain/inputs.ts';
import type { FailoverResult, PrepareResult, ProvisionResult, VerifyResult } from '../domain/report.ts';

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

export const operationId = (cluster: string): string => `operation/${cluster}`;

export const failoverRunbook: Runbook<FailoverInput, FailoverResult> = {
  type: 'failover',
  parse: parseFailover,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster, candidate, reason }) =>
    `fail over ${cluster}${candidate === undefined ? '' : ` to ${candidate}`}${reason === undefined ? '' : `: ${reason}`}`.slice(
      0,
      120,
    ),
  resultOf: (value) => value as FailoverResult,
};

export const provisionRunbook: Runbook<ProvisionReplicaInput, ProvisionResult> = {
  type: 'provisionReplica',
  parse: parseProvisionReplica,
  workflowId: ({ cluster, host }) => `provision/${cluster}/${host}`,
  summary: ({ cluster, host, from }) => `provision ${host} of ${cluster} from ${from ?? 'its primary'}`,
  resultOf: (value) => value as ProvisionResult,
};

export const prepareRunbook: Runbook<PreparePrimaryInput, PrepareResult> = {
  type: 'preparePrimary',
  parse: parsePreparePrimary,
  workflowId: ({ cluster }) => operationId(cluster),
  summary: ({ cluster, host }) => `prepare ${host} as the primary of ${cluster}`,
  resultOf: (value) => value as PrepareResult,
};

export const verifyRunbook: Runbook<VerifyReplicationInput, VerifyResult> = {
  type: 'verifyReplication',
  parse: parseVerifyReplication,
  workflowId: ({ cluster }, nonce) => `verify/${cluster}/${nonce}`,
  summary: ({ cluster }) => `verify ${cluster}`,
  resultOf: (value) => value as VerifyResult,
};
