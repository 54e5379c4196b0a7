import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';

export const overtaken = (cluster: ClusterPorts, by: Epoch): AdapterFailure =>
  new AdapterFailure({
    type: 'Stale',
    host: cluster.description.cluster,
    message: `the run ${by.run} has claimed epoch ${String(by.number)} of ${cluster.description.cluster} since; this one ends and changes nothing more`,
  });

export const lacking = (epoch: Epoch, missing: readonly HostName[]): AdapterFailure =>
  new AdapterFailure({
    type: 'Unreachable',
    host: missing.join(', '),
    message: `${missing.join(', ')} did not accept epoch ${String(epoch.number)}, and the operation needs it`,
  });

/**
 * @param input.obeying  members that accepted the epoch
 * @param input.members  of them, those where older sessions are seen to be gone
 */
export function tooFew(
  cluster: ClusterPorts,
  epoch: Epoch,
  { obeying, members }: { readonly obeying: readonly HostName[]; readonly members: readonly HostName[] },
): AdapterFailure {
  const all = memberNames(cluster.description);
  const absent = all.filter((member) => !obeying.includes(member));
  const hung = obeying.filter((member) => !members.includes(member));
  const why =
    hung.length === 0
      ? ''
      : `; the server of ${hung.join(' and ')} lets nobody log in (it hangs, or every connection is taken), so older sessions there may still act`;
  return new AdapterFailure({
    type: 'Unsafe',
    host: cluster.description.cluster,
    message: `${String(members.length)} of ${String(all.length)} members of ${cluster.description.cluster} accepted epoch ${String(epoch.number)} (${members.join(', ') || 'none'}): not a majority, so nothing more was done${why}${absent.length === 0 ? '' : `; bring back ${absent.join(' or ')}`}`,
  });
}
