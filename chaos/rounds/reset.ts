import { LabError } from '../../lab/run.ts';
import { Runs } from '../runs.ts';
import { actOf } from './acts.ts';
import type { Plan } from './plan.ts';
import type { Stage } from './stage.ts';
import { CLUSTER, dismissWatchers, manWatchers, manWorkers } from './stage.ts';
import { untilWatched } from './watchers.ts';

const MOST_OPENINGS = 5;

/** The saved cluster again, with what the faults of the round need, open for writes, with its settings and, if so meant, its promise. */
export async function resetCluster(stage: Stage, plan: Plan): Promise<void> {
  const { lab, client } = stage;
  await dismissWatchers(stage);
  await Runs.on(stage.connection).terminateAll('its round has ended');
  await Promise.all([lab.restore(stage.saved[plan.mode]), manWorkers(stage)]);
  lab.configure(plan.settings);
  // One after the other: two that restart the server of one host would get in each other's way.
  for (const fault of plan.faults) if (fault.host !== null) await actOf(fault).prepare?.(lab.host(fault.host));
  for (let openings = 1; ; openings += 1) {
    const { mode } = await client.preparePrimary({ cluster: CLUSTER, host: 'db1' });
    if (mode === plan.mode) break;
    if (openings === MOST_OPENINGS) throw new LabError(`the cluster runs ${mode} and not ${plan.mode}`);
  }
  if (!stage.isWatched) return;
  // What restores and prepares a cluster kills servers, too: it is watched from here on.
  lab.configure({ ...plan.settings, automatic: true, cooldown: '0s' });
  await manWatchers(stage);
  await untilWatched(stage);
}
