import {
  ChildWorkflowFailure,
  ParentClosePolicy,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ClusterDescription, HostName } from '../domain/cluster.ts';
import { explainStranger } from '../domain/cluster.ts';
import type { Parsed } from '../domain/inputs.ts';
import { failure } from './failures.ts';

/** Validates at the boundary: anything but a failure of ours would leave the run hanging in "Running". */
export function accept<T>(parsed: Parsed<T>): T {
  if (parsed.kind === 'bad') throw failure('BadInput', parsed.message, { changed: false });
  return parsed.value;
}

/** A name of no host would otherwise be waited for, as a host that is silent is. */
export function requireHost(cluster: ClusterDescription, host: HostName): void {
  const why = explainStranger(cluster, host);
  if (why !== null) throw failure('BadInput', why, { changed: false });
}

export function label(runbook: string, cluster: string): void {
  upsertSearchAttributes({ StandfastRunbook: [runbook], StandfastCluster: [cluster] });
}

/**
 * Runs `body` here when this run has the fixed address, and otherwise as a child that has it, whatever ID a person typed. The child outlives
 * this run: ending the outer run must not end an operation half-way.
 * @throws `Busy` when another run holds the address
 */
export async function atAddress<R>(address: string, input: unknown, body: () => Promise<R>): Promise<R> {
  const { workflowId, workflowType } = workflowInfo();
  if (workflowId === address) return body();
  try {
    const child = await startChild(workflowType, {
      workflowId: address,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '1s',
      staticSummary: `started from ${workflowId}`,
    });
    return (await child.result()) as R;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError)
      throw failure(
        'Busy',
        `${address} is already running; nothing was changed. Look at it first, or wait for its end`,
        {
          changed: false,
          running: address,
        },
      );
    if (error instanceof ChildWorkflowFailure && error.cause instanceof ApplicationFailure) throw error.cause;
    throw error;
  }
}
