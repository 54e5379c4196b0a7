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

export const tooFew = (cluster: ClusterPorts, epoch: Epoch, members: readonly HostName[]): AdapterFailure =>
  new AdapterFailure({
    type: 'Unsafe',
    host: cluster.description.cluster,
    message: `${String(members.length)} of ${String(memberNames(cluster.description).length)} members of ${cluster.description.cluster} accepted epoch ${String(epoch.number)} (${members.join(', ') || 'none'}): not a majority, so nothing more was done`,
  });
