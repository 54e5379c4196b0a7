/** How far something that only moves forward has come, and when it was last seen to move, on a monotonic clock. */
export interface Progress {
  readonly position: string;
  readonly movedAtMs: number;
}

export const noteProgress = (before: Progress | null, now: { position: string; atMs: number }): Progress =>
  before?.position === now.position ? before : { position: now.position, movedAtMs: now.atMs };

/** One transaction can take long to apply, so only a long standstill means that nothing will come. */
export const standsStill = (progress: Progress, now: { atMs: number; forMs: number }): boolean =>
  now.atMs - progress.movedAtMs >= now.forMs;

/** The phase of a run that stands still until a person has answered. */
export const ASKS_A_PERSON = 'asks a person';
