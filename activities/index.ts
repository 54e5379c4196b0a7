import { Context, log } from '@temporalio/activity';
import { AdapterFailure } from '../adapters/ports.ts';
import type { RunbookPorts } from '../adapters/ports.ts';
import { failure } from '../workflows/failures.ts';
import { admittingActivities } from './admitting.ts';
import { auditingActivities } from './auditing.ts';
import { keepBeating } from './beats.ts';
import { cleaningActivities } from './cleaning.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { CATALOGUE } from './catalogue.ts';
import type { Activities } from './contract.ts';
import { deposingActivities } from './deposing.ts';
import { equippingActivities } from './equipping.ts';
import { fencingActivities } from './fencing.ts';
import { filingActivities } from './filing.ts';
import { goingAsyncActivities } from './going-async.ts';
import { HandedOver } from './handing-over.ts';
import { makingRoomActivities } from './making-room.ts';
import { observingActivities } from './observing.ts';
import { openingActivities } from './opening.ts';
import { planningActivities } from './planning.ts';
import { promotingActivities } from './promoting.ts';
import { provisioningActivities } from './provisioning.ts';
import { removingActivities } from './removing.ts';
import { rejoiningActivities } from './rejoining.ts';
import { replicatingActivities } from './replicating.ts';
import { settlingActivities } from './settling.ts';
import type { StepHooks } from './steps.ts';
import { requireOurs } from './steps.ts';
import { unfencingActivities } from './unfencing.ts';

export type { StepHooks } from './steps.ts';

/** Every activity of the contract, over the given ports. */
export function createActivities(ports: RunbookPorts, given: StepHooks): Activities {
  // What is cancelled while it is held does not go on.
  const hold: StepHooks['hold'] = (point) => Promise.race([given.hold(point), Context.current().cancelled]);
  const hooks: StepHooks = { ...given, hold };
  const handedOver = new HandedOver();
  const activities: Activities = {
    ...observingActivities(ports),
    ...auditingActivities(ports),
    ...equippingActivities(ports),
    ...openingActivities(ports, hooks),
    ...provisioningActivities(ports),
    ...cleaningActivities(ports),
    ...replicatingActivities(ports),
    ...admittingActivities(ports, hooks),
    ...removingActivities(ports, hooks),
    ...goingAsyncActivities(ports, hooks),
    ...makingRoomActivities(ports, hooks),
    ...planningActivities(ports),
    ...fencingActivities(ports, hooks, handedOver),
    ...unfencingActivities(ports, hooks),
    ...deposingActivities(ports),
    ...promotingActivities(ports, hooks, handedOver),
    ...settlingActivities(ports, hooks),
    ...rejoiningActivities(ports, hooks),
    ...filingActivities(ports),
  };
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [name, atTheBorder(name, activity as AnyActivity, hooks)]),
  ) as unknown as Activities;
}

type AnyActivity = (input: never) => Promise<unknown>;

/** What every activity has in common: it beats, can be held by a test before and after its effect, and adapters' failures become Temporal's. */
const atTheBorder =
  (name: string, activity: AnyActivity, hooks: StepHooks): AnyActivity =>
  async (input) => {
    const { hold } = hooks;
    const { changes, steps }: CatalogueEntry = CATALOGUE[name as keyof Activities];
    try {
      return await keepBeating(async () => {
        await hold(`${name}:before`);
        // Where claiming is a step of its own, it is asked there.
        if (changes && !steps.includes('claim')) await requireOurs(hooks);
        const result = await activity(input);
        await hold(`${name}:after`);
        return result;
      });
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      log.warn(error.message, { type: error.type, host: error.host });
      throw failure(error.type, error.message, { host: error.host, ...error.facts });
    }
  };
