import { expect, it } from 'vitest';
import { assembleHelper } from '../../adapters/host/assemble.ts';
import { LOOKING_VERBS } from '../../adapters/ssh.ts';

/** The keys of every table of the script, by the table's name. */
async function tables(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { text } = await assembleHelper();
  const found = [...text.matchAll(/^declare -A (\w+)=\((.*?)\)$/gms)];
  return new Map(
    found.map(([, name = '', body = '']) => [
      name,
      [...body.matchAll(/(?:^|\s)\[([^\]]+)\]=/g)].map(([, key = '']) => key),
    ]),
  );
}

it('names everything in a table once: of two shapes of one argument the later would hold for both', async () => {
  const found = await tables();
  for (const name of ['SHAPE', 'KIND', 'NEEDS', 'MAY']) {
    const keys = found.get(name) ?? [];
    expect(keys.length, name).toBeGreaterThan(3);
    expect(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      name,
    ).toEqual([]);
  }
});

it('has a shape for every argument, and a kind for every verb', async () => {
  const { text } = await assembleHelper();
  const found = await tables();
  const [shapes, kinds, needs] = ['SHAPE', 'KIND', 'NEEDS'].map((name) => found.get(name) ?? []);
  expect(needs?.toSorted()).toEqual(kinds?.toSorted());
  const words = [...text.matchAll(/\[[a-z-]+\]='([a-z0-9_ ]*)'/g)].flatMap(([, list = '']) => list.split(' '));
  expect(words.filter((word) => word !== '' && shapes?.includes(word) !== true)).toEqual([]);
});

it('has every function once: of two of one name the later would take the place of the earlier everywhere', async () => {
  const { text } = await assembleHelper();
  const names = [...text.matchAll(/^(\w+)\(\) [{(]$/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(200);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

it('is asked again over a new connection whenever a verb only looks, and only then', async () => {
  const { text } = await assembleHelper();
  const [, body = ''] = /^declare -A KIND=\((.*?)\)$/ms.exec(text) ?? [];
  const looks = [...body.matchAll(/\[([^\]]+)\]=(?:look|quick)\b/g)].map(([, verb]) => verb);
  expect([...LOOKING_VERBS].sort()).toEqual(looks.sort());
});
