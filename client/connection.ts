import { Client, Connection } from '@temporalio/client';
import type { ClientConfig } from './config.ts';
import { failureOfCall, unreachable } from './failures.ts';

/** One connection and its settings; every module of the client that talks to Temporal takes it. */
export interface Link {
  readonly config: ClientConfig;
  readonly connection: Connection;
  readonly client: Client;
}

const CALL_DEADLINE_MS = 10_000;

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
    } as Parameters<typeof Connection.connect>[0]);
  } catch (error) {
    const failure = failureOfCall(error, config);
    // Whatever else keeps a first connection from standing means the same to a caller: no Temporal there.
    throw failure.type === 'Configuration' ? failure : unreachable(config, { cause: error, consequence: 'nothing was started' });
  }
}

/** A short question to Temporal: bounded, and its failures in our words. */
export async function ask<T>(link: Link, question: () => Promise<T>): Promise<T> {
  try {
    return await link.connection.withDeadline(Date.now() + CALL_DEADLINE_MS, question);
  } catch (error) {
    throw failureOfCall(error, link.config);
  }
}
