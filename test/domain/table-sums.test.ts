import { expect, it } from 'vitest';
import type { ComparedTable, TableSum } from '../../domain/table-sums.ts';
import { TableComparison } from '../../domain/table-sums.ts';

const table = (name: string, hasSnapshots = true): ComparedTable => ({ name, hasSnapshots });
const sum = (checksum: string): TableSum => ({ kind: 'sum', checksum });
const absent: TableSum = { kind: 'absent' };
const unreadable: TableSum = { kind: 'unreadable', why: 'insufficient history' };
const orders = table('`shop`.`orders`');

/** Looks once in each of `snapshots` at every table that is pending. */
function compare(tables: readonly ComparedTable[], snapshots: readonly (readonly [TableSum, TableSum])[]) {
  const comparison = new TableComparison(tables);
  for (const [primary, copy] of snapshots)
    for (const one of comparison.pending()) comparison.note(one, { primary, copy });
  return comparison;
}

it('has compared what is equal in one snapshot', () => {
  const { equal, differing } = compare([orders, table('`shop`.`items`')], [[sum('1'), sum('1')]]);
  expect({ equal, differing }).toEqual({ equal: 2, differing: [] });
});

it.each<[string, readonly [TableSum, TableSum]]>([
  ['a column that was added after the snapshot', [sum('2'), sum('1')]],
  ['a table that was truncated after the snapshot', [unreadable, sum('1')]],
  ['a table that was made after the snapshot', [unreadable, absent]],
  ['a table that was dropped after the snapshot', [absent, sum('1')]],
])('looks again from a later snapshot, and condemns no copy for %s', (_, [primary, copy]) => {
  const comparison = compare([orders], [[primary, copy]]);
  expect(comparison.pending()).toEqual([orders]);
  comparison.note(orders, { primary: sum('3'), copy: sum('3') });
  expect(comparison.pending()).toEqual([]);
  expect(comparison.differing).toEqual([]);
  expect(comparison.equal).toBe(1);
});

it.each<[string, readonly [TableSum, TableSum], string]>([
  ['rows', [sum('2'), sum('1')], '`shop`.`orders`'],
  ['a table that is missing', [sum('2'), absent], '`shop`.`orders` (the copy does not have it)'],
  ['a table too many', [absent, sum('1')], '`shop`.`orders` (only the copy has it)'],
  [
    'what neither can read',
    [unreadable, unreadable],
    '`shop`.`orders` (the primary cannot read it: insufficient history)',
  ],
])('names %s that five snapshots show', (_, sums, named) => {
  const comparison = compare([orders], Array(5).fill(sums));
  expect(comparison.pending()).toEqual([]);
  expect(comparison.differing).toEqual([named]);
  expect(comparison.equal).toBe(0);
});

it('looks at what is in doubt first, while the snapshot is new', () => {
  const items = table('`shop`.`items`');
  const comparison = new TableComparison([orders, items]);
  comparison.note(orders, { primary: sum('1'), copy: sum('2') });
  expect(comparison.pending()).toEqual([orders, items]);
  comparison.note(orders, { primary: sum('1'), copy: sum('1') });
  expect(comparison.pending()).toEqual([items]);
});

it('counts a table that both dropped as none', () => {
  const { equal, differing } = compare([orders], [[absent, absent]]);
  expect({ equal, differing }).toEqual({ equal: 0, differing: [] });
});

it('says of a table without snapshots why it can differ', () => {
  const differ: readonly [TableSum, TableSum] = [sum('1'), sum('2')];
  expect(compare([table('`shop`.`log`', false)], Array(5).fill(differ)).differing).toEqual([
    '`shop`.`log` (its engine has no snapshots: it can be compared only while nobody writes to it)',
  ]);
});
