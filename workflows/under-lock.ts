import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, executeChild, sleep } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import { failure } from './failures.ts';

const LOCK_POLL = '500ms';
const LOCK_POLLS = 1_200;

interface OfHost {
  readonly cluster: string;
  readonly host: string;
}

/** Runs a short runbook at the address that is the cluster's lock, and waits for the lock: whatever holds it is short as well. */
export async function underLock<R>(runbook: (input: unknown) => Promise<R>, input: OfHost, what: string): Promise<R> {
  const address = operationId(input.cluster);
  for (let poll = 0; poll < LOCK_POLLS; poll += 1) {
    try {
      return await executeChild(runbook, {
        workflowId: address,
        args: [{ cluster: input.cluster, host: input.host }],
        workflowTaskTimeout: '1s',
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(LOCK_POLL);
    }
  }
  throw failure(
    'Busy',
    `${address} was held by others for 10 minutes, so ${input.host} was not ${what} (standfast status ${input.cluster} names what runs)`,
    { host: input.host },
  );
}
