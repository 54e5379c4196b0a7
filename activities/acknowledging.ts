import { AdapterFailure } from '../adapters/ports.ts';
import { acknowledgeNothing, waitForAcknowledgement } from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import type { GtidSet } from '../domain/gtid.ts';
import { containsGtids, parseGtids } from '../domain/gtid.ts';
import { isAnswering } from '../domain/observation.ts';
import type { Authority } from './authority.ts';
import { askServer } from './observing.ts';
import type { Steps } from './steps.ts';
import { until } from './steps.ts';

const ATTACH_MS = 10_000;
const POLL_MS = 10;

export interface Acknowledgement {
  readonly mode: 'lossless' | 'async';
  readonly ackers: readonly HostName[];
}

export const recordSync = (authority: Authority, { mode, ackers }: Acknowledgement): Promise<void> =>
  authority.record('record-sync', { mode, ackers: ackers.join(','), k: ackers.length > 0 ? '1' : '0' });

/**
 * Makes `primary` wait for `ackers`, who were told to acknowledge. `lossless` is recorded only when one of them is attached and holds everything
 * that the primary has; until then the record says `async`. Nobody in time: the policy for a primary alone.
 * @throws AdapterFailure `NotYet` when the policy is to stop
 */
export async function secureAcknowledgement(
  authority: Authority,
  work: { readonly primary: HostName; readonly ackers: readonly HostName[]; readonly steps: Steps },
): Promise<Acknowledgement> {
  const { primary, ackers, steps } = work;
  await recordSync(authority, { mode: 'async', ackers });
  if (ackers.length > 0) {
    await authority.withSession(primary, waitForAcknowledgement);
    const goal = await committedOn(authority, primary);
    const bounds = { signal: steps.signal, everyMs: POLL_MS, forMs: ATTACH_MS };
    if ((await until(() => isCovered(authority, { primary, ackers, goal }), bounds)) !== null) {
      const lossless: Acknowledgement = { mode: 'lossless', ackers };
      await recordSync(authority, lossless);
      return lossless;
    }
  }
  const { mode, alone } = authority.cluster.description;
  if (mode === 'semisync' && alone === 'stop')
    throw new AdapterFailure({
      type: 'NotYet',
      host: primary,
      message: `${primary} stays closed until a replica acknowledges (policy.alone is stop)`,
    });
  await authority.withSession(primary, acknowledgeNothing);
  return { mode: 'async', ackers };
}

/** From here on every commit waits; what was committed before is the goal that an acker has to reach. */
async function committedOn(authority: Authority, primary: HostName): Promise<GtidSet> {
  const answer = await askServer(authority.cluster, primary);
  if (isAnswering(answer)) return parseGtids(answer.status.binlogPosition);
  throw new AdapterFailure({ type: 'Unreachable', host: primary, silence: answer.reach, message: answer.why });
}

/** One acker is attached, acknowledges, and has received all of the goal. */
async function isCovered(
  authority: Authority,
  wanted: { readonly primary: HostName; readonly ackers: readonly HostName[]; readonly goal: GtidSet },
): Promise<true | null> {
  const { primary, ackers, goal } = wanted;
  const answers = await Promise.all([primary, ...ackers].map((host) => askServer(authority.cluster, host)));
  const [own, ...others] = answers.map((answer) => (isAnswering(answer) ? answer.status : null));
  if (own?.semiSync.primaryActive !== true || own.semiSync.clients === 0) return null;
  const covered = others.some(
    (acker) =>
      acker?.semiSync.replicaActive === true &&
      acker.replication?.source === primary &&
      containsGtids(receivedBy(acker), goal),
  );
  return covered ? true : null;
}
