import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeHost, majorityOf, memberNames } from '../../domain/cluster.ts';
import { answeredRecords, observationOf } from '../../domain/observation.ts';
import {
  explainUndecided,
  newestEpoch,
  recordedLineage,
  recordedPrimary,
  recordedSync,
  withPromotion,
  witnessesOf,
} from '../../domain/records.ts';
import { DB2, LOSSLESS, records, seen, SHOP, silence, witness } from './shop.ts';

const at = (epoch: number, host: string) => records({ primary: { epoch, host } });
const blank = records({ epoch: null, primary: null, sync: null });

describe('the members of a cluster', () => {
  it('are its database hosts and its witnesses', () => {
    expect(memberNames({ ...SHOP, witnesses: ['wit1'] })).toEqual(['db1', 'db2', 'db3', 'wit1']);
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i need %i for a majority', (members, majority) => {
    expect(majorityOf(members)).toBe(majority);
  });

  it('never leave two disjoint majorities', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 99 }), (members) => 2 * majorityOf(members) > members));
  });

  it('are found by name, and a stranger is named in the error', () => {
    expect(describeHost(SHOP, 'db2')).toBe(DB2);
    expect(() => describeHost(SHOP, 'db9')).toThrow('db9 is not a database host of shop');
    expect(() => observationOf(seen(), 'db9')).toThrow('db9 was not observed in shop');
  });

  it('that do not answer give no record', () => {
    const observation = seen({ db3: { helper: silence() } });
    expect(answeredRecords(observation)).toHaveLength(2);
    expect(answeredRecords({ ...observation, hosts: [...observation.hosts, witness('wit1')] })).toHaveLength(3);
  });
});

describe('the newest epoch', () => {
  it('is none before anything was claimed', () => {
    expect(newestEpoch([])).toBeNull();
    expect(newestEpoch([blank, blank])).toBeNull();
  });

  it('is the highest of any single member, with its run', () => {
    expect(newestEpoch([records(), blank, records({ epoch: { number: 9, run: 'r' } })])).toEqual({
      number: 9,
      run: 'r',
    });
  });
});

describe('the recorded primary', () => {
  it('is unknown while those who are silent may be a majority that knows better, and the sentence counts them', () => {
    expect(recordedPrimary([at(4, 'db1')], 3)).toEqual({ kind: 'undecided', why: '1 of 3 members answered' });
    expect(recordedPrimary([at(4, 'db1')], 4)).toEqual({ kind: 'undecided', why: '1 of 4 members answered' });
    expect(recordedPrimary([], 2)).toEqual({ kind: 'undecided', why: '0 of 2 members answered' });
  });

  it('is known to one of two hosts: no majority was ever without it', () => {
    expect(recordedPrimary([at(4, 'db1')], 2)).toMatchObject({ kind: 'known', record: { host: 'db1' } });
  });

  it('is asked of so many that the others are no majority', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        (members) =>
          members - witnessesOf(members) < majorityOf(members) && witnessesOf(members) <= majorityOf(members),
      ),
    );
  });

  it('is nothing when a majority answers and none has a record', () => {
    expect(recordedPrimary([blank, blank], 3)).toEqual({ kind: 'nothing' });
  });

  it('is the newest record of the majority, also when one member alone holds it', () => {
    expect(recordedPrimary([at(4, 'db1'), at(7, 'db2'), blank], 3)).toEqual({
      kind: 'known',
      record: { epoch: 7, host: 'db2' },
    });
  });

  it('is not guessed when two members disagree about the same epoch', () => {
    expect(recordedPrimary([at(7, 'db1'), at(7, 'db2'), at(4, 'db1')], 3)).toEqual({
      kind: 'undecided',
      why: 'members disagree about the record of epoch 7',
    });
  });

  it('is known although members disagree about an older epoch', () => {
    expect(recordedPrimary([at(4, 'db1'), at(4, 'db2'), at(7, 'db3')], 3)).toMatchObject({
      kind: 'known',
      record: { host: 'db3' },
    });
  });

  it('does not depend on the order of the answers', () => {
    const answer = fc.record({ epoch: fc.integer({ min: 1, max: 3 }), host: fc.constantFrom('db1', 'db2') });
    fc.assert(
      fc.property(
        fc
          .array(answer, { minLength: 2, maxLength: 5 })
          .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const read = (from: typeof list) =>
            recordedPrimary(
              from.map((one) => at(one.epoch, one.host)),
              from.length,
            );
          expect(read(shuffled)).toEqual(read(list));
        },
      ),
    );
  });
});

