import type { RunsPort } from '../../../adapters/ports.ts';

/** The runs that a watcher may start in a test: whatever is not given fails it. */
export function onlyRuns(given: Partial<RunsPort>): RunsPort {
  const never = (): Promise<never> => Promise.reject(new Error('nothing of the kind is to be done'));
  return {
    ...{ failOver: never, reopen: never, makeRoom: never, primaryDied: never, rehearse: never, tell: never },
    sinceLastFailover: () => Promise.resolve(null),
    ...given,
  };
}
