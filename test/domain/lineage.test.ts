import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareGtids, gtidsBeyond, gtidsPast, parseGtids, renderGtids, unionGtids } from '../../domain/gtid.ts';
import type { Lineage, Promotion } from '../../domain/lineage.ts';
import { historyBeyond, placeGtids } from '../../domain/lineage.ts';

const promotion = (epoch: number, serverId: number, start: string): Promotion => ({ epoch, serverId, start });

/** 1 wrote to 102, was deposed with 103 to 105 in hand; 2 wrote 103 to 108; then 1 again, from 109 on. */
const FIRST = promotion(3, 1, '0-9-50');
const SECOND = promotion(5, 2, '0-9-50,0-1-102');
const THIRD = promotion(8, 1, '0-9-50,0-1-102,0-2-108');

const placed = (text: string, lineage: Lineage) => {
  const { within, diverged, unknown } = placeGtids(parseGtids(text), lineage);
  return { within: renderGtids(within), diverged: renderGtids(diverged), unknown: renderGtids(unknown) };
};
const beyond = (set: string, other: string, lineage: Lineage): string =>
  renderGtids(historyBeyond(parseGtids(set), parseGtids(other), lineage));

describe('placing a set in the lineage', () => {
  it.each<[string, string, Lineage, Partial<ReturnType<typeof placed>>]>([
    [
      'a position implies what the last promotion went on from',
      '0-2-110',
      [FIRST, SECOND],
      {
        within: '0-9-50,0-1-102,0-2-110',
      },
    ],
    [
      'a position of an earlier term implies no more than that term went on from',
      '0-2-105',
      [FIRST, SECOND, THIRD],
      {
        within: '0-9-50,0-1-102,0-2-105',
      },
    ],
    [
      'the newest term of a server that was primary twice',
      '0-1-112',
      [FIRST, SECOND, THIRD],
      {
        within: '0-9-50,0-2-108,0-1-112',
      },
    ],
    [
      'the older term of a server that was primary twice',
      '0-1-102',
      [FIRST, SECOND, THIRD],
      {
        within: '0-9-50,0-1-102',
      },
    ],
    [
      'what a deposed primary wrote past the recorded start',
      '0-1-105',
      [FIRST, SECOND],
      {
        within: '0-9-50,0-1-102',
        diverged: '0-1-105',
      },
    ],
    [
      'the same when its writer is primary again, with greater numbers',
      '0-1-105',
      [FIRST, SECOND, THIRD],
      {
        within: '0-9-50,0-1-102',
        diverged: '0-1-105',
      },
    ],
    ['what a later primary wrote before its time', '0-2-60', [FIRST, SECOND], { within: '', diverged: '0-2-60' }],
    ['what a server wrote that never was primary', '0-7-104', [FIRST, SECOND], { within: '', unknown: '0-7-104' }],
    [
      'what an older server wrote past the first start',
      '0-9-51',
      [FIRST, SECOND],
      {
        within: '0-9-50',
        unknown: '0-9-51',
      },
    ],
    ['what is older than the lineage implies nothing', '0-9-40', [FIRST, SECOND], { within: '0-9-40' }],
    ['a domain that is first used in the newest term', '4-2-1', [FIRST, SECOND], { within: '4-2-1' }],
    ['a domain that a deposed primary alone uses', '4-1-1', [FIRST, SECOND], { within: '', diverged: '4-1-1' }],
    [
      'a lone term with an unknown start takes everything as it is',
      '0-7-3,0-1-9',
      [promotion(1, 1, '')],
      {
        within: '0-7-3,0-1-9',
      },
    ],
    [
      'nothing before a promotion with an unknown start counts',
      '0-1-105,0-2-110',
      [FIRST, promotion(5, 2, ''), THIRD],
      {
        within: '0-1-102,0-2-108',
        diverged: '0-1-105,0-2-110',
      },
    ],
    [
      'not even who was primary then is known of the time before it',
      '0-3-120',
      [promotion(2, 3, '0-9-50'), promotion(5, 2, ''), THIRD],
      { within: '', unknown: '0-3-120' },
    ],
    ['no lineage takes everything as it is', '0-1-105,0-2-103', [], { within: '0-2-103,0-1-105' }],
  ])('%s', (_title, set, lineage, expected) => {
    expect(placed(set, lineage)).toEqual({ diverged: '', unknown: '', ...expected });
  });

  it('takes a promotion as cut off where a later one lacks what it went on from', () => {
    const lost = promotion(4, 3, '0-9-50,0-1-103');
    expect(placed('0-1-103', [FIRST, lost, SECOND])).toEqual({
      within: '0-9-50,0-1-102',
      diverged: '0-1-103',
      unknown: '',
    });
  });

  it('reads the same primary opened again as one term after the other', () => {
    const again = promotion(6, 2, '0-9-50,0-1-102,0-2-104');
    expect(placed('0-2-103', [FIRST, SECOND, again])).toEqual({
      within: '0-9-50,0-1-102,0-2-103',
      diverged: '',
      unknown: '',
    });
  });
});

