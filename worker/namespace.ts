import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../domain/addresses.ts';

const KEYWORD = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD

/** A key that is not registered would leave runs hanging, so a worker does not start without them. */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  const known = await operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => !Object.hasOwn(known.customAttributes, name));
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
}

/**
 * The identity that members obey: the namespace's name and the ID that its store gave it. Another namespace, or another store with the
 * same inventory, is another control plane and is refused by the members.
 */
export async function controlPlaneId(connection: NativeConnection, namespace: string): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  const id = namespaceInfo?.id;
  if (id === undefined || id === null || id === '')
    throw new Error(`Temporal gave no ID for namespace ${namespace}; members need one to know whom they obey`);
  return `${namespace}/${id}`;
}
