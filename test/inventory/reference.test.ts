import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closestWord } from '../../inventory/did-you-mean.ts';
import { durationMs } from '../../inventory/duration.ts';
import type { JsonSchema } from '../../inventory/json-schema.ts';
import { inventoryJsonSchema } from '../../inventory/json-schema.ts';
import { parseInventory } from '../../inventory/load.ts';

/** One row of the reference per key, in the order of the schema. */
function rows(schema: JsonSchema, path: readonly string[] = []): string[] {
  if (schema.additionalProperties) return rows(schema.additionalProperties, [...path, 'NAME']);
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const where = [...path, key];
    const isOptional = value.default !== undefined || schema.required?.includes(key) !== true;
    const isLeaf = value.type !== 'object';
    const preset =
      isLeaf && value.default !== undefined ? `\`${JSON.stringify(value.default).replaceAll('"', '')}\`` : '';
    const row = `| \`${where.join('.')}\` | ${isOptional ? preset : '**required**'} | ${value.description ?? ''} |`;
    return [row, ...rows(value, where)];
  });
}

const page = readFileSync(new URL('../../docs/inventory.md', import.meta.url), 'utf8');

describe('the reference page', () => {
  test('has exactly the keys of the schema, with their defaults and meanings', () => {
    const table = page.split('\n').filter((line) => line.startsWith('| `') && line.split('|').length === 5);
    expect(table).toEqual(rows(inventoryJsonSchema()));
  });

  test('has an example that is valid', () => {
    const [, example = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
    expect(parseInventory('docs/inventory.md', example).clusters.map(({ name }) => name)).toEqual(['shop']);
  });
});

test('the published JSON Schema is the one of the code (vitest -u writes it)', async () => {
  const published = `${JSON.stringify(inventoryJsonSchema(), null, 2)}\n`;
  await expect(published).toMatchFileSnapshot('../../inventory/standfast.schema.json');
});

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1h30m', 5_400_000],
  ['0.5s', 500],
  ['1d', 86_400_000],
  ['0s', 0],
])('a duration of %s is %i ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test('a word with one letter wrong, missing, added or swapped is still recognised', () => {
  const words = ['address', 'interface', 'routerId', 'replication'];
  fc.assert(
    fc.property(fc.constantFrom(...words), fc.nat(), fc.constantFrom('drop', 'double', 'swap'), (word, seed, how) => {
      const at = seed % (word.length - 1);
      const [before, one = '', two = '', after] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)];
      const typo = {
        drop: before + one + after,
        double: before + one + one + two + after,
        swap: before + two + one + after,
      };
      expect(closestWord(typo[how], words)).toBe(word);
    }),
  );
});
