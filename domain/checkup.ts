/** `not-asked`: something before it has to be mended first. */
export type CheckState = 'ok' | 'bad' | 'not-asked';

/** One thing that Standfast needs, as it was found. */
export interface Check {
  readonly code: string;
  /** A host, `this machine`, or `Temporal`. */
  readonly where: string;
  readonly state: CheckState;
  /** What was found; of what was not asked, why. */
  readonly says: string;
  /** What mends it; of nothing else. */
  readonly fix: string | null;
}

type Place = Pick<Check, 'code' | 'where'>;

export const fine = (place: Place, says: string): Check => ({ ...place, state: 'ok', says, fix: null });

export const wrong = (place: Place, says: string, fix: string): Check => ({ ...place, state: 'bad', says, fix });

export const notAsked = (place: Place, says: string): Check => ({ ...place, state: 'not-asked', says, fix: null });

export interface CheckCounts {
  readonly ok: number;
  readonly bad: number;
  readonly notAsked: number;
}

export const countChecks = (checks: readonly Check[]): CheckCounts => ({
  ok: checks.filter(({ state }) => state === 'ok').length,
  bad: checks.filter(({ state }) => state === 'bad').length,
  notAsked: checks.filter(({ state }) => state === 'not-asked').length,
});
