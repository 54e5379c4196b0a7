import type { CatalogueEntry } from '../../activities/catalogue.ts';
import { CATALOGUE } from '../../activities/catalogue.ts';
import { allCells } from '../matrix/cells.ts';
import type { Scenario } from '../play.ts';

/** One worker that is frozen in an activity, and thaws when the run is over. */
export interface Attempt {
  readonly id: string;
  readonly scenario: Scenario;
  readonly activity: string;
  readonly point: string;
  /** Null: it is frozen where it is held. Otherwise so many milliseconds after it was let go from there. */
  readonly afterMs: number | null;
}

/** A small generator of its own: a seed means the same attempts on every machine. Source: Numerical Recipes, ranqd1. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const LONGEST_MS = 1_500;

/** Goes round all activities that change something; every third time at a random instant. */
export function planAttempts(count: number, seed: number): readonly Attempt[] {
  const random = randomFrom(seed);
  const entries: readonly (readonly [string, CatalogueEntry])[] = Object.entries(CATALOGUE);
  const changing = entries.filter(([, { changes }]) => changes);
  const told = allCells().filter((cell) => cell.witness !== 'nothing');
  return Array.from({ length: count }, (_, index): Attempt => {
    const [activity, { steps }] = changing[index % changing.length] ?? ['', { changes: true, steps: [] }];
    const places = [activity, ...steps.map((step) => `${activity}.${step}`)];
    const points = places.flatMap((place) => [`${place}:before`, `${place}:after`]);
    const isRandom = Math.floor(index / changing.length) % 3 === 2;
    const point = isRandom ? `${activity}:before` : (points[random(points.length)] ?? '');
    const afterMs = isRandom ? random(LONGEST_MS) : null;
    const cells = told.filter((one) => one.activity === activity);
    // A step may be reached in a story of its own.
    const cell = cells.find((one) => one.incident.point === point) ?? cells[0];
    if (cell === undefined) throw new Error(`no story reaches ${activity}`);
    const when = afterMs === null ? '' : ` +${String(afterMs)} ms`;
    return { id: `${String(index + 1)} ${point}${when}`, scenario: cell.scenario, activity, point, afterMs };
  });
}