describe('the recorded acknowledgement', () => {
  it('is the newest one, so a fall back to async is not overlooked', () => {
    const fallen = { epoch: 6, mode: 'async', ackers: [], k: 0 } as const;
    expect(recordedSync([records(), records({ sync: fallen })], 3)).toEqual({ kind: 'known', record: fallen });
  });

  it('is known when the members wrote the same thing', () => {
    expect(recordedSync([records(), records(), blank], 3)).toEqual({ kind: 'known', record: LOSSLESS });
  });

  it('is lossless as soon as one member has that last word of an admission, whose epoch began with async', () => {
    const admitting = records({ sync: { ...LOSSLESS, mode: 'async' } });
    for (const found of [
      [admitting, records()],
      [records(), admitting],
    ])
      expect(recordedSync(found, 3)).toEqual({ kind: 'known', record: LOSSLESS });
  });

  it('is not guessed when two members name different ackers at the same epoch', () => {
    const other = records({ sync: { ...LOSSLESS, ackers: ['db3'] } });
    expect(recordedSync([records(), other], 3)).toMatchObject({ kind: 'undecided' });
  });
});

describe('the recorded lineage', () => {
  const first = { epoch: 2, serverId: 1, start: '' };
  const second = { epoch: 5, serverId: 2, start: '0-1-102' };
  const third = { epoch: 8, serverId: 1, start: '0-1-102,0-2-108' };
  const knowing = (...lineage: readonly (typeof first)[]) => records({ lineage });

  it('is every promotion that a member of a majority recorded, oldest first', () => {
    expect(recordedLineage([knowing(third), knowing(first, second)], 3)).toEqual([first, second, third]);
  });

  it('is the same in any order of the members', () => {
    expect(recordedLineage([knowing(first, second), knowing(third)], 3)).toEqual([first, second, third]);
  });

  it('is unknown when fewer than a majority answer: the newest promotion may be missing', () => {
    expect(recordedLineage([knowing(first, second)], 3)).toEqual([]);
  });

  it('begins after a promotion about which two members disagree', () => {
    const other = { ...second, start: '0-1-103' };
    expect(recordedLineage([knowing(first, second, third), knowing(first, other, third)], 3)).toEqual([third]);
    expect(recordedLineage([knowing(first, second), knowing(first, { ...second, serverId: 3 })], 3)).toEqual([]);
  });

  it('is unknown when nobody recorded one', () => {
    expect(recordedLineage([records(), records()], 3)).toEqual([]);
  });

  it('grows by a promotion, and not when the same server is opened again', () => {
    expect(withPromotion([first], second)).toEqual([first, second]);
    expect(withPromotion([first, second], { epoch: 8, serverId: 2, start: '0-2-30' })).toEqual([first, second]);
    expect(withPromotion([first, second], third)).toEqual([first, second, third]);
  });
});

describe('a member that was off', () => {
  const booted = (epoch: number, host: string) => records({ primary: { epoch, host }, standing: 'booted' });
  const sure = (epoch: number, host: string) => records({ primary: { epoch, host }, standing: 'sure' });

  it('does not decide alone, nor with another that does not count', () => {
    expect(recordedPrimary([booted(4, 'db1')], 2)).toEqual({
      kind: 'undecided',
      why: '1 of 2 members answered, and 1 may have been replaced as primary while it was off, so its records may be old',
    });
    expect(recordedPrimary([booted(4, 'db1'), sure(4, 'db1')], 3)).toMatchObject({ kind: 'undecided' });
  });

  it('is heard beside enough that count, also when its record is the newest', () => {
    expect(recordedPrimary([booted(4, 'db1'), sure(7, 'db2')], 2)).toMatchObject({ record: { host: 'db2' } });
    expect(recordedPrimary([booted(9, 'db1'), sure(7, 'db2')], 2)).toMatchObject({ record: { host: 'db1' } });
  });

  it('decides with all others: nothing can be recorded elsewhere', () => {
    expect(recordedPrimary([booted(4, 'db1'), booted(7, 'db2'), booted(4, 'db1')], 3)).toMatchObject({
      kind: 'known',
      record: { host: 'db2' },
    });
  });

  it('and lost its memory may be that elsewhere, unless nobody ever had one', () => {
    const empty = records({ epoch: null, primary: null, sync: null, standing: 'blank' });
    expect(recordedPrimary([booted(4, 'db1'), empty], 2)).toMatchObject({
      kind: 'undecided',
      why: expect.stringContaining('1 remembers nothing'),
    });
    expect(recordedPrimary([empty, empty], 3)).toMatchObject({ kind: 'undecided' });
    expect(recordedPrimary([empty, empty, empty], 3)).toEqual({ kind: 'nothing' });
    expect(recordedPrimary([sure(4, 'db1'), sure(4, 'db1'), empty], 3)).toMatchObject({ kind: 'known' });
  });

  it('is named to the person who has to decide, with whom to bring back and what to say', () => {
    const all = ['db1', 'db2'];
    expect(explainUndecided('1 of 2 members answered', { all, answers: new Map([['db1', booted(4, 'db1')]]) })).toBe(
      'what is recorded is not known: 1 of 2 members answered; bring back db2, or, if nobody was made primary while db1 was off, say so as root on db1: standfast-host vouch',
    );
    expect(explainUndecided('0 of 2 members answered', { all, answers: new Map() })).toMatch(/bring back db1 or db2$/);
  });
});
