import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GtidOrder } from '../../domain/gtid.ts';
import type { MysqlGtidSet } from '../../domain/gtid-mysql.ts';
import {
  compareMysqlGtids,
  containsMysqlGtids,
  countMysqlGtids,
  intersectMysqlGtids,
  parseMysqlGtids,
  renderMysqlGtids,
  subtractMysqlGtids,
  unionMysqlGtids,
} from '../../domain/gtid-mysql.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

describe('reading and writing sets', () => {
  it.each([
    ['', ''],
    [' ,\n, ', ''],
    [`${A}:1`, `${A}:1`],
    [`${A}:1-5:7`, `${A}:1-5:7`],
    [`${A.toUpperCase()}:1-5`, `${A}:1-5`],
    [`${B}:2,\n${A}:1`, `${A}:1,\n${B}:2`],
    [`${A}:1-3:4-6`, `${A}:1-6`],
    [`${A}:1-3:5-6`, `${A}:1-3:5-6`],
    [`${A}:7:1-5:3-6`, `${A}:1-7`],
    [`${A}:1-9:3`, `${A}:1-9`],
    [`${A}:5,${A}:1-2,${A}:5`, `${A}:1-2:5`],
    [` ${A} : 1 - 5 : 7 `, `${A}:1-5:7`],
    [`${A}:9223372036854775806`, `${A}:9223372036854775806`],
    [`${A}:1-9223372036854775806:3`, `${A}:1-9223372036854775806`],
    [`${A}:blue:1-5:7`, `${A}:blue:1-5:7`],
    [`${A}:BLUE:1,${A}:blue:2`, `${A}:blue:1-2`],
    [`${A}:red:3,${A}:1-2,${A}:blue:1`, `${A}:1-2:blue:1:red:3`],
    [`${A}:1:red:3-4:6:blue:1,\n${B}:_x9:2`, `${A}:1:blue:1:red:3-4:6,\n${B}:_x9:2`],
    [`${A}:${'t'.repeat(32)}:1`, `${A}:${'t'.repeat(32)}:1`],
  ])('reads "%s" as "%s"', (text, rendered) => {
    expect(renderMysqlGtids(parseMysqlGtids(text))).toBe(rendered);
  });

  it.each([
    [A, `no number behind "${A}"`],
    [`${A}:`, '"" is no interval and no tag'],
    [`${A}:0`, '"0" is no interval and no tag'],
    [`${A}:0-5`, '"0-5" is no interval and no tag'],
    [`${A}:5-4`, '"5-4" is no interval and no tag'],
    [`${A}:1-`, '"1-" is no interval and no tag'],
    [`${A}:1-2-3`, '"1-2-3" is no interval and no tag'],
    [`${A}:010`, '"010" is no interval and no tag'],
    [`${A}:0x10`, '"0x10" is no interval and no tag'],
    [`${A}:1 2`, '"1 2" is no interval and no tag'],
    [`${A}:1;2`, '"1;2" is no interval and no tag'],
    [`${A}:9223372036854775807`, '"9223372036854775807" is no interval and no tag'],
    [`${A}:1-9223372036854775807`, '"1-9223372036854775807" is no interval and no tag'],
    [`${A}:blue`, 'no number behind "blue"'],
    [`${A}:1:blue`, 'no number behind "blue"'],
    [`${A}:blue:red:1`, 'no number behind "blue"'],
    [`${A}:${'t'.repeat(33)}:1`, 'is no interval and no tag'],
    [`${A}:a-b:1`, '"a-b" is no interval and no tag'],
    [`${A.slice(1)}:1`, 'is not a UUID'],
    [`${A.replaceAll('-', '')}:1`, 'is not a UUID'],
    ['0-1-100', '"0-1-100" is not a UUID'],
    ["x' OR 1", 'is not a UUID'],
  ])('refuses "%s" instead of guessing', (text, why) => {
    expect(() => parseMysqlGtids(text)).toThrow(RangeError);
    expect(() => parseMysqlGtids(text)).toThrow(why);
  });

  it('says which part it refuses', () => {
    expect(() => parseMysqlGtids(`${B}:1,\n${A}:0`)).toThrow(
      `"0" is no interval and no tag in "${A}:0", part 2 of a MySQL GTID set (uuid:1-5:7)`,
    );
  });
});

/** Twelve numbers of four sources, so that every set has a plain model: the set of its GTIDs. */
const SOURCES = [A, B, `${A}:blue`, `${A}:red`];
const anyPart = fc
  .tuple(fc.constantFrom(...SOURCES), fc.integer({ min: 1, max: 12 }), fc.nat({ max: 4 }))
  .map(([source, first, more]) => ({ source, first, last: Math.min(12, first + more) }));
