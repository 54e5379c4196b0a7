import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '../../activities/catalogue.ts';
import type { CatalogueEntry } from '../../activities/catalogue.ts';
import { allCells, seatedTogether } from '../../chaos/matrix/cells.ts';
import { outcomeOf } from '../../chaos/matrix/sitting.ts';
import { SCENARIOS } from '../../chaos/scenarios.ts';
import { planAttempts } from '../../chaos/zombies/attempts.ts';

const cells = allCells();
const catalogue: readonly (readonly [string, CatalogueEntry])[] = Object.entries(CATALOGUE);

describe('the crash matrix', () => {
  test.each(catalogue)('kills worker and Temporal before, after and behind the report of %s', (name, { steps }) => {
    const places = [name, ...steps.map((step) => `${name}.${step}`)];
    const wanted = [...places.flatMap((place) => [`${place}:before`, `${place}:after`]), `${name}:reported`].flatMap(
      (place) => [`${place} worker`, `${place} temporal`],
    );
    const found = cells.filter((cell) => cell.activity === name).map((cell) => cell.id.replace(/^\S+ /, ''));
    expect(found).toEqual(expect.arrayContaining(wanted));
  });

  test('names every cell once and plays each in one run, at most one death in an activity', () => {
    expect(new Set(cells.map((cell) => cell.id)).size).toBe(cells.length);
    const sittings = seatedTogether(cells);
    expect(
      sittings
        .flatMap((sitting) => sitting.cells)
        .map((cell) => cell.id)
        .sort(),
    ).toEqual(cells.map((cell) => cell.id).sort());
    for (const { cells: seated } of sittings) expect(new Set(seated.map((cell) => cell.seat)).size).toBe(seated.length);
  });
});

describe('a cell', () => {
  const cell = cells.find((one) => one.id === 'failover fenceAndDrain.fence:after worker');
  if (cell === undefined) throw new Error('the cell is in the matrix');
  const sound = {
    reached: [cell.incident.point],
    broken: [],
    ending: 'done',
    seconds: 1,
    activities: [{ name: 'fenceAndDrain', completed: true, attempt: 2, worker: 'h/2' }],
  };

  test('passes when somebody else completed the activity and nothing is broken', () => {
    expect(outcomeOf(cell, sound)).toMatchObject({ broken: [] });
  });

  test.each([
    ['was never reached', { reached: [] }, /fenceAndDrain.fence:after was never reached/],
    ['was survived by its own worker', { activities: [{ ...sound.activities[0], attempt: 1 }] }, /completed again/],
    ['left its activity without an end', { activities: [{ ...sound.activities[0], completed: false }] }, /no history/],
    ['left something broken', { broken: ['I6: the VIP is on no host'] }, /I6/],
  ])('that %s has not passed', (_what, change, why) => {
    const { broken } = outcomeOf(cell, { ...sound, ...change } as typeof sound);
    expect(broken.join('; ')).toMatch(why);
  });
});

test('a worker is frozen in the story that reaches its step', () => {
  const scenarioOf = (point: string) => planAttempts(2_000, 1).find((one) => one.point === point)?.scenario;
  expect(scenarioOf('removeAcker.release:after')).toBe(SCENARIOS['remove-last-acker']);
  expect(scenarioOf('removeAcker.refuse:after')).toBe(SCENARIOS['remove-acker']);
});
