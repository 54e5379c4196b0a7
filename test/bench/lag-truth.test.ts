import { expect, it } from 'vitest';
import { sampleOf } from '../../bench/lag-truth.ts';

const said = (lagMs: number, errorMs = 5) => ({
  ...{ cluster: 'shop', host: 'db3', at: new Date(1_000).toISOString(), gtidGap: null, clock: null, why: null },
  lag: { lagMs, errorMs },
});
const truth = (atMs: number, lagMs: number) => ({ atMs, lagMs, errorMs: 1, byHandMs: 0 });

it('is off by what lies outside the truth before and after', () => {
  const seen = [truth(990, 300), truth(996, 306), truth(1_002, 0), truth(1_008, 0)];
  expect(sampleOf(said(150), seen)).toEqual([{ offMs: 0, isWithin: true }]);
  expect(sampleOf(said(310), seen)).toEqual([{ offMs: 4, isWithin: true }]);
  expect(sampleOf(said(316), seen)).toEqual([{ offMs: 10, isWithin: false }]);
});

it('is off by what is missing, and says nothing where nobody looked at the truth', () => {
  expect(sampleOf(said(40), [truth(996, 50), truth(1_002, 56)])).toEqual([{ offMs: 10, isWithin: false }]);
  expect(sampleOf(said(40), [truth(970, 50), truth(1_002, 56)])).toEqual([]);
  expect(sampleOf(said(40), [truth(996, 50)])).toEqual([]);
});
