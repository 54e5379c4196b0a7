import { describe, expect, test } from 'vitest';
import { BREAKAGES, KILLS } from '../../chaos/files/faults.ts';
import { lostFiles } from '../../chaos/files/judge.ts';
import { composeFilesRound, describeFilesRound } from '../../chaos/files/plan.ts';

const rounds = Array.from({ length: 250 }, (_, index) => composeFilesRound({ seed: 1, round: index + 1 }));

describe('the plan of a campaign with files', () => {
  test('is the same for a seed, and another one for another', () => {
    const again = (seed: number) => describeFilesRound(composeFilesRound({ seed, round: 7 }));
    expect(again(1)).toBe(again(1));
    expect(rounds.map(({ kind }) => kind)).not.toEqual(
      rounds.map(({ round }) => composeFilesRound({ seed: 2, round }).kind),
    );
  });

  test('has 200 destructive rounds of every kind, also in the middle of a run, and 50 kills of every kind', () => {
    const kinds = (of: readonly string[]) => rounds.filter(({ kind }) => of.includes(kind));
    expect(kinds(KILLS)).toHaveLength(50);
    expect(kinds(Object.keys(BREAKAGES))).toHaveLength(200);
    expect(new Set(rounds.map(({ kind }) => kind)).size).toBe(KILLS.length + Object.keys(BREAKAGES).length);
    for (const kind of Object.keys(BREAKAGES))
      expect(new Set(kinds([kind]).map(({ afterMs }) => afterMs === null)).size).toBe(2);
  });
});

describe('a file of a target', () => {
  const line = (content: string, name: string) => `${content.repeat(64)}  ${name}`;
  const before = [line('a', './one'), line('b', './two')].join('\n');

  test('is lost when it is neither in its place nor set aside', () => {
    expect(lostFiles(before, { files: line('b', './two'), aside: '' }, new Set())).toEqual([line('a', './one')]);
    expect(lostFiles(before, { files: line('c', './one'), aside: '' }, new Set(['./two']))).toEqual([
      line('a', './one'),
    ]);
  });

  test('is not when it is there, was set aside, or was deleted by the application', () => {
    expect(lostFiles(before, { files: before, aside: '' }, new Set())).toEqual([]);
    expect(lostFiles(before, { files: line('b', './two'), aside: line('a', 'X/one') }, new Set())).toEqual([]);
    expect(lostFiles(before, { files: line('b', './two'), aside: '' }, new Set(['./one']))).toEqual([]);
  });
});