describe('a start that does not name all that came before it', () => {
  it('implies the rest, as the binlog state of a copy does that began in the middle', () => {
    const copied = promotion(8, 3, '0-2-108');
    expect(placed('0-1-102,0-3-110', [FIRST, SECOND, copied])).toEqual({
      within: '0-9-50,0-1-102,0-2-108,0-3-110',
      diverged: '',
      unknown: '',
    });
  });

  it('vouches for exactly what it names, though an older start lacked it', () => {
    const reset = [promotion(3, 1, '0-1-150'), promotion(5, 3, '0-3-90,0-1-160')];
    expect(placed('0-3-90', reset)).toEqual({ within: '0-3-90', diverged: '', unknown: '' });
    expect(placed('0-3-89', reset)).toEqual({ within: '', diverged: '0-3-89', unknown: '' });
  });
});

describe('what one history has beyond another', () => {
  it.each<[string, string, string, Lineage, string]>([
    ['a position holds what came before it', '0-1-102', '0-2-103', [FIRST, SECOND], ''],
    [
      'a greater sequence holds nothing of a history that went on without it',
      '0-2-103',
      '0-1-105',
      [FIRST, SECOND],
      '0-2-103',
    ],
    ['nor does that history hold it', '0-1-105', '0-2-103', [FIRST, SECOND], '0-1-105'],
    [
      'nor when its writer has gone on with greater numbers since',
      '0-1-105',
      '0-1-112',
      [FIRST, SECOND, THIRD],
      '0-1-105',
    ],
    ['the same cut-off transaction on both sides', '0-1-105', '0-1-105,0-2-103', [FIRST, SECOND], ''],
    ['another one of the same server is not the same', '0-1-104', '0-1-105', [FIRST, SECOND], '0-1-104'],
    ['a server of unknown place is held by its equal alone', '0-7-104', '0-7-105', [FIRST, SECOND], '0-7-104'],
    ['everything by (domain, server) without a lineage', '0-1-102', '0-2-103', [], '0-1-102'],
  ])('%s', (_title, set, other, lineage, expected) => {
    expect(beyond(set, other, lineage)).toBe(expected);
  });
});

/** A history as it happens: terms of primaries, each begun without the last writes of the one before it. */
interface Told {
  readonly lineage: Lineage;
  /** GTIDs of the history that counts, in order. */
  readonly events: readonly string[];
  readonly strays: readonly Stray[];
}

/** A deposed primary with writes that were cut off: its term, how far it shares the history, and the last of them. */
interface Stray {
  readonly term: number;
  readonly shared: number;
  readonly last: string;
}

const stateAt = (events: readonly string[], length: number): string =>
  renderGtids(parseGtids(events.slice(0, length).join(',')));

