import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';

const VOTES_HOLD_MS = 5_000;

/** The instant at which a majority agreed that a primary is dead, on this worker's monotonic clock. */
export interface Agreement {
  readonly primary: HostName;
  readonly agreedAt: number;
}

export const agreedNow = (primary: HostName): Agreement => ({ primary, agreedAt: performance.now() });

/**
 * Votes expire: a worker that was frozen between the votes and the act would fence a primary that came back meanwhile.
 * @throws AdapterFailure `Unverified`: the next attempt observes again
 */
export function requireFresh({ primary, agreedAt }: Agreement): void {
  const ageMs = performance.now() - agreedAt;
  if (ageMs <= VOTES_HOLD_MS) return;
  throw new AdapterFailure({
    type: 'Unverified',
    host: primary,
    message: `the votes that ${primary} is dead are ${String(Math.round(ageMs))} ms old (${String(VOTES_HOLD_MS)} at most); it was not fenced, and is observed again`,
  });
}
