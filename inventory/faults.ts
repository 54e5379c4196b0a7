import type { Document, LineCounter } from 'yaml';
import { isMap, isNode, isPair, isScalar } from 'yaml';
import type * as z from 'zod';
import { didYouMean } from './did-you-mean.ts';
import type { JsonSchema } from './json-schema.ts';
import { schemaAt } from './json-schema.ts';
import { isRecord } from './untyped.ts';

export type FaultPath = readonly (string | number)[];

/** A fault before its place in the text is known. */
export interface PathFault {
  readonly path: FaultPath;
  /** Points at the key instead of its value. */
  readonly atKey?: true;
  readonly message: string;
}

export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** All faults of one inventory; nothing was read from it. */
export class InventoryError extends Error {
  readonly path: string;
  readonly faults: readonly Fault[];

  constructor(path: string, faults: readonly Fault[]) {
    const count = faults.length === 1 ? '1 fault' : `${String(faults.length)} faults`;
    const lines = faults.map((fault) => `${path}:${String(fault.line)}:${String(fault.column)}: ${fault.message}`);
    super([`the inventory has ${count}; nothing was done`, ...lines].join('\n'));
    this.name = 'InventoryError';
    this.path = path;
    this.faults = faults;
  }
}

function valueAt(data: unknown, path: FaultPath): unknown {
  let value = data;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === 'number') value = value[step] as unknown;
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

function describe(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a section';
  return `${JSON.stringify(value)}${typeof value === 'string' ? '' : ` (${typeof value})`}`;
}

const name = (path: FaultPath): string => (path.length === 0 ? '' : `${path.join('.')}: `);

/** A password where a reference belongs must not be printed: the message may end up in a log. */
const mayBeSecret = (path: FaultPath): boolean => path.some((step) => step === 'password' || step === 'key');

function unknownKeys(path: FaultPath, keys: readonly string[], schema: JsonSchema): PathFault[] {
  const allowed = Object.keys(schemaAt(schema, path)?.properties ?? {});
  return keys.map((key) => ({
    path: [...path, key],
    atKey: true,
    message: `${name(path)}found the unknown key "${key}", allowed: ${allowed.join(', ')}${didYouMean(key, allowed)}`,
  }));
}

function wrongValue(issue: z.core.$ZodIssue, path: FaultPath, data: unknown): PathFault {
  const found = valueAt(data, path);
  const last = path.at(-1);
  if (found === undefined && last !== undefined) {
    const parent = path.slice(0, -1);
    return {
      path: parent,
      atKey: true,
      message: `${name(parent)}"${String(last)}" is missing, expected ${issue.message}`,
    };
  }
  const hint =
    issue.code === 'invalid_value' && typeof found === 'string' ? didYouMean(found, issue.values.map(String)) : '';
  const shown = mayBeSecret(path) ? 'something else' : describe(found);
  return { path, message: `${name(path)}found ${shown}, expected ${issue.message}${hint}` };
}

export function schemaFaults(issues: readonly z.core.$ZodIssue[], data: unknown, schema: JsonSchema): PathFault[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') return unknownKeys(path, issue.keys, schema);
    if (issue.code === 'invalid_key') {
      const [why] = issue.issues;
      const message = `${name(path.slice(0, -1))}found the name "${String(path.at(-1))}", expected ${why?.message ?? issue.message}`;
      return [{ path, atKey: true, message }];
    }
    return [wrongValue(issue, path, data)];
  });
}

function offsetOf(document: Document, { path, atKey }: PathFault): number {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const last = path.at(-1);
  if (atKey === true && isMap(parent)) {
    const pair = parent.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last),
    );
    if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
  }
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(node) && node.range) return node.range[0];
  // An empty value has no place of its own: point at what holds it.
  return path.length === 0 ? 0 : offsetOf(document, { path: path.slice(0, -1), atKey: true, message: '' });
}

/** In reading order, without repetition. */
export function placeFaults(faults: readonly PathFault[], document: Document, lines: LineCounter): Fault[] {
  const placed = faults.map((fault) => {
    const { line, col } = lines.linePos(offsetOf(document, fault));
    // An empty file has no first line for the counter.
    return { line: Math.max(line, 1), column: Math.max(col, 1), message: fault.message };
  });
  return placed.sort((left, right) => left.line - right.line || left.column - right.column);
}
