import type { ListedDelay } from '../client/index.ts';
import type { Truth } from './lag-process.ts';

/** What the watcher said, against the truth. */
export interface Sample {
  /** Milliseconds. */
  readonly offMs: number;
  /** Whether the truth can lie within the error that was stated. */
  readonly isWithin: boolean;
}

/** The looks at the truth before and after the instant that the watcher speaks of are at most so far from it. */
const NEAR_MS = 20;

/** A lag can end between two looks, so the truth of an instant is anything between them. @returns nothing where there are no such looks */
export function sampleOf({ at, lag }: ListedDelay, seen: readonly Truth[]): readonly Sample[] {
  const atMs = Date.parse(at);
  const after = seen.findIndex((one) => one.atMs > atMs);
  const around = [seen[after - 1], seen[after]].flatMap((one) =>
    one !== undefined && Math.abs(one.atMs - atMs) <= NEAR_MS ? [one] : [],
  );
  if (lag === null || around.length < 2) return [];
  const least = Math.min(...around.map((one) => one.lagMs));
  const most = Math.max(...around.map((one) => one.lagMs));
  const offMs = Math.max(0, lag.lagMs - most, least - lag.lagMs);
  return [{ offMs, isWithin: offMs <= lag.errorMs + Math.max(...around.map((one) => one.errorMs)) }];
}
