import { isGrpcServiceError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { makesAttributes, makesNamespace, missingAttributes, SEARCH_ATTRIBUTES } from '../domain/addresses.ts';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
/** Of google.rpc.Code. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** Temporal answers, and there is no working with what it says; a person has to mend it. */
export class NamespaceError extends Error {
  override readonly name = 'NamespaceError';
}

/**
 * A key that is not registered would leave runs hanging, so a worker does not start without them.
 * @throws NamespaceError when they, or the namespace, are missing and this credential may not make them
 */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { operatorService, workflowService } = connection;
  const missing = await missingAttributes(async (query) => {
    try {
      await workflowService.countWorkflowExecutions({ namespace, query });
      return true;
    } catch (error) {
      if (codeOf(error) === INVALID_ARGUMENT) return false;
      throw explained(error, namespace);
    }
  });
  if (missing.length === 0) return;
  try {
    const known = await operatorService.listSearchAttributes({ namespace });
    const names = SEARCH_ATTRIBUTES.filter((name) => !Object.hasOwn(known.customAttributes, name));
    if (names.length === 0) return;
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(names.map((name) => [name, KEYWORD])),
    });
  } catch (error) {
    const denied = denialOf(error);
    if (denied === null) throw error;
    throw new NamespaceError(
      `the namespace "${namespace}" lacks the search attributes ${missing.join(', ')}, and Temporal does not let this credential make them (${denied}); with one that may: ${makesAttributes(namespace, missing)}`,
      { cause: error },
    );
  }
}

/**
 * The identity that members obey: the namespace's name and the ID that its store gave it. Another namespace, or another store with the
 * same inventory, is another control plane and is refused by the members.
 * @throws NamespaceError when there is none, or this credential may not work for it
 */
export async function controlPlaneId(connection: NativeConnection, namespace: string): Promise<string> {
  const { namespaceInfo } = await connection.workflowService
    .describeNamespace({ namespace })
    .catch((error: unknown) => Promise.reject(explained(error, namespace)));
  const id = namespaceInfo?.id;
  if (id === undefined || id === null || id === '')
    throw new NamespaceError(`Temporal gave no ID for namespace ${namespace}; members need one to know whom they obey`);
  return `${namespace}/${id}`;
}

const codeOf = (error: unknown): number | null => (isGrpcServiceError(error) ? error.code : null);

const denialOf = (error: unknown): string | null =>
  isGrpcServiceError(error) && [PERMISSION_DENIED, UNAUTHENTICATED].includes(error.code) ? error.details : null;

function explained(error: unknown, namespace: string): Error {
  const denied = denialOf(error);
  if (denied !== null)
    return new NamespaceError(
      `Temporal refuses this worker (${denied}); mend TEMPORAL_API_KEY or the TEMPORAL_TLS_* settings`,
      { cause: error },
    );
  if (codeOf(error) === NOT_FOUND)
    return new NamespaceError(
      `Temporal has no namespace "${namespace}"; set TEMPORAL_NAMESPACE, or make it: ${makesNamespace(namespace)}`,
      { cause: error },
    );
  return error instanceof Error ? error : new Error(String(error));
}
