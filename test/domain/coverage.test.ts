import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoverageInput } from '../../domain/coverage.ts';
import { contributionsNeeded, judgeCoverage, judgeRevocation } from '../../domain/coverage.ts';
import type { SyncRecord } from '../../domain/records.ts';
import { LOSSLESS } from './shop.ts';

const judge = (changes: Partial<CoverageInput> = {}) =>
  judgeCoverage({
    sync: LOSSLESS,
    contributors: ['db2', 'db3'],
    winnerReceived: '0-1-100',
    oldBinlogEnd: null,
    ...changes,
  });

const subsets = (names: readonly string[]): readonly (readonly string[])[] =>
  names.reduce<readonly (readonly string[])[]>((all, name) => [...all, ...all.map((set) => [...set, name])], [[]]);

interface Case {
  readonly ackers: readonly string[];
  readonly k: number;
  readonly contributors: readonly string[];
}

const EVERY_CASE: readonly Case[] = [1, 2, 3, 4].flatMap((n) => {
  const ackers = ['db2', 'db3', 'db4', 'db5'].slice(0, n);
  return ackers.flatMap((_, index) => subsets(ackers).map((contributors) => ({ ackers, k: index + 1, contributors })));
});

/** From first principles: whichever k ackers acknowledged a write, one of them contributes. */
const everyAckIsSeen = ({ ackers, k, contributors }: Case): boolean =>
  subsets(ackers)
    .filter((acknowledged) => acknowledged.length === k)
    .every((acknowledged) => acknowledged.some((acker) => contributors.includes(acker)));

describe('coverage by ackers', () => {
  it('claims lossless exactly when no choice of k ackers could hide a write, for every n up to 4', () => {
    expect(EVERY_CASE.length).toBeGreaterThan(80);
    for (const found of EVERY_CASE) {
      const sync: SyncRecord = { epoch: 1, mode: 'lossless', ackers: found.ackers, k: found.k };
      const coverage = judge({ sync, contributors: found.contributors });
      expect([found, coverage.kind]).toEqual([found, everyAckIsSeen(found) ? 'lossless' : 'lossy']);
    }
  });

  it.each([
    [1, 1, 1],
    [2, 1, 2],
    [3, 1, 3],
    [3, 2, 2],
    [4, 2, 3],
    [4, 4, 1],
  ])('of %i ackers with k = %i needs %i contributions', (n, k, needed) => {
    expect(contributionsNeeded({ ...LOSSLESS, ackers: Array.from({ length: n }, (_, i) => `db${String(i)}`), k })).toBe(
      needed,
    );
  });

  it('counts neither a replica that is not recorded nor an acker twice', () => {
    expect(judge({ contributors: ['db2', 'db9', 'db2'] })).toMatchObject({ kind: 'lossy' });
  });

  it.each([
    ['no acker is recorded', { ...LOSSLESS, ackers: [] }],
    ['no acker acknowledges (k = 0)', { ...LOSSLESS, k: 0 }],
    ['more acknowledgements are recorded than ackers', { ...LOSSLESS, k: 3 }],
    ['the mode is async', { ...LOSSLESS, mode: 'async' as const }],
    ['nothing is recorded', null],
  ])('claims nothing when %s', (_title, sync) => {
    expect(judge({ sync })).toMatchObject({ kind: 'lossy', missing: '' });
  });

  it('says who contributes and how many are needed', () => {
    expect(judge({ contributors: ['db3'] })).toEqual({
      kind: 'lossy',
      why: '1 of 2 recorded ackers contribute (db3), 2 needed, and the binary log of the old primary cannot be read',
      missing: '',
      count: null,
    });
    expect(judge()).toEqual({
      kind: 'lossless',
      by: 'ackers',
      why: '2 of 2 recorded ackers contribute (db2, db3), 2 needed',
    });
    expect(judge({ contributors: [] }).why).toContain('0 of 2 recorded ackers contribute (none)');
  });
});

