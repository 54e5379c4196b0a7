import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { forgetSource } from '../adapters/mariadb.ts';
import { continuing, hostThatIsOff } from './continuing.ts';
import type { Activities } from './contract.ts';
import { primaryOf } from './electing.ts';
import { observe } from './observing.ts';
import { runEventsOf } from './running-events.ts';
import type { StepHooks } from './steps.ts';
import { inSteps } from './steps.ts';

export const settlingActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'settleCluster'> => ({
  settleCluster: ({ cluster, run, primary, epoch, fence = null }) =>
    inSteps(hooks, async (steps) => {
      const managed = await ports.cluster(cluster);
      const authority = await continuing(managed, { run, winner: primary, epoch, fence }, steps);
      const now = primaryOf(managed, await observe(managed, hostThatIsOff(fence)));
      if (now !== primary)
        throw new AdapterFailure({
          type: 'Stale',
          host: primary,
          message: `${now} is primary by now; nothing was settled on ${primary}`,
        });
      await authority.withSession(primary, forgetSource);
      const databases = managed.description.hosts.map((host) => host.name);
      const kept = authority.members.filter((member) => databases.includes(member));
      await Promise.all(kept.map((host) => authority.order(host, 'release-relay')));
      return { events: await runEventsOf(authority, primary) };
    }),
});
