import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { LET_ROOT_IN } from '../domain/accounts.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';

export const overtaken = (cluster: ClusterPorts, by: Epoch): AdapterFailure =>
  new AdapterFailure({
    type: 'Stale',
    host: cluster.description.cluster,
    message: `the run ${by.run} has claimed epoch ${String(by.number)} of ${cluster.description.cluster} since; this one ends and changes nothing more`,
  });

export const lacking = (epoch: Epoch, missing: readonly HostName[], claimed: Obedience): AdapterFailure =>
  new AdapterFailure({
    type: 'Unreachable',
    host: missing.join(', '),
    message: `${missing.join(', ')} did not accept epoch ${String(epoch.number)}, and the operation needs it${whySessionsStay(claimed)}`,
  });

interface Obedience {
  /** Members that accepted the epoch. */
  readonly obeying: readonly HostName[];
  /** Of them, those where older sessions are seen to be gone. */
  readonly members: readonly HostName[];
  /** Of the others, those whose server lets its root in no more. */
  readonly denying: readonly HostName[];
}

function whySessionsStay({ obeying, members, denying }: Obedience): string {
  const hung = obeying.filter((member) => !members.includes(member) && !denying.includes(member));
  const act = 'so older sessions there may still act';
  return [
    denying.length === 0
      ? ''
      : `; the server of ${denying.join(' and ')} denies root the login over its socket, ${act}: ${LET_ROOT_IN}`,
    hung.length === 0
      ? ''
      : `; the server of ${hung.join(' and ')} lets nobody log in (it hangs, or every connection is taken), ${act}`,
  ].join('');
}

export function tooFew(cluster: ClusterPorts, epoch: Epoch, claimed: Obedience): AdapterFailure {
  const { obeying, members } = claimed;
  const all = memberNames(cluster.description);
  const absent = all.filter((member) => !obeying.includes(member));
  return new AdapterFailure({
    type: 'Unsafe',
    host: cluster.description.cluster,
    message: `${String(members.length)} of ${String(all.length)} members of ${cluster.description.cluster} accepted epoch ${String(epoch.number)} (${members.join(', ') || 'none'}): not a majority, so nothing more was done${whySessionsStay(claimed)}${absent.length === 0 ? '' : `; bring back ${absent.join(' or ')}`}`,
  });
}
