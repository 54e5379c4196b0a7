import type { ClusterPorts } from '../adapters/ports.ts';
import type { Acceptance } from '../domain/acceptance.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { NOTHING_TO_SALVAGE } from '../domain/tail.ts';
import { gtidsBeyond, parseGtids } from '../domain/gtid.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { ClusterObservation, ServerStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import { claimEpoch } from './claiming.ts';
import type { Fenced } from './contract.ts';
import { lineageOf } from './electing.ts';
import { proveOff } from './ladder.ts';
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
 * Whom a recorded primary followed that is closed and still has the channel of a replica: its failover was ended after it had recorded its decision. Null:
 * there is none to go on with, or it followed a host that the inventory does not have any more, so that none is left to be kept out.
 */
export function followedBefore({ readOnly, replication }: ServerStatus, primary: HostName): HostName | null {
  const source = readOnly ? (replication?.source ?? null) : null;
  return source === primary ? null : source;
}

/**
 * It has committed nothing since it was recorded, so nobody has followed it: whoever is counted as off now has nothing of it that a later election could
 * rest on without knowing of this one.
 */
function hasServedNobody({ serverId, binlogState }: ServerStatus, lineage: Lineage): boolean {
  const promotion = lineage.at(-1);
  if (promotion?.serverId !== serverId) return false;
  return gtidsBeyond(parseGtids(binlogState), parseGtids(promotion.start)).size === 0;
}

/**
 * Going on is all that is left of a failover that was ended after it had recorded its decision; the old primary was proven fenced before the record was
 * written, and stays closed since. Where too few answer without it, it has to be off now.
 */
export async function goOn(
  found: Case,
  { seen, diagnosis }: { readonly seen: ClusterObservation; readonly diagnosis: Diagnosis },
): Promise<Fenced | null> {
  const { cluster, primary, run, steps } = found;
  const { server } = observationOf(seen, primary);
  if (!isAnswering(server)) return null;
  const oldPrimary = followedBefore(server.status, primary);
  if (oldPrimary === null) return null;
  const mayCountOff = hasServedNobody(server.status, lineageOf(cluster, answeredRecords(seen)));
  const proofs: FenceProof[] = [];
  const authority = await steps.run('claim', null, () =>
    claimEpoch(cluster, {
      run,
      claimant: steps.claimant,
      include: [primary],
      primary,
      proveOff: async () => {
        if (!mayCountOff) return [];
        proofs.push(await proveOff({ ...found, primary: oldPrimary }, null));
        return [oldPrimary];
      },
    }),
  );
  const why = 'decided and proven by the earlier run that recorded the promotion';
  const [again] = proofs;
  return {
    kind: 'ready',
    winner: primary,
    epoch: authority.epoch,
    decision: {
      diagnosis,
      votes: [],
      fence: { rung: 'earlier', host: oldPrimary, proof: why, ...(again === undefined ? {} : { again }) },
      coverage: { kind: 'lossy', why: `what may be missing was ${why}; its result says it`, missing: '', count: null },
      salvage: NOTHING_TO_SALVAGE,
      accepted: again?.rung === 'accepted' ? found.accepted : null,
    },
    timeline: steps.timeline,
  };
}
