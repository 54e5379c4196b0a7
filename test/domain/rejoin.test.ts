import { describe, expect, it } from 'vitest';
import { parseGtids, renderGtids } from '../../domain/gtid.ts';
import type { Lineage } from '../../domain/lineage.ts';
import { compareWithPrimary, describeTails, rebuildRemedy } from '../../domain/rejoin.ts';
import type { Tail } from '../../domain/tail.ts';

const compare = (own: string, primary: string, lineage: Lineage = []) => {
  const { extra, shared, isRelated } = compareWithPrimary(parseGtids(own), parseGtids(primary), lineage);
  return { extra: renderGtids(extra), shared: renderGtids(shared), isRelated };
};

describe('a host that comes back', () => {
  it('is clean when the primary has all of it', () => {
    expect(compare('0-1-100', '0-1-100,0-2-120')).toEqual({ extra: '', shared: '0-1-100,0-2-120', isRelated: true });
    expect(compare('0-1-90', '0-1-100')).toMatchObject({ extra: '' });
  });

  it('has diverged by what it wrote and the primary never had, in any domain', () => {
    expect(compare('0-1-105', '0-1-100,0-2-120')).toMatchObject({ extra: '0-1-105' });
    expect(compare('0-1-100,7-1-3', '0-1-100,7-1-1')).toMatchObject({ extra: '7-1-3' });
  });

  it('has diverged although a later term of the same server used greater numbers', () => {
    const lineage: Lineage = [
      { epoch: 1, serverId: 1, start: '' },
      { epoch: 2, serverId: 2, start: '0-1-100' },
      { epoch: 3, serverId: 1, start: '0-1-100,0-2-110' },
    ];
    // 0-1-105 was written beside 0-2-101; the primary's 0-1-120 is of its second term.
    const { extra, shared } = compare('0-1-105', '0-2-110,0-1-120', lineage);
    expect(extra).toContain('0-1-105');
    expect(parseGtids(shared).get('0-1')).toBe(100n);
  });

  it('is a stranger when no server wrote in both', () => {
    expect(compare('0-3-5', '0-1-100')).toMatchObject({ isRelated: false });
    expect(compare('', '0-1-100')).toMatchObject({ isRelated: false });
  });
});

const tail = (count: number, changes: Partial<Tail> = {}): Tail => ({
  ...{ name: count === 0 ? '' : '7-binlog', count, upTo: '', held: '', complete: true, why: '', bytes: 9, sha256: '' },
  gtids: Array.from({ length: count }, (_, at) => `0-1-${String(101 + at)}`),
  ...changes,
});

describe('what only a host has', () => {
  it('is counted, named, and placed', () => {
    expect(describeTails('db1', [tail(2)])).toBe(
      'db1 holds 2 transactions that nobody else has: 0-1-101, 0-1-102; they are in /var/lib/standfast/quarantine/7-binlog on db1',
    );
    expect(describeTails('db1', [tail(12)])).toContain('0-1-110 and 2 more;');
    expect(describeTails('db1', [tail(1), tail(1, { name: '7-relay' })])).toContain('holds 2 transactions');
  });

  it('is said to be unknown when its logs cannot be read', () => {
    expect(describeTails('db1', [tail(0, { complete: false, why: 'log 3 can be read up to byte 99' })])).toBe(
      'db1 may hold transactions that nobody else has; not everything could be read: log 3 can be read up to byte 99',
    );
  });

  it('is read before the host is emptied, and its fence goes last', () => {
    const remedy = rebuildRemedy('shop', 'db1', [tail(2)]);
    const order = ['tail.sql', 'discard-data host=db1', 'standfast provision shop db1'].map((word) =>
      remedy.indexOf(word),
    );
    expect(order).toEqual([...order].sort((left, right) => left - right));
    expect(order).not.toContain(-1);
  });

  it('is all that is left of what could not be read, and then it is not thrown away', () => {
    const remedy = rebuildRemedy('shop', 'db1', [tail(2), tail(0, { complete: false, why: 'log 3 is damaged' })]);
    expect(remedy).toMatch(
      /^not everything that only db1 has could be read, so keep its data: .* out of it, .*discard-data/,
    );
    expect(remedy).not.toContain('tail.sql');
  });
});
