import * as z from 'zod';
import { inventorySchema } from './schema.ts';

/** The part of JSON Schema that the inventory uses. */
export interface JsonSchema {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
}

/** For editors: put `# yaml-language-server: $schema=…` on the first line of standfast.yaml. */
export const inventoryJsonSchema = (): JsonSchema =>
  z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' }) as JsonSchema;

/** What the schema says about one place of the document; null where it knows of nothing. */
export function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | null {
  let place: JsonSchema | null | undefined = schema;
  for (const step of path) {
    if (typeof step === 'number') place = place.items;
    else
      place =
        place.properties?.[String(step)] ?? (place.additionalProperties === false ? null : place.additionalProperties);
    if (place === null || place === undefined) return null;
  }
  return place;
}
