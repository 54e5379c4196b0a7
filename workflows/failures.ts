import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../domain/failure.ts';
import { FAILURE_TYPES } from '../domain/failure.ts';

/** The one place that makes a failure: a stable type, one sentence, small facts. Whether it is retried follows from the type. */
export function failure(
  type: FailureType,
  message: string,
  facts: Readonly<Record<string, unknown>> = {},
  cause?: Error,
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    details: [facts],
    nonRetryable: !FAILURE_TYPES[type].retried,
    ...(cause === undefined ? {} : { cause }),
  });
}
