import { expect, test } from 'vitest';
import { InventoryError } from '../../inventory/faults.ts';
import { parseInventory } from '../../inventory/load.ts';
import { changed } from './example.ts';

const observing = (sites: string): string =>
  changed('lag: { warn: 1s, fail: 10s }', `watch: { observers: [${sites}] }`);

function faultsOf(sites: string): readonly string[] {
  try {
    parseInventory('standfast.yaml', observing(sites));
  } catch (error) {
    if (error instanceof InventoryError) return error.faults.map(({ message }) => message);
    throw error;
  }
  return [];
}

const PLACE = 'clusters.shop.policy.watch.observers';

test('sites that observe are kept in their order', () => {
  const [shop] = parseInventory('standfast.yaml', observing('oslo-b, oslo-a')).clusters;
  expect(shop?.policy.watch.observers).toEqual(['oslo-b', 'oslo-a']);
});

test.each([
  ['oslo-a, olso-b', `${PLACE}: found "olso-b", allowed: oslo-a, oslo-b; did you mean "oslo-b"?`],
  ['oslo-b, oslo-a, oslo-b', `${PLACE}: found "oslo-b" twice, expected each site once`],
])('sites that observe must be known, and named once: %s', (sites, fault) => {
  expect(faultsOf(sites)).toEqual([fault]);
});
