import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Acceptance } from '../domain/acceptance.ts';
import type { Transition } from '../domain/watch.ts';

/**
 * A person's answer to what a run cannot prove: `{ by, reason, fence?, loss? }`. Refused at once, and not part of the history, when the run asks
 * nothing, when nobody is named, or when it leaves open what is asked.
 * @returns the acceptance as it was taken
 */
export const acceptUpdate = defineUpdate<Acceptance, [unknown]>('accept');

/** The watcher, to whatever else holds the cluster's lock: the primary died, and why it is thought so. An operation before its point of no return gives the lock up. */
export const primaryDeadSignal = defineSignal<[string]>('primaryDead');

/** The watcher tells its run what has become different, oldest first. */
export const transitionsSignal = defineSignal<[readonly Transition[]]>('transitions');
