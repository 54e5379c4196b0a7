import type { ClusterPorts } from '../adapters/ports.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import { claimEpoch, resumeEpoch } from './claiming.ts';
import type { Steps } from './steps.ts';

const POWER_OFF_MS = 60_000;

/** What a failover that has decided goes on with. */
interface Continued {
  readonly run: string;
  readonly winner: HostName;
  /** Claimed by an earlier step of this run. */
  readonly epoch: Epoch;
  readonly fence: FenceProof | null;
}

/** A fenced host whose helper answers is still a member; one without power, or so by a person's word, is not waited for. */
export const hostThatIsOff = (fence: FenceProof | null): HostName | null => proofOfOff(fence)?.host ?? null;

const proofOfOff = (fence: FenceProof | null): FenceProof | null => {
  const newest = fence?.again ?? fence;
  return newest?.rung === 'powerOff' || newest?.rung === 'accepted' ? newest : null;
};

/**
 * The first attempt of a step goes on under the epoch of the step before; a later one claims its own, so that a worker that comes back late is
 * refused. The host that the fence proved off counts for either.
 */
export const continuing = (cluster: ClusterPorts, input: Continued, steps: Steps): Promise<Authority> =>
  steps.attempt === 1
    ? resumeEpoch(cluster, input.epoch, hostThatIsOff(input.fence))
    : claimEpoch(cluster, {
        run: input.run,
        claimant: steps.claimant,
        continues: true,
        include: [input.winner],
        leaveOut: hostThatIsOff(input.fence),
        proveOff: () => proveOffAgain(cluster, input.fence),
      });

/** The earlier proof is older than this claim: whoever returned in between counts for himself. A person's word holds for the run that it was given to. */
async function proveOffAgain(cluster: ClusterPorts, fence: FenceProof | null): Promise<readonly HostName[]> {
  const earlier = proofOfOff(fence);
  if (earlier?.rung === 'powerOff') await cluster.powerOff(earlier.host, { timeoutMs: POWER_OFF_MS });
  return earlier === null ? [] : [earlier.host];
}
