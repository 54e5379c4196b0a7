import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contender, Election, ElectionInput } from '../../domain/election.ts';
import { electPrimary, receivedBy } from '../../domain/election.ts';
import { parseGtids, renderGtids } from '../../domain/gtid.ts';
import type { Lineage } from '../../domain/lineage.ts';
import { historyBeyond, placeGtids } from '../../domain/lineage.ts';
import { channel, contender, DB1, DB2, DB3 } from './shop.ts';

/** db2 was primary until 60, db3 from there to 102, db1 since then. */
const LINEAGE: Lineage = [
  { epoch: 2, serverId: 2, start: '' },
  { epoch: 4, serverId: 3, start: '0-2-60' },
  { epoch: 7, serverId: 1, start: '0-2-60,0-3-102' },
];

const holding = (host: typeof DB2, binlogState: string, received: string): Contender =>
  contender(host, { binlogState, appliedPosition: received, replication: channel({ received }) });

const outcomeOf = (election: Election): string => (election.kind === 'elected' ? election.host : election.reason);

const elect = (contenders: readonly Contender[], changes: Partial<ElectionInput> = {}) =>
  electPrimary({ contenders, primary: DB1, countries: ['NO'], lineage: LINEAGE, ...changes });

describe('an election under a known lineage', () => {
  it('compares a bare position with a whole state: the lineage says what came before', () => {
    const copied = holding(DB2, '0-1-110', '0-1-110');
    const whole = holding(DB3, '0-2-60,0-3-102,0-1-108', '0-1-108');
    expect(elect([copied, whole])).toMatchObject({ kind: 'elected', host: 'db2' });
    expect(elect([copied, whole], { lineage: [] })).toMatchObject({ kind: 'refused', reason: 'histories-diverge' });
  });

  it('bars a replica that holds what a promotion cut off, whoever wrote it, though it is the only one', () => {
    const stray = holding(DB2, '0-2-60,0-3-105', '0-3-105');
    expect(elect([stray])).toMatchObject({
      kind: 'refused',
      reason: 'no-eligible-replica',
      explains: 'db2: it has errant transactions 0-3-105',
    });
    expect(elect([stray], { lineage: [] })).toMatchObject({ kind: 'elected' });
  });

  it('refuses when 0-3-105 looks ahead of 0-1-103 by its sequence, naming what each lacks', () => {
    const stray = holding(DB2, '0-2-60,0-3-105', '0-3-105');
    const follower = holding(DB3, '0-2-60,0-3-102,0-1-103', '0-1-103');
    const election = elect([stray, follower]);
    expect(election).toMatchObject({
      kind: 'refused',
      reason: 'histories-diverge',
      explains: 'two replicas each hold transactions that the other lacks (db2 lacks 0-1-103; db3 lacks 0-3-105)',
    });
    expect(election.because[0]?.vetoes).toEqual(['it has errant transactions 0-3-105']);
  });

  it('finds what was cut off behind greater numbers that the same server wrote in its next term', () => {
    const again: Lineage = [...LINEAGE, { epoch: 9, serverId: 3, start: '0-2-60,0-3-102,0-1-108' }];
    const stray = holding(DB2, '0-2-60,0-3-105', '0-3-105');
    const follower = holding(DB1, '0-2-60,0-1-108,0-3-112', '0-3-112');
    const election = elect([stray, { ...follower, status: { ...follower.status, serverId: 1 } }], {
      lineage: again,
      primary: DB3,
    });
    expect(election.kind).toBe('refused');
    expect(election.because[0]?.vetoes).toContain('it has errant transactions 0-3-105');
  });

  it('refuses between two replicas that differ in a server of which the lineage knows nothing', () => {
    const odd = holding(DB2, '0-2-60,0-3-102,0-7-104,0-1-103', '0-1-103');
    const plain = holding(DB3, '0-2-60,0-3-102,0-1-103', '0-1-103');
    expect(elect([odd, plain])).toMatchObject({ kind: 'refused' });
    expect(elect([odd, plain]).because[0]?.vetoes).toEqual(['it has errant transactions 0-7-104']);
    expect(elect([odd, plain], { lineage: [] })).toMatchObject({ kind: 'elected', host: 'db2' });
  });

  it('lets a server of unknown place be where all contenders have the same of it', () => {
    const state = '0-2-60,0-3-102,0-7-104,0-1-103';
    expect(elect([holding(DB2, state, '0-1-103'), holding(DB3, state, '0-1-103')])).toMatchObject({ host: 'db2' });
  });

  it('does not take for errant what a replica wrote in its own recorded term, though another is that far behind', () => {
    const former = holding(DB3, '0-2-60,0-3-102,0-1-110', '0-1-110');
    const late = holding(DB2, '0-2-60,0-3-70', '0-3-70');
    expect(elect([former, late])).toMatchObject({ kind: 'elected', host: 'db3' });
    expect(elect([former, late], { lineage: [] }).because[0]?.vetoes).toEqual(['it has errant transactions 0-3-102']);
  });
});

describe('any election under a lineage', () => {
  const anyState = fc
    .array(fc.tuple(fc.constantFrom('0-1', '0-2', '0-3', '0-7', '1-1'), fc.integer({ min: 50, max: 115 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => renderGtids(parseGtids(parts.map(([key, sequence]) => `${key}-${String(sequence)}`).join(','))));
  const anyContenders = fc
    .tuple(anyState, anyState)
    .map(([one, two]) => [holding(DB2, one, one), holding(DB3, two, two)] as const);
  const anyLineage = fc.constantFrom<Lineage>([], LINEAGE.slice(0, 1), LINEAGE.slice(0, 2), LINEAGE);

  it('elects only who holds the history of every other and nothing beside it, in any order of the contenders', () => {
    fc.assert(
      fc.property(anyContenders, anyLineage, ([one, two], lineage) => {
        const election = elect([one, two], { lineage });
        const swapped = elect([two, one], { lineage });
        expect(swapped.because).toEqual([...election.because].reverse());
        expect(outcomeOf(swapped)).toBe(outcomeOf(election));
        fc.pre(election.kind === 'elected');
        const received = parseGtids(election.received);
        expect(placeGtids(received, lineage).diverged.size).toBe(0);
        for (const other of [one, two]) expect(historyBeyond(receivedBy(other.status), received, lineage).size).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses whenever neither holds the history of the other', () => {
    fc.assert(
      fc.property(anyContenders, anyLineage, ([one, two], lineage) => {
        const [left, right] = [receivedBy(one.status), receivedBy(two.status)];
        fc.pre(historyBeyond(left, right, lineage).size > 0 && historyBeyond(right, left, lineage).size > 0);
        expect(elect([one, two], { lineage }).kind).toBe('refused');
      }),
      { numRuns: 1_000 },
    );
  });
});
