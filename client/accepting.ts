import { randomUUID } from 'node:crypto';
import { ApplicationFailure, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Acceptance } from '../domain/acceptance.ts';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import { StandfastError } from './errors.ts';
import { operationId } from '../domain/addresses.ts';

export interface AcceptInput {
  readonly cluster: string;
  /** The person who answers for it. */
  readonly by: string;
  readonly reason: string;
  /** The old primary is out of action, although nothing proves it. */
  readonly fence?: boolean | undefined;
  /** Most transactions that may be lost. */
  readonly loss?: number | 'unknown' | undefined;
}

/**
 * Gives a person's answer to the operation that asks for it. The run refuses one that does not fit its question, and goes on as before.
 * @throws StandfastError `BadInput` when no operation runs on the cluster, it asks nothing, or the answer leaves something open
 */
export async function acceptRisk(link: Link, { cluster, ...answer }: AcceptInput): Promise<Acceptance> {
  const handle = link.client.workflow.getHandle(operationId(cluster));
  const updateId = randomUUID();
  return ask(link, () =>
    handle.executeUpdate<Acceptance, [object]>('accept', { args: [answer], updateId }).catch(refused(cluster)),
  );
}

const refused =
  (cluster: string) =>
  (error: unknown): never => {
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure) throw badAnswer(cause.message, error);
    if (error instanceof WorkflowNotFoundError)
      throw badAnswer(`no operation runs on ${cluster}, so nothing asks for an acceptance`, error);
    throw error;
  };

const badAnswer = (message: string, cause: unknown): StandfastError =>
  new StandfastError({
    type: 'BadInput',
    message: `${message}. Nothing was changed`,
    facts: { changed: false, about: 'argument' },
    cause,
  });
