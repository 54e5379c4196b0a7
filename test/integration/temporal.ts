import { ApplicationFailure, Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { openStage } from './stage.ts';

/** Temporal as its Web UI uses it: any workflow ID, any input, no code of ours in between. */
export function useTemporal(): () => Client {
  let client: Client | undefined;
  beforeAll(async () => {
    const { temporal: address } = await openStage();
    client = new Client({ connection: await Connection.connect({ address }) });
  });
  afterAll(async () => {
    await client?.connection.close();
  });
  return () => {
    if (client === undefined) throw new Error('Temporal is there from beforeAll on');
    return client;
  };
}

/** What the UI's start form sends; `args` holds nothing when its input field is left empty. */
export const startByHand = (client: Client, type: string, args: readonly unknown[]) =>
  client.workflow.start(type, { workflowId: `typed-by-hand-${randomUUID()}`, taskQueue: 'standfast', args: [...args] });

/** The failure that a run ended with, as the UI shows it. */
export async function failureOf(result: Promise<unknown>): Promise<ApplicationFailure> {
  const ended: unknown = await result.catch((reason: unknown) => reason);
  if (ended instanceof WorkflowFailedError && ended.cause instanceof ApplicationFailure) return ended.cause;
  throw new Error(`expected a failed run, got ${ended instanceof Error ? ended.message : JSON.stringify(ended)}`, {
    cause: ended,
  });
}
