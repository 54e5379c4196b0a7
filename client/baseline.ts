import { readFile } from 'node:fs/promises';
import { isMap, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import type { BaselineEntry } from '../domain/audit/baseline.ts';
import { StandfastError } from './errors.ts';

const text = (what: string): z.ZodString => z.string(`"${what}" is missing, or no text`).min(1, `"${what}" is empty`);

const entrySchema = z.strictObject(
  {
    code: text('code'),
    where: text('where'),
    reason: text('reason'),
    expires: z.iso.date('"expires" is missing, or no day such as 2027-03-31'),
  },
  {
    error: ({ code, input }) =>
      code === 'unrecognized_keys'
        ? `it has a key that is none of code, where, reason, expires`
        : `it is ${typeof input}, not { code, where, reason, expires }`,
  },
);

/**
 * Reads what is accepted, from YAML or JSON (which is YAML).
 * @throws StandfastError `BadInput` with the first fault and its line; nothing was asked then
 */
export async function readBaseline(path: string): Promise<readonly BaselineEntry[]> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw refusal(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  });
  return parseBaseline(path, content);
}

/** The same for a text in memory. */
export function parseBaseline(path: string, content: string): readonly BaselineEntry[] {
  const lines = new LineCounter();
  // A day stays a text: the core schema has no dates.
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, schema: 'core' });
  const [fault] = document.errors;
  if (fault !== undefined)
    throw refusal(`${path}:${String(lines.linePos(fault.pos[0]).line)}: it is not valid YAML: ${fault.message}`);
  const data: unknown = document.toJS();
  if (!Array.isArray(data)) throw refusal(`${path}:1: it is no list of { code, where, reason, expires }`);
  return data.map((value: unknown, index) => {
    const node = document.getIn([index], true);
    const offset = isMap(node) ? node.range?.[0] : undefined;
    const place = `${path}:${String(lines.linePos(offset ?? 0).line || 1)}`;
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success)
      throw refusal(`${place}: entry ${String(index + 1)}: ${parsed.error.issues[0]?.message ?? ''}`);
    return { ...parsed.data, place };
  });
}

const refusal = (what: string): StandfastError =>
  new StandfastError({
    type: 'BadInput',
    message: `the baseline was not taken: ${what}; nothing was asked`,
    facts: { changed: false, about: 'argument' },
  });