describe('revocation', () => {
  it('needs as many receivers that stand still as coverage does, for every n up to 4', () => {
    for (const found of EVERY_CASE) {
      const sync: SyncRecord = { epoch: 1, mode: 'lossless', ackers: found.ackers, k: found.k };
      expect([found, judgeRevocation(sync, found.contributors).enough]).toEqual([found, everyAckIsSeen(found)]);
    }
  });

  it.each([
    ['nothing is recorded', null],
    ['the mode is async: the primary waits for nobody', { ...LOSSLESS, mode: 'async' as const }],
    ['no acker is recorded', { ...LOSSLESS, ackers: [] }],
  ])('is not there when %s', (_title, sync) => {
    expect(judgeRevocation(sync, ['db2', 'db3']).enough).toBe(false);
  });
});

describe('coverage by the binary log of the old primary', () => {
  const uncovered = { contributors: ['db2'] } as const;

  it('is lossless when the winner holds everything in it', () => {
    expect(judge({ ...uncovered, oldBinlogEnd: '0-1-100' })).toMatchObject({ kind: 'lossless', by: 'old-binlog' });
  });

  it('covers an async cluster as well', () => {
    expect(judge({ sync: null, oldBinlogEnd: '0-1-99' })).toMatchObject({ kind: 'lossless', by: 'old-binlog' });
  });

  it('names what the winner lacks, and that alone', () => {
    const coverage = judge({ ...uncovered, winnerReceived: '0-1-100,1-1-5', oldBinlogEnd: '0-1-107,1-1-5,2-1-3' });
    expect(coverage).toMatchObject({ kind: 'lossy', missing: '0-1-107,2-1-3' });
    expect(coverage.why).toContain('the old primary holds transactions up to 0-1-107,2-1-3 that no winner has');
  });

  it('says async when nothing else was promised', () => {
    expect(judge({ sync: null }).why).toBe(
      'the cluster runs without lossless acknowledgement (async), and the binary log of the old primary cannot be read',
    );
  });

  it('is not proven by an empty answer: a log that was read ends somewhere', () => {
    expect(judge({ ...uncovered, oldBinlogEnd: '' })).toMatchObject({ kind: 'lossy', missing: '' });
    expect(judge({ ...uncovered, oldBinlogEnd: ' ' })).toMatchObject({ kind: 'lossy', missing: '' });
  });

  it('is not fooled by a higher sequence of another server', () => {
    expect(judge({ ...uncovered, winnerReceived: '0-2-200', oldBinlogEnd: '0-1-100' })).toMatchObject({
      kind: 'lossy',
      missing: '0-1-100',
    });
  });

  it('is asked only when the ackers do not cover', () => {
    expect(judge({ oldBinlogEnd: '0-1-999' })).toMatchObject({ kind: 'lossless', by: 'ackers' });
  });

  it('never claims lossless for a winner that lacks a transaction of that log', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (end, received) => {
        const coverage = judge({
          ...uncovered,
          winnerReceived: `0-1-${String(received)}`,
          oldBinlogEnd: `0-1-${String(end)}`,
        });
        expect(coverage.kind).toBe(end <= received ? 'lossless' : 'lossy');
      }),
    );
  });
});

describe('coverage under a known lineage', () => {
  const lineage = [
    { epoch: 2, serverId: 2, start: '' },
    { epoch: 5, serverId: 1, start: '0-2-60' },
  ];
  const uncovered = { contributors: [], lineage };

  it('takes what came before a position as held, by the winner and by the old primary', () => {
    expect(judge({ ...uncovered, winnerReceived: '0-1-100', oldBinlogEnd: '0-2-60,0-1-100' })).toMatchObject({
      kind: 'lossless',
      by: 'old-binlog',
    });
    expect(judge({ ...uncovered, winnerReceived: '0-2-60,0-1-100', oldBinlogEnd: '0-1-100' })).toMatchObject({
      kind: 'lossless',
    });
  });

  it('is not satisfied by a winner that holds what was cut off in place of the history', () => {
    expect(judge({ ...uncovered, winnerReceived: '0-2-105', oldBinlogEnd: '0-1-100' })).toMatchObject({
      kind: 'lossy',
      missing: '0-1-100',
    });
  });
});
