import { expect, test } from 'vitest';
import { parseInventory } from '../../inventory/load.ts';
import { changed, EXAMPLE } from './example.ts';

const promotableIn = (text: string) =>
  parseInventory('standfast.yaml', text).clusters[0]?.hosts.map(({ promotable }) => promotable);

test('a host may be promoted unless the inventory says that it never is', () => {
  expect(promotableIn(EXAMPLE)).toEqual([true, true]);
  expect(promotableIn(changed('rank: 100', 'promotable: false'))).toEqual([true, false]);
});

test('a cluster of which nobody may be primary is refused, with its line and column', () => {
  const text = changed('rank: 100', 'promotable: false').replace('rank: 101', 'promotable: false');
  expect(() => parseInventory('standfast.yaml', text)).toThrow(
    /standfast\.yaml:7:7: clusters\.shop\.hosts: found promotable: false on every host, expected at least one that may be primary/,
  );
});

test('anything but true and false is refused', () => {
  expect(() => parseInventory('standfast.yaml', changed('rank: 100', 'promotable: never'))).toThrow(
    'clusters.shop.hosts.db2.promotable: found "never", expected true or false',
  );
});
