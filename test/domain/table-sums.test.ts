import { expect, it } from 'vitest';
import type { ComparedTable, TableSum } from '../../domain/table-sums.ts';
import { TableComparison } from '../../domain/table-sums.ts';

const table = (name: string, hasSnapshots = true): ComparedTable => ({ name, hasSnapshots });
const sum = (checksum: string): TableSum => ({ kind: 'sum', checksum });
const absent: TableSum = { kind: 'absent' };
const unreadable: TableSum = { kind: 'unreadable', why: 'insufficient history' };
const orders = table('`shop`.`orders`');

function comparing(tables: readonly ComparedTable[]): TableComparison {
  const comparison = new TableComparison();
  comparison.add(tables);
  return comparison;
}

/** Looks once in each of `snapshots` at every table that is pending. */
function compare(tables: readonly ComparedTable[], snapshots: readonly (readonly [TableSum, TableSum])[]) {
  const comparison = comparing(tables);
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
  const comparison = comparing([orders, items]);
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

it('waits for a table that somebody has locked, after all others', () => {
  const items = table('`shop`.`items`');
  const comparison = comparing([orders, items]);
  for (let snapshot = 0; snapshot < 20; snapshot += 1)
    comparison.note(orders, { primary: { kind: 'locked' }, copy: sum('1') });
  expect(comparison.pending()).toEqual([items, orders]);
  comparison.note(orders, { primary: sum('1'), copy: sum('1') });
  comparison.note(items, { primary: sum('1'), copy: sum('1') });
  expect(comparison).toMatchObject({ equal: 2, differing: [] });
});

it('compares what a later list has more, and nothing twice', () => {
  const comparison = compare([orders], [[sum('1'), sum('1')]]);
  comparison.add([orders, table('`shop`.`renamed`')]);
  expect(comparison.pending().map(({ name }) => name)).toEqual(['`shop`.`renamed`']);
});

it('tells which tables are equal, as many as fit, and leaves those out that were equal before', () => {
  const items = table('`shop`.`items`');
  const { equal } = compare([orders, items], [[sum('1'), sum('1')]]);
  expect(equal).toBe(2);
  const later = new TableComparison(['`shop`.`items`']);
  later.add([orders, items]);
  expect(later.pending()).toEqual([orders]);
  later.note(orders, { primary: sum('1'), copy: sum('1') });
  expect(later).toMatchObject({ equal: 2, differing: [] });
  expect(later.equalWithin(1_000)).toEqual([items.name, orders.name]);
  expect(later.equalWithin(items.name.length)).toEqual([items.name]);
});
