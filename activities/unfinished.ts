import type { ClusterPorts } from '../adapters/ports.ts';
import type { Acceptance } from '../domain/acceptance.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { NOTHING_TO_SALVAGE } from '../domain/tail.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { isAnswering, observationOf } from '../domain/observation.ts';
import { claimEpoch } from './claiming.ts';
import type { Fenced } from './contract.ts';
import type { Steps } from './steps.ts';

/** What one failover works on. */
export interface Case {
  readonly cluster: ClusterPorts;
  readonly primary: HostName;
  readonly candidate: HostName | null;
  /** What a person answers for. */
  readonly accepted: Acceptance | null;
  readonly run: string;
  readonly steps: Steps;
}

/**
 * The recorded primary is closed and still has the channel of a replica: a failover that was ended after it had recorded its decision. Going on is all
 * that is left; the old primary was proven fenced before the record was written, and stays closed since.
 */
export async function goOn(
  found: Case,
  { seen, diagnosis }: { readonly seen: ClusterObservation; readonly diagnosis: Diagnosis },
): Promise<Fenced | null> {
  const { cluster, primary, run, steps } = found;
  const { server } = observationOf(seen, primary);
  const oldPrimary = isAnswering(server) ? (server.status.replication?.source ?? null) : null;
  if (diagnosis.consequence !== 'reopen' || oldPrimary === null || oldPrimary === primary) return null;
  const authority = await steps.run('claim', null, () =>
    claimEpoch(cluster, { run, claimant: steps.claimant, include: [primary], primary }),
  );
  const why = 'decided and proven by the earlier run that recorded the promotion';
  return {
    kind: 'ready',
    winner: primary,
    epoch: authority.epoch,
    decision: {
      diagnosis,
      votes: [],
      fence: { rung: 'earlier', host: oldPrimary, proof: why },
      coverage: { kind: 'lossy', why: `what may be missing was ${why}; its result says it`, missing: '', count: null },
      salvage: NOTHING_TO_SALVAGE,
      accepted: null,
    },
    timeline: steps.timeline,
  };
}
