import type { Ports } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { isClaimOf } from '../domain/cluster.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities, OfOperation } from './contract.ts';
import { followersOf, primaryOf } from './electing.ts';
import { observe } from './observing.ts';
import { openRecorded } from './opening.ts';
import { startReceiver } from './receivers.ts';
import { releaseRelayLogs } from './releasing.ts';
import { runEventsOf } from './running-events.ts';
import type { StepHooks } from './steps.ts';
import { inSteps } from './steps.ts';
import { NOTHING_UNDONE, undoAll } from './undoing.ts';

async function undoFence(
  ports: Ports,
  hooks: StepHooks,
  { cluster, run }: OfOperation,
): ReturnType<Activities['undoFence']> {
  return inSteps(hooks, async (steps) => {
    const managed = await ports.cluster(cluster);
    const seen = await observe(managed);
    // Without a claim of this run nothing was done, and there is nothing to undo.
    if (!answeredRecords(seen).some((records) => isClaimOf(records.epoch, run))) return NOTHING_UNDONE;
    const primary = primaryOf(managed, seen);
    const authority = await claimEpoch(managed, { run, claimant: steps.claimant, include: [] });
    const started: HostName[] = [];
    return undoAll([
      ...followersOf(seen, primary).map((host) => ({
        what: `receiver of ${host} started`,
        work: async () => {
          await startReceiver(authority, host, steps.signal);
          started.push(host);
        },
      })),
      ...(isAnswering(observationOf(seen, primary).helper)
        ? [
            {
              what: `${primary} opened again`,
              work: async () => {
                await openRecorded(authority, primary, steps);
                // What could not be read of the others is kept for a person.
                await releaseRelayLogs(authority, { primary, hosts: [primary, ...started] });
              },
            },
            ...(managed.events ? [{ what: `events of ${primary} run`, work: () => runAgain(authority, primary) }] : []),
          ]
        : [
            {
              what: `${primary} opened again`,
              work: () => Promise.reject(new Error('its host does not answer; it stays closed when it returns')),
            },
          ]),
    ]);
  });
}

/** Its server was started with the scheduler off. What was left off before this run stays so, and is not told again. */
async function runAgain(authority: Authority, primary: HostName): Promise<void> {
  const { fault } = (await runEventsOf(authority, primary)) ?? {};
  if (fault !== undefined) throw new Error(fault);
}

export const unfencingActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'undoFence'> => ({
  undoFence: (input) => undoFence(ports, hooks, input),
});
