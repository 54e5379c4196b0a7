import { describe, expect, it } from 'vitest';
import type { Coverage } from '../../domain/coverage.ts';
import { judgeTail, judgeUnapplied } from '../../domain/coverage.ts';
import type { Tail } from '../../domain/tail.ts';
import { statementOf } from '../../domain/tail.ts';

const TAIL: Tail = {
  ...{ name: '7-binlog', count: 3, gtids: ['0-1-8', '0-1-9', '0-1-10'], upTo: '0-1-10', held: '0-1-10' },
  ...{ complete: true, why: '', bytes: 100, sha256: 'x' },
};
const LOSSY: Coverage = { kind: 'lossy', why: 'async', missing: '0-1-10', count: null };
const BY_ACKERS: Coverage = { kind: 'lossless', by: 'ackers', why: '2 of 2' };

describe('the tail of the old primary', () => {
  it('makes a loss none when it is applied', () => {
    expect(judgeTail(LOSSY, TAIL, 'apply')).toMatchObject({ kind: 'lossless', by: 'salvage' });
  });

  it('counts a loss when it is only kept', () => {
    expect(judgeTail(LOSSY, TAIL, 'quarantine')).toMatchObject({ kind: 'lossy', count: 3, missing: '0-1-10' });
  });

  it.each([
    ['it could not be read', null],
    ['it could not be read to its end', { ...TAIL, complete: false }],
    ['there is nothing in it', { ...TAIL, count: 0 }],
  ])('changes nothing when %s', (_when, tail) => {
    expect(judgeTail(LOSSY, tail, 'apply')).toBe(LOSSY);
  });

  it('leaves a loss that says why it could not be read to its end', () => {
    const tail = { ...TAIL, complete: false, why: 'mariadb-bin.000001 is encrypted' };
    expect(judgeTail(LOSSY, tail, 'apply')).toEqual({ ...LOSSY, why: 'async (mariadb-bin.000001 is encrypted)' });
  });

  it('is no loss where the ackers cover: nobody was told that it is done', () => {
    expect(judgeTail(BY_ACKERS, TAIL, 'quarantine')).toBe(BY_ACKERS);
  });
});

describe('a tail that could not be applied', () => {
  const SAVED: Coverage = { kind: 'lossless', by: 'salvage', why: 'applied' };
  const left = { count: 2, gtids: ['0-1-9', '0-1-10'] };

  it('is a loss where the promise rested on it', () => {
    expect(judgeUnapplied(SAVED, left, 'duplicate key')).toEqual({
      ...{ kind: 'lossy', count: 2, missing: '0-1-10' },
      why: '2 transactions of the old primary that no replica received are kept aside and not applied: duplicate key',
    });
  });

  it('is none when all of it is there after all, or where the ackers cover', () => {
    expect(judgeUnapplied(SAVED, { count: 0, gtids: [] }, '')).toBe(SAVED);
    expect(judgeUnapplied(BY_ACKERS, left, 'duplicate key')).toBe(BY_ACKERS);
  });
});

describe('the statement about it', () => {
  it('names what was applied', () => {
    expect(statementOf(TAIL, { holds: '0-1-10', why: '' })).toEqual({
      applied: { count: 3, gtids: TAIL.gtids },
      quarantined: { count: 0, gtids: [] },
      folder: '/var/lib/standfast/quarantine/7-binlog',
      why: '',
    });
  });

  it('names what was applied and what was not, after an applier that stopped half-way', () => {
    expect(statementOf(TAIL, { holds: '0-1-9', why: 'duplicate key' })).toMatchObject({
      applied: { count: 2, gtids: ['0-1-8', '0-1-9'] },
      quarantined: { count: 1, gtids: ['0-1-10'] },
      why: 'duplicate key',
    });
  });

  it('counts also what it does not name', () => {
    const long = { ...TAIL, count: 5000, upTo: '0-1-5007', held: '0-1-5007' };
    expect(statementOf(long, { holds: '0-1-5007', why: '' }).applied.count).toBe(5000);
    expect(statementOf(long, { holds: null, why: '' }).quarantined).toEqual({ count: 5000, gtids: TAIL.gtids });
  });
});
