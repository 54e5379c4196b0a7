import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { GoAsyncResult } from '../domain/report.ts';
import { recordAsync, stopWaiting } from './acknowledging.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities } from './contract.ts';
import { quieten, shutOut } from './refusing.ts';
import { requireAnswer, standingOf, whyNotAlone } from './standing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps } from './steps.ts';

/**
 * The primary goes on alone. `async` is on record before it stops waiting, since commits that waited are answered then, and are on no replica. Whoever might
 * acknowledge is told not to, or refused: it must not come back as an acker that nobody has on record.
 * @returns hosts that stay refused, with the reason
 */
export async function goAlone(
  authority: Authority,
  { primary, steps }: { readonly primary: HostName; readonly steps: Steps },
): Promise<readonly string[]> {
  const { hosts } = authority.cluster.description;
  await steps.run('record', null, () => recordAsync(authority, []));
  await steps.run('release', primary, () => stopWaiting(authority, primary));
  const others = hosts.map((host) => host.name).filter((host) => host !== primary);
  return steps.run('quieten', null, async () => {
    const refused: string[] = [];
    for (const host of others) {
      const why = await quieten(authority, { primary, host }, steps);
      if (why === null) continue;
      await shutOut(authority, { primary, host }, steps);
      refused.push(`${host} (${why})`);
    }
    return refused;
  });
}

async function checkGoingAsync(authority: Authority, { signal }: Steps): Promise<HostName> {
  const { cluster } = authority;
  const { primary } = await standingOf(cluster);
  const why = whyNotAlone(cluster, primary);
  if (why !== null) throw new AdapterFailure({ type: 'Unsafe', host: primary, message: why });
  await requireAnswer(cluster, { primary, signal });
  return primary;
}

/** What a person has to know about hosts that could not be told. */
export const refusedSentence = (primary: HostName, refused: readonly string[]): string =>
  refused.length === 0 ? '' : `. ${primary} refuses ${refused.join('; ')} until it is admitted again`;

export const goingAsyncActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'goAsync'> => ({
  goAsync: ({ cluster, run }) =>
    inSteps(hooks, async (steps): Promise<GoAsyncResult> => {
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () =>
        claimEpoch(managed, { run, claimant: steps.claimant, include: [] }),
      );
      const primary = await steps.run('check', null, () => checkGoingAsync(authority, steps));
      const refused = await goAlone(authority, { primary, steps });
      return {
        outcome: 'async',
        cluster,
        primary,
        epoch: authority.epoch,
        refused,
        timeline: steps.timeline,
        sentence: `${primary} waits for no acknowledgement any more (async): its loss can lose writes${refusedSentence(primary, refused)}`,
      };
    }),
});
