import assert from 'node:assert/strict';
import type { Acceptance } from '../../../domain/acceptance.ts';
import type { Epoch, HostName } from '../../../domain/cluster.ts';
import type { FenceProof } from '../../../domain/report.ts';
import type { Circumstances } from './attempt.ts';
import { attempt } from './attempt.ts';
import type { SimulatedShop } from './shop.ts';

export const RUN = { cluster: 'shop', run: 'run-5' };

interface Asked {
  readonly run?: string;
  readonly accepted?: Acceptance;
}

export const fence = (shop: SimulatedShop, how: Circumstances & Asked = {}) =>
  attempt(shop, 'fenceAndDrain', {
    ...how,
    input: { ...RUN, run: how.run ?? RUN.run, candidate: null, accepted: how.accepted ?? null },
  });

export interface Decided {
  readonly winner: HostName;
  readonly fence: FenceProof;
  readonly epoch: Epoch;
}

/** Fences and drains, which has to come to its end. */
export const decide = async (shop: SimulatedShop): Promise<Decided> => readyOf(await fence(shop));

export function readyOf(outcome: Awaited<ReturnType<typeof fence>>): Decided {
  if (outcome.kind !== 'done' || outcome.value.kind !== 'ready')
    assert.fail(`nobody was elected: ${JSON.stringify(outcome)}`);
  const { winner, epoch, decision } = outcome.value;
  return { winner, epoch, fence: decision.fence };
}

export const promote = (shop: SimulatedShop, decided: Decided, how: Circumstances = {}) =>
  attempt(shop, 'promoteAndRoute', { ...how, input: { ...RUN, ...decided } });

export const open = (shop: SimulatedShop, host: HostName, how: Circumstances = {}) =>
  attempt(shop, 'openPrimary', { ...how, input: { ...RUN, host } });

/** Position of the first effect that matches; an effect that did not happen is infinitely late. */
export function firstOf(shop: SimulatedShop, effect: RegExp): number {
  const found = shop.log.findIndex((event) => effect.test(event));
  return found === -1 ? Infinity : found;
}

/** The n-th effect that matches, 1 being the first. */
export function nthOf(shop: SimulatedShop, effect: RegExp, n: number): number {
  const found = shop.log.flatMap((event, index) => (effect.test(event) ? [index] : []));
  return found[n - 1] ?? Infinity;
}
