import { log } from '@temporalio/activity';
import { AdapterFailure } from '../adapters/ports.ts';
import type { Ports } from '../adapters/ports.ts';
import { failure } from '../workflows/failures.ts';
import { admittingActivities } from './admitting.ts';
import { keepBeating } from './beats.ts';
import type { Activities } from './contract.ts';
import { equippingActivities } from './equipping.ts';
import { fencingActivities } from './fencing.ts';
import { goingAsyncActivities } from './going-async.ts';
import { observingActivities } from './observing.ts';
import { openingActivities } from './opening.ts';
import { promotingActivities } from './promoting.ts';
import { provisioningActivities } from './provisioning.ts';
import { removingActivities } from './removing.ts';
import { replicatingActivities } from './replicating.ts';
import type { StepHooks } from './steps.ts';
import { unfencingActivities } from './unfencing.ts';

export type { StepHooks } from './steps.ts';

/** Every activity of the contract, over the given ports. */
export function createActivities(ports: Ports, hooks: StepHooks): Activities {
  const activities: Activities = {
    ...observingActivities(ports),
    ...equippingActivities(ports),
    ...openingActivities(ports, hooks),
    ...provisioningActivities(ports),
    ...replicatingActivities(ports),
    ...admittingActivities(ports, hooks),
    ...removingActivities(ports, hooks),
    ...goingAsyncActivities(ports, hooks),
    ...fencingActivities(ports, hooks),
    ...unfencingActivities(ports, hooks),
    ...promotingActivities(ports, hooks),
  };
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [name, translated(activity as AnyActivity)]),
  ) as unknown as Activities;
}

type AnyActivity = (input: never) => Promise<unknown>;

/** Adapters' failures become Temporal's at this one border. */
const translated =
  (activity: AnyActivity): AnyActivity =>
  async (input) => {
    try {
      return await keepBeating(() => activity(input));
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      log.warn(error.message, { type: error.type, host: error.host });
      throw failure(error.type, error.message, { host: error.host, ...error.facts });
    }
  };
