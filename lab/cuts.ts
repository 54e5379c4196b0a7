import type { Cut } from './state.ts';

export type Direction = 'both' | 'a-to-b' | 'b-to-a';

/** Of a hundred packets so many are lost, both ways. */
export interface Loss {
  readonly percent: number;
}

export function cutsBetween(a: string, b: string, how: Direction | Loss): readonly Cut[] {
  const share = typeof how === 'string' ? {} : how;
  const there: Cut = { from: a, to: b, ...share };
  const back: Cut = { from: b, to: a, ...share };
  return { both: [there, back], 'a-to-b': [there], 'b-to-a': [back] }[typeof how === 'string' ? how : 'both'];
}

/** A new cut takes the place of the one that is there in its direction. */
export const withCuts = (known: readonly Cut[], added: readonly Cut[]): readonly Cut[] => [
  ...known.filter((cut) => !added.some((one) => one.from === cut.from && one.to === cut.to)),
  ...added,
];

export const withoutCuts = (known: readonly Cut[], a: string, b: string): readonly Cut[] =>
  known.filter((cut) => !([a, b].includes(cut.from) && [a, b].includes(cut.to)));
