import type { HostName } from '../cluster.ts';
import type { Known, PrimaryRecord } from '../records.ts';
import type { HostFacts, Seen } from './facts.ts';
import { notSeen, seen } from './facts.ts';

/** Of a cluster that nobody has taken into care the servers themselves tell, if they all can be asked and agree. */
export function primaryFrom(recorded: Known<PrimaryRecord>, hosts: readonly HostFacts[]): Seen<HostName> {
  if (recorded.kind === 'known') return seen(recorded.record.host);
  if (recorded.kind !== 'nothing') return notSeen(recorded.why);
  const silent = hosts.filter(({ isDatabase, server }) => isDatabase && server.kind === 'not-seen');
  if (silent.length > 0)
    return notSeen(`nothing is recorded yet, and ${silent.map(({ host }) => host).join(', ')} did not answer`);
  const writers = hosts.filter(
    ({ server }) => server.kind === 'seen' && !server.value.status.readOnly && server.value.status.replication === null,
  );
  const [only, ...others] = writers;
  if (only !== undefined && others.length === 0) return seen(only.host);
  return notSeen(
    `nothing is recorded yet, and ${only === undefined ? 'no server accepts writes without following another' : `${writers.map(({ host }) => host).join(' and ')} accept writes and follow nobody`}`,
  );
}
