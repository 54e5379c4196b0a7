import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import { NEVER_RETRIED } from '../domain/failure.ts';

const nonRetryableErrorTypes = [...NEVER_RETRIED];

/** A cancelled run waits until the step under way has stopped: its undo must never race it. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/** Looks and small orders. */
export const brief = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '1m',
    heartbeatTimeout: '3s',
    scheduleToCloseTimeout: '5m',
    retry: {
      initialInterval: '200ms',
      backoffCoefficient: 1.5,
      maximumInterval: '5s',
      maximumAttempts: 20,
      nonRetryableErrorTypes,
    },
  });

/** The critical path: it beats every 200 ms, so that another worker goes on a second after this one died. Crashes consume attempts. */
export const critical = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '15m',
    heartbeatTimeout: '1s',
    scheduleToCloseTimeout: '30m',
    retry: {
      initialInterval: '100ms',
      backoffCoefficient: 1.5,
      maximumInterval: '2s',
      maximumAttempts: 100,
      nonRetryableErrorTypes,
    },
  });

const PROMPT_RETRY = {
  initialInterval: '100ms',
  backoffCoefficient: 1.5,
  maximumInterval: '2s',
  maximumAttempts: 20,
  nonRetryableErrorTypes,
} as const;

/** Like the critical path, but what a person can simply ask for again: it must not hold the cluster's lock for long when a host is in the way. */
export const prompt = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '2m',
    heartbeatTimeout: '1s',
    scheduleToCloseTimeout: '3m',
    retry: PROMPT_RETRY,
  });

/** As promptly given up when a host is in the way; but a host that works, recovering its server and reading all of its logs, is given the time. */
export const thorough = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '15m',
    heartbeatTimeout: '1s',
    scheduleToCloseTimeout: '15m',
    retry: PROMPT_RETRY,
  });

/** Copies and comparisons: hours are fine, silence is not. */
export const long = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '24h',
    heartbeatTimeout: '5s',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 1.5,
      maximumInterval: '10s',
      maximumAttempts: 200,
      nonRetryableErrorTypes,
    },
  });

/** Files may take hours; what cannot be reached, or is cut off again and again, is for the next run of the schedule. */
export const transfer = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '24h',
    heartbeatTimeout: '5s',
    retry: {
      initialInterval: '500ms',
      backoffCoefficient: 2,
      maximumInterval: '10s',
      maximumAttempts: 5,
      nonRetryableErrorTypes,
    },
  });

/** What has all the time in the world, and must happen. */
export const patient = (summary: string) =>
  proxyActivities<Activities>({
    summary,
    cancellationType,
    startToCloseTimeout: '2m',
    heartbeatTimeout: '5s',
    retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '15s', nonRetryableErrorTypes },
  });
