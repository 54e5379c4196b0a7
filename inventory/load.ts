import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import type { ClusterConfig, Inventory } from './config.ts';
import { toInventory } from './config.ts';
import { crossFaults } from './cross-checks.ts';
import { didYouMean } from './did-you-mean.ts';
import { InventoryError, placeFaults, schemaFaults } from './faults.ts';
import { inventoryJsonSchema } from './json-schema.ts';
import { inventorySchema } from './schema.ts';

/** @throws InventoryError when there is no such file, or it cannot be read now */
export async function readInventory(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    const message = `the file cannot be read (${reason}), expected the inventory; name it with STANDFAST_CONFIG`;
    throw new InventoryError(path, [{ line: 1, column: 1, message }]);
  }
}

/**
 * Reads and validates `standfast.yaml`. Secrets stay references.
 * @throws InventoryError with every fault at once, in reading order
 */
export async function loadInventory(path: string): Promise<Inventory> {
  return parseInventory(path, await readInventory(path));
}

/** The same for a text in memory; `path` names it in faults. */
export function parseInventory(path: string, text: string): Inventory {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { line: Math.max(line, 1), column: Math.max(col, 1), message: `not valid YAML: ${error.message}` };
    });
    throw new InventoryError(path, faults);
  }
  const data: unknown = document.toJS();
  const parsed = inventorySchema.safeParse(data);
  const ofSchema = parsed.success ? [] : schemaFaults(parsed.error.issues, data, inventoryJsonSchema());
  const faults = [...ofSchema, ...crossFaults(data)];
  if (faults.length > 0 || !parsed.success) throw new InventoryError(path, placeFaults(faults, document, lines));
  return toInventory(path, parsed.data);
}

export type FoundCluster =
  { readonly kind: 'found'; readonly cluster: ClusterConfig } | { readonly kind: 'unknown'; readonly message: string };

export function findCluster(inventory: Inventory, name: string): FoundCluster {
  const cluster = inventory.clusters.find((candidate) => candidate.name === name);
  if (cluster !== undefined) return { kind: 'found', cluster };
  const known = inventory.clusters.map((candidate) => candidate.name);
  const message = `${inventory.path} has no cluster "${name}"; it has ${known.join(', ')}${didYouMean(name, known)}`;
  return { kind: 'unknown', message };
}
