import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GtidOrder, GtidSet } from '../../domain/gtid.ts';
import {
  compareGtids,
  containsGtids,
  gtidGap,
  gtidsBeyond,
  parseGtids,
  renderGtids,
  stateAtSnapshot,
  unionGtids,
} from '../../domain/gtid.ts';

const anyGtid = fc
  .tuple(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }))
  .map((parts) => parts.join('-'));
const anyTexts = fc.array(anyGtid, { maxLength: 6 });
const anySet: fc.Arbitrary<GtidSet> = anyTexts.map((texts) => parseGtids(texts.join(',')));

const same = (left: GtidSet, right: GtidSet): boolean => renderGtids(left) === renderGtids(right);

describe('reading and writing GTIDs', () => {
  it.each([
    ['', ''],
    ['0-1-100', '0-1-100'],
    ['0-1-100,0-2-103', '0-1-100,0-2-103'],
    [' 0-2-103 ,\n0-1-100', '0-1-100,0-2-103'],
    ['0-9-2,0-10-1', '0-10-1,0-9-2'],
    ['0-10-7,0-9-7', '0-9-7,0-10-7'],
    ['10-1-1,2-1-1', '2-1-1,10-1-1'],
    ['0-1-100,0-1-7', '0-1-100'],
    ['0-1-7,0-1-100', '0-1-100'],
    ['0-1-18446744073709551615', '0-1-18446744073709551615'],
    ['0-4294967295-9007199254740993', '0-4294967295-9007199254740993'],
    [',,', ''],
    ['00-01-007', '0-1-7'],
    ['4294967295-4294967295-18446744073709551615', '4294967295-4294967295-18446744073709551615'],
  ])('reads "%s" as "%s"', (text, rendered) => {
    expect(renderGtids(parseGtids(text))).toBe(rendered);
  });

  it.each([
    '0-1',
    '0-1-2-3',
    'x',
    '0-1-',
    '0-1--5',
    '0-1-2;0-1-3',
    "0-1-2' OR 1",
    '3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5',
    '4294967296-1-1',
    '0-4294967296-1',
    '0-1-18446744073709551616',
    '0x1-1-1',
    '0-1-1e3',
  ])('refuses "%s" instead of guessing', (text) => {
    expect(() => parseGtids(text)).toThrow(RangeError);
    expect(() => parseGtids(text)).toThrow('is not a MariaDB GTID (domain-server-sequence)');
  });

  it('says which entry of which text it refuses', () => {
    expect(() => parseGtids('0-1-100, 0-1, 1-1-5')).toThrow(
      '"0-1" is not a MariaDB GTID (domain-server-sequence), entry 2 of "0-1-100, 0-1, 1-1-5"',
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(fc.property(anySet, (set) => same(parseGtids(renderGtids(set)), set)));
  });

  it('reads the entries in any order to the same set', () => {
    fc.assert(
      fc.property(
        anyTexts.chain((texts) =>
          fc.tuple(fc.constant(texts), fc.shuffledSubarray(texts, { minLength: texts.length })),
        ),
        ([texts, shuffled]) => same(parseGtids(texts.join(',')), parseGtids(shuffled.join(','))),
      ),
    );
  });
});

describe('the union of sets', () => {
  it('is the smallest set that contains each of them', () => {
    fc.assert(
      fc.property(anySet, anySet, anySet, (left, right, other) => {
        const union = unionGtids(left, right);
        expect(containsGtids(union, left) && containsGtids(union, right)).toBe(true);
        if (containsGtids(other, left) && containsGtids(other, right)) expect(containsGtids(other, union)).toBe(true);
      }),
    );
  });

  it('does not depend on order or grouping, and a set joined to itself is itself', () => {
    fc.assert(
      fc.property(anySet, anySet, anySet, (one, two, three) => {
        expect(same(unionGtids(one, two, three), unionGtids(three, unionGtids(two, one)))).toBe(true);
        expect(same(unionGtids(one, one), one)).toBe(true);
      }),
    );
  });

  it('is empty for no sets', () => {
    expect(renderGtids(unionGtids())).toBe('');
  });
});

describe('what one set has beyond another', () => {
  it.each([
    ['0-1-100', '0-1-99', '0-1-100'],
    ['0-1-100', '0-1-100', ''],
    ['0-1-100', '0-1-101', ''],
    ['0-1-105', '0-2-103', '0-1-105'],
    ['0-1-100,1-1-5', '0-1-100', '1-1-5'],
    ['', '0-1-100', ''],
  ])('finds in "%s" beyond "%s": "%s"', (set, other, beyond) => {
    expect(renderGtids(gtidsBeyond(parseGtids(set), parseGtids(other)))).toBe(beyond);
  });

  it('is exactly what the other one must gain to contain the set', () => {
    fc.assert(
      fc.property(anySet, anySet, (set, other) => {
        const beyond = gtidsBeyond(set, other);
        expect(containsGtids(unionGtids(other, beyond), set)).toBe(true);
        expect([...beyond.keys()].every((key) => (other.get(key) ?? 0n) < (set.get(key) ?? 0n))).toBe(true);
      }),
    );
  });
});

describe('containment is a partial order', () => {
  it('holds for a set and itself', () => {
    fc.assert(fc.property(anySet, (set) => containsGtids(set, set)));
  });

  it('makes two sets equal that contain each other', () => {
    fc.assert(
      fc.property(anySet, anySet, (left, right) => {
        fc.pre(containsGtids(left, right) && containsGtids(right, left));
        expect(renderGtids(left)).toBe(renderGtids(right));
      }),
    );
  });

  it('passes along a chain', () => {
    fc.assert(
      fc.property(anySet, anySet, anySet, (low, more, most) => {
        const middle = unionGtids(low, more);
        expect(containsGtids(unionGtids(middle, most), low)).toBe(true);
        if (containsGtids(low, more) && containsGtids(more, most)) expect(containsGtids(low, most)).toBe(true);
      }),
    );
  });
});

describe('comparing two sets', () => {
  it.each<[string, string, GtidOrder]>([
    ['0-1-100', '0-1-100', 'equal'],
    ['', '', 'equal'],
    ['0-1-101', '0-1-100', 'ahead'],
    ['0-1-100', '0-1-101', 'behind'],
    ['0-1-100,0-2-103', '0-1-100', 'ahead'],
    ['', '0-1-1', 'behind'],
    ['0-1-105', '0-1-102,0-2-103', 'incomparable'],
    ['0-1-5,1-1-1', '0-1-6', 'incomparable'],
  ])('calls "%s" against "%s" %s', (left, right, order) => {
    expect(compareGtids(parseGtids(left), parseGtids(right))).toBe(order);
  });

  it('does not call 0-1-105 ahead of 0-2-103, although its sequence is higher: the two diverged', () => {
    expect(compareGtids(parseGtids('0-1-105'), parseGtids('0-2-103'))).toBe('incomparable');
  });

  it('gives the mirror answer when the two are swapped', () => {
    const mirror = { equal: 'equal', ahead: 'behind', behind: 'ahead', incomparable: 'incomparable' } as const;
    fc.assert(
      fc.property(anySet, anySet, (left, right) => compareGtids(right, left) === mirror[compareGtids(left, right)]),
    );
  });
});

describe('the gap between a primary and a replica', () => {
  it.each([
    ['0-1-100', '0-1-100', 0],
    ['0-1-100', '0-1-58', 42],
    ['0-1-100', '', 100],
    ['0-1-58', '0-1-100', 0],
    ['0-2-110', '0-1-100', 10],
    ['0-1-100,1-1-20', '0-1-90,1-1-15', 15],
    ['0-1-100,1-1-20', '0-1-90,1-1-25', 10],
    ['0-1-100,0-2-105', '0-1-103', 2],
  ])('from "%s" back to "%s" is %i transactions', (ahead, behind, gap) => {
    expect(gtidGap(parseGtids(ahead), parseGtids(behind))).toBe(gap);
  });

  it('is never negative, and nothing when the replica contains the primary', () => {
    fc.assert(
      fc.property(anySet, anySet, (left, right) => {
        expect(gtidGap(left, right)).toBeGreaterThanOrEqual(0);
        expect(gtidGap(left, unionGtids(left, right))).toBe(0);
      }),
    );
  });
});

describe('the binlog state that a copy inherits', () => {
  it.each([
    ['cuts the writer of the snapshot back to it', '0-1-150', '0-1-100', '0-1-100'],
    ['keeps what earlier primaries wrote', '0-1-150,0-2-90', '0-1-100', '0-2-90,0-1-100'],
    ['takes the position alone from a donor that logs nothing', '', '0-1-100', '0-1-100'],
    ['leaves out what a later primary wrote after the snapshot', '0-1-120,0-2-90,0-3-130', '0-1-100', '0-2-90,0-1-100'],
    ['leaves out a domain that was first used after the snapshot', '0-1-100,7-1-3', '0-1-100', '0-1-100'],
    ['keeps each domain apart', '0-1-150,0-2-90,1-2-9,1-3-4', '0-1-100,1-2-8', '0-2-90,0-1-100,1-3-4,1-2-8'],
  ])('%s', (_title, donor, position, inherited) => {
    expect(renderGtids(stateAtSnapshot(parseGtids(donor), parseGtids(position)))).toBe(inherited);
  });

  it('never claims more than the donor and the position together hold, and always the position', () => {
    fc.assert(
      fc.property(anySet, anySet, (donor, position) => {
        const state = stateAtSnapshot(donor, position);
        expect(containsGtids(state, position)).toBe(true);
        expect(containsGtids(unionGtids(donor, position), state)).toBe(true);
        expect(gtidGap(state, position)).toBe(0);
      }),
    );
  });
});
