import parseDuration from 'parse-duration';

/** Every number has its unit: a bare `10` would be guessed at. */
export const DURATION_PATTERN = /^(\d+(\.\d+)?(ms|s|m|h|d))+$/;

/** Milliseconds of a duration that {@link DURATION_PATTERN} matches. */
export function durationMs(text: string): number {
  const value = DURATION_PATTERN.test(text) ? parseDuration(text) : null;
  // parse-duration answers null for zero as well as for nonsense.
  if (value === null || value <= 0) return 0;
  return Math.round(value);
}
