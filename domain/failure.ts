/** The stable codes of every failure that leaves Standfast; docs/failures.md explains them to people. */
export const FAILURE_TYPES = {
  Unreachable: { retried: true, means: 'no connection, or no answer in time' },
  NotYet: { retried: true, means: 'progress is expected' },
  Unverified: { retried: true, means: 'acted, but the effect was not seen' },
  Stale: { retried: false, means: 'the world, or the epoch, changed since the decision' },
  Unsafe: { retried: false, means: 'refused by a safety rule; a person decides' },
  BadInput: { retried: false, means: 'refused at the boundary' },
  Busy: { retried: false, means: 'another operation holds the cluster' },
  Unhealthy: { retried: false, means: 'a verification ended with a bad verdict' },
} as const satisfies Record<string, { retried: boolean; means: string }>;

export type FailureType = keyof typeof FAILURE_TYPES;

export const isFailureType = (value: unknown): value is FailureType =>
  typeof value === 'string' && Object.hasOwn(FAILURE_TYPES, value);

export const NEVER_RETRIED: readonly FailureType[] = (Object.keys(FAILURE_TYPES) as FailureType[]).filter(
  (type) => !FAILURE_TYPES[type].retried,
);
