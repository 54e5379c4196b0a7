import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { ClientConfig } from './config.ts';
import { failureOfCall, isPassing, unreachable } from './failures.ts';

/** One connection and its settings; every module of the client that talks to Temporal takes it. */
export interface Link {
  readonly config: ClientConfig;
  readonly connection: Connection;
  readonly client: Client;
}

const CALL_DEADLINE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

export async function openLink(config: ClientConfig): Promise<Link> {
  const connection = await connectOrExplain(config);
  const client = new Client({ connection, namespace: config.namespace, identity: config.identity });
  return { config, connection, client };
}

async function connectOrExplain(config: ClientConfig): Promise<Connection> {
  try {
    return await Connection.connect({
      ...config.connection,
      address: config.address,
      connectTimeout: config.connectTimeoutMs,
      // The SDK's own retries sit in timers that throw out of nowhere once the connection is closed; `ask` and the wait retry instead.
      interceptors: [],
    });
  } catch (error) {
    const failure = failureOfCall(error, config);
    // Whatever else keeps a first connection from standing means the same to a caller: no Temporal there.
    throw failure.type === 'Configuration'
      ? failure
      : unreachable(config, { cause: error, consequence: 'nothing was started' });
  }
}

/**
 * A short question to Temporal: bounded, asked again while Temporal is only away, and its failures in our words. A question that starts
 * something must look whether an earlier try did.
 */
export async function ask<T>(link: Link, question: () => Promise<T>, deadlineMs = CALL_DEADLINE_MS): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await link.connection.withDeadline(deadline, question);
    } catch (error) {
      if (!isPassing(error) || Date.now() + pause >= deadline) throw failureOfCall(error, link.config);
      await sleep(pause);
    }
  }
}

/** @returns null when there is no such run */
export async function describeRun(link: Link, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await link.client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
