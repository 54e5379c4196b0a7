import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../domain/failure.ts';
import { FAILURE_TYPES } from '../domain/failure.ts';

type Facts = Readonly<Record<string, unknown>>;

/** The one place that makes a failure: a stable type, one sentence, small facts. Whether it is retried follows from the type. */
export const failure = (type: FailureType, message: string, facts: Facts = {}): ApplicationFailure =>
  failureFrom(undefined, { type, message, facts });

/** A failure that keeps what led to it. */
export function failureFrom(
  cause: Error | undefined,
  { type, message, facts }: { readonly type: FailureType; readonly message: string; readonly facts: Facts },
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    details: [facts],
    nonRetryable: !FAILURE_TYPES[type].retried,
    ...(cause === undefined ? {} : { cause }),
  });
}
