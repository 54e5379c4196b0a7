import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import type { FenceRung, HostName } from '../domain/cluster.ts';
import { vouching } from '../domain/channels.ts';
import { judgeRevocation } from '../domain/coverage.ts';
import { diagnosePrimary } from '../domain/diagnosis.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { answeredRecords, answeredStatuses, isAnswering, observationOf } from '../domain/observation.ts';
import type { FailoverPlan, PlannedRefusal } from '../domain/plan.ts';
import { planOf } from '../domain/plan.ts';
import type { Activities } from './contract.ts';
import { clusterFor, followersOf, primaryOf, syncOf } from './electing.ts';
import type { Foreseen } from './foreseeing.ts';
import { foresee, lookAtRelayLogs, unaccepted } from './foreseeing.ts';
import { observe } from './observing.ts';
import { Refusal, refusalOf } from './refusal.ts';

/** While the primary lives and is written to, replicas are read at different instants, so that the later one seems to hold more. */
const LOOKS = 3;

/**
 * What a failover would do if the primary were dead, by its rules. Nobody waits for it, so everybody has the whole deadline of a look: a primary on a busy host is not
 * taken for a silent one. Changes nothing.
 */
export async function planFailover(cluster: ClusterPorts, candidate: HostName | null): Promise<FailoverPlan> {
  for (let look = 1; ; look += 1) {
    const { plan, isMoving } = await planNow(cluster, candidate);
    if (plan.winner !== null || !isMoving || look === LOOKS) return plan;
  }
}

interface Planned {
  readonly plan: FailoverPlan;
  /** Its primary may be writing. */
  readonly isMoving: boolean;
}

async function planNow(cluster: ClusterPorts, candidate: HostName | null): Promise<Planned> {
  const logs = lookAtRelayLogs(cluster);
  const seen = await observe(cluster);
  const primary = primaryOf(cluster, seen);
  const diagnosis = diagnosePrimary(seen, primary);
  const known = {
    ...{ cluster: cluster.description, primary, diagnosis },
    fence: rungsAtHand(cluster, seen, primary),
  };
  const isMoving = diagnosis.consequence === 'leave';
  try {
    const elected = await foresee({ cluster, seen, primary, candidate, logs, accepted: null });
    const ifHostDies = await refusalWithoutHost({ cluster, seen, primary, candidate, logs, accepted: null });
    // A failover would not go on from a diagnosis that is uncertain.
    const open = refusalOf(diagnosis) ?? unaccepted(elected.risk, { cluster, primary, accepted: null });
    const refusal = open === null ? null : inWords(open);
    return { plan: planOf({ ...known, elected, refusal, ifHostDies }), isMoving };
  } catch (error) {
    return { plan: planOf({ ...known, elected: null, refusal: inWords(error), ifHostDies: null }), isMoving };
  }
}

/** A host that dies with its server takes the fence over SSH with it, and its binary log. */
async function refusalWithoutHost(input: Foreseen): Promise<PlannedRefusal | null> {
  const { seen, primary, cluster } = input;
  if (!isAnswering(observationOf(seen, primary).helper)) return null;
  const gone = { reach: 'silent', why: 'its host would be off' } as const;
  const hosts = seen.hosts.map((entry) => (entry.host === primary ? { ...entry, helper: gone, server: gone } : entry));
  try {
    const { risk } = await foresee({ ...input, seen: { ...seen, hosts } });
    const open = unaccepted(risk, { cluster, primary, accepted: null });
    return open === null ? null : inWords(open);
  } catch (error) {
    return inWords(error);
  }
}

function inWords(error: unknown): PlannedRefusal {
  if (!(error instanceof Refusal)) throw error;
  return { explains: error.message, remedy: error.remedy, risk: error.risk };
}

function rungsAtHand(cluster: ClusterPorts, seen: ClusterObservation, primary: HostName): readonly FenceRung[] {
  const isReached = isAnswering(observationOf(seen, primary).helper);
  const revocation = judgeRevocation(
    syncOf(cluster, answeredRecords(seen)),
    vouching(followersOf(seen, primary), answeredStatuses(seen)),
  );
  const atHand: Readonly<Record<FenceRung, boolean>> = {
    ssh: isReached,
    powerOff: true,
    revocation: revocation.enough,
  };
  return cluster.description.fence.filter((rung) => atHand[rung]);
}

export const planningActivities = (ports: Ports): Pick<Activities, 'planFailover'> => ({
  planFailover: async ({ cluster, candidate }) => planFailover(await clusterFor(ports, cluster, candidate), candidate),
});