const anyTerms = fc.array(
  fc.record({
    serverId: fc.integer({ min: 1, max: 3 }),
    writes: fc.nat({ max: 6 }),
    cut: fc.nat({ max: 3 }),
    // How many of the latest transactions its binlog holds: a copy begins in the middle.
    logged: fc.integer({ min: 1, max: 20 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const anyHistory: fc.Arbitrary<Told> = anyTerms.map((terms) => {
  const lineage: Promotion[] = [];
  const events = ['0-8-1', '0-9-2'];
  const strays: Stray[] = [];
  terms.forEach(({ serverId, writes, cut, logged }, index) => {
    const known = index === 0 ? events : events.slice(-logged);
    lineage.push(promotion(index + 1, serverId, stateAt(known, known.length)));
    for (let write = 0; write < writes; write += 1) events.push(`0-${String(serverId)}-${String(events.length + 1)}`);
    const next = terms[index + 1];
    const lost = next === undefined || next.serverId === serverId ? 0 : Math.min(cut, writes);
    if (lost === 0) return;
    const [last = ''] = events.splice(events.length - lost, lost).slice(-1);
    strays.push({ term: index, shared: events.length, last });
  });
  return { lineage, events, strays: strays.filter((stray) => !isTakenAgain(stray, lineage)) };
});

/** Its writer became primary again before the others had got that far: the same GTID then stands for another transaction as well. */
const isTakenAgain = ({ term, last }: Stray, lineage: Lineage): boolean =>
  lineage
    .slice(term + 1)
    .some(
      ({ serverId, start }) =>
        serverId === lineage[term]?.serverId && gtidsPast(parseGtids(last), parseGtids(start)).size > 0,
    );

/** Somebody who follows the history up to one of its events, known by the last one alone or by all of them. */
const anyFollower = ({ events }: Told) =>
  fc
    .record({ length: fc.integer({ min: 3, max: Math.max(3, events.length) }), whole: fc.boolean() })
    .map(({ length, whole }) => {
      const upTo = Math.min(length, events.length);
      return { length: upTo, text: whole || upTo < 3 ? stateAt(events, upTo) : (events[upTo - 1] ?? '') };
    });

describe('any history', () => {
  it('places whoever follows it wholly within, with everything before', () => {
    fc.assert(
      fc.property(
        anyHistory.chain((told) => fc.tuple(fc.constant(told), anyFollower(told))),
        ([{ lineage, events }, { length, text }]) => {
          expect(placed(text, lineage)).toEqual({ within: stateAt(events, length), diverged: '', unknown: '' });
        },
      ),
    );
  });

  it('orders its followers by how far they are, whether a position or a state is known of them', () => {
    fc.assert(
      fc.property(
        anyHistory.chain((told) => fc.tuple(fc.constant(told), anyFollower(told), anyFollower(told))),
        ([{ lineage }, one, two]) => {
          expect(beyond(one.text, two.text, lineage) === '').toBe(one.length <= two.length);
        },
      ),
    );
  });

  it('finds every write that a promotion cut off, whatever numbers came later, and nobody who follows holds it', () => {
    fc.assert(
      fc.property(
        anyHistory.chain((told) => fc.tuple(fc.constant(told), anyFollower(told))),
        ([{ lineage, events, strays }, follower]) => {
          for (const { shared, last } of strays) {
            const text = `${stateAt(events, shared)},${last}`;
            expect(placed(text, lineage)).toEqual({ within: stateAt(events, shared), diverged: last, unknown: '' });
            expect(
              gtidsBeyond(parseGtids(last), historyBeyond(parseGtids(text), parseGtids(follower.text), lineage)).size,
            ).toBe(0);
            expect(beyond(follower.text, text, lineage) === '').toBe(follower.length <= shared);
          }
        },
      ),
    );
  });

  const anyText = fc
    .array(
      fc
        .tuple(fc.nat({ max: 1 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 30 }))
        .map((parts) => parts.join('-')),
      { maxLength: 4 },
    )
    .map((parts) => parts.join(','));

  it('gives a partial order of any sets', () => {
    fc.assert(
      fc.property(anyHistory, anyText, anyText, anyText, ({ lineage }, low, middle, high) => {
        expect(beyond(low, low, lineage)).toBe('');
        const joined = [unionGtids(parseGtids(low), parseGtids(middle)), parseGtids(high)].map(renderGtids);
        for (const [one = '', two = '', three = ''] of [
          [low, middle, high],
          [low, ...joined],
        ])
          if (beyond(one, two, lineage) === '' && beyond(two, three, lineage) === '')
            expect(beyond(one, three, lineage)).toBe('');
        if (beyond(low, middle, lineage) === '' && beyond(middle, low, lineage) === '')
          expect(placed(low, lineage)).toEqual(placed(middle, lineage));
      }),
    );
  });

  it('loses no entry of a set, and compares as GTIDs do where there is no lineage', () => {
    fc.assert(
      fc.property(anyHistory, anyText, anyText, ({ lineage }, text, other) => {
        const { within, diverged, unknown } = placeGtids(parseGtids(text), lineage);
        expect(compareGtids(unionGtids(within, diverged, unknown), parseGtids(text))).toMatch(/equal|ahead/);
        expect(beyond(text, other, [])).toBe(renderGtids(gtidsBeyond(parseGtids(text), parseGtids(other))));
      }),
    );
  });
});