const anyParts = fc.array(anyPart, { maxLength: 6 });
type Parts = readonly { readonly source: string; readonly first: number; readonly last: number }[];

const textOf = (parts: Parts): string =>
  parts.map(({ source, first, last }) => `${source}:${String(first)}-${String(last)}`).join(', ');
const modelOf = (parts: Parts): ReadonlySet<string> =>
  new Set(
    parts.flatMap(({ source, first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => `${source}:${String(first + index)}`),
    ),
  );
const setOf = (parts: Parts): MysqlGtidSet => parseMysqlGtids(textOf(parts));
const everything = (set: MysqlGtidSet): ReadonlySet<string> =>
  modelOf(
    [...set].flatMap(([source, intervals]) =>
      intervals.map(({ first, last }) => ({ source, first: Number(first), last: Number(last) })),
    ),
  );

describe('any two sets', () => {
  it('are joined, subtracted, cut, contained and counted as sets of single GTIDs are', () => {
    fc.assert(
      fc.property(anyParts, anyParts, (left, right) => {
        const [one, two] = [setOf(left), setOf(right)];
        const [ones, twos] = [modelOf(left), modelOf(right)];
        expect(everything(unionMysqlGtids(one, two))).toEqual(new Set([...ones, ...twos]));
        expect(everything(subtractMysqlGtids(one, two))).toEqual(new Set([...ones].filter((gtid) => !twos.has(gtid))));
        expect(everything(intersectMysqlGtids(one, two))).toEqual(new Set([...ones].filter((gtid) => twos.has(gtid))));
        expect(containsMysqlGtids(one, two)).toBe([...twos].every((gtid) => ones.has(gtid)));
        expect(countMysqlGtids(one)).toBe(BigInt(ones.size));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are written in one way only, whatever order, case and grouping they came in', () => {
    fc.assert(
      fc.property(
        anyParts.chain((parts) =>
          fc.tuple(fc.constant(parts), fc.shuffledSubarray([...parts], { minLength: parts.length })),
        ),
        ([parts, shuffled]) => {
          const written = renderMysqlGtids(setOf(parts));
          expect(renderMysqlGtids(parseMysqlGtids(textOf(shuffled).toUpperCase()))).toBe(written);
          expect(renderMysqlGtids(unionMysqlGtids(...parts.map((part) => setOf([part]))))).toBe(written);
          expect(renderMysqlGtids(parseMysqlGtids(written))).toBe(written);
        },
      ),
    );
  });

  it('stand in a partial order', () => {
    const mirror = { equal: 'equal', ahead: 'behind', behind: 'ahead', incomparable: 'incomparable' } as const;
    fc.assert(
      fc.property(anyParts, anyParts, anyParts, (low, middle, high) => {
        const [one, two, three] = [setOf(low), setOf(middle), setOf(high)];
        const order = compareMysqlGtids(one, two);
        expect(compareMysqlGtids(two, one)).toBe(mirror[order]);
        expect(order === 'equal').toBe(renderMysqlGtids(one) === renderMysqlGtids(two));
        expect(containsMysqlGtids(unionMysqlGtids(one, two, three), one)).toBe(true);
        if (containsMysqlGtids(two, one) && containsMysqlGtids(three, two))
          expect(containsMysqlGtids(three, one)).toBe(true);
      }),
    );
  });

  it('give back the whole from what is common and what is not', () => {
    fc.assert(
      fc.property(anyParts, anyParts, (left, right) => {
        const [one, two] = [setOf(left), setOf(right)];
        const again = unionMysqlGtids(subtractMysqlGtids(one, two), intersectMysqlGtids(one, two));
        expect(renderMysqlGtids(again)).toBe(renderMysqlGtids(one));
      }),
    );
  });
});

describe('comparing', () => {
  it.each<[string, string, GtidOrder]>([
    [`${A}:1-5`, `${A}:1-5`, 'equal'],
    [`${A}:1-3:4-5`, `${A}:1-5`, 'equal'],
    [`${A}:1-6`, `${A}:1-5`, 'ahead'],
    [`${A}:1-5`, `${A}:1-5,${B}:1`, 'behind'],
    [`${A}:1-5`, `${A}:1-4:6`, 'incomparable'],
    [`${A}:1-5`, `${A}:blue:1-5`, 'incomparable'],
    ['', `${A}:1`, 'behind'],
  ])('calls "%s" against "%s" %s', (left, right, order) => {
    expect(compareMysqlGtids(parseMysqlGtids(left), parseMysqlGtids(right))).toBe(order);
  });

  it('counts an interval as wide as a server can have without listing it', () => {
    expect(countMysqlGtids(parseMysqlGtids(`${A}:1-9223372036854775806:blue:7`))).toBe(9223372036854775807n);
  });
});
