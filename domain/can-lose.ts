import type { ClusterDescription, HostName } from './cluster.ts';
import { majorityOf, memberNames } from './cluster.ts';
import { contributionsNeeded } from './coverage.ts';
import type { ClusterObservation } from './observation.ts';
import { isAnswering, observationOf } from './observation.ts';
import type { SyncRecord } from './records.ts';

interface Sighted {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly primary: HostName;
  readonly sync: SyncRecord | null;
}

/**
 * How many hosts, whichever they are, can die at once while the cluster goes on by itself and loses nothing acknowledged. What is left must be
 * a majority of the members, cover a failover when the primary is among the dead, have somebody who may be promoted, and acknowledge the next write.
 * A dead host answers no SSH, so without a power switch or revocation there is no proof against it.
 */
export function canLose({ cluster, observation, primary, sync }: Sighted): number {
  if (sync?.mode !== 'lossless' || cluster.fence.every((rung) => rung === 'ssh')) return 0;
  const answering = observation.hosts.filter((entry) => isAnswering(entry.helper)).length;
  const acknowledging = observation.hosts.filter(
    ({ host, server }) => sync.ackers.includes(host) && isAnswering(server) && server.status.semiSync.replicaActive,
  ).length;
  const mayBePromoted = new Set(cluster.hosts.filter((host) => host.promotable).map((host) => host.name));
  // A write may be on them alone, and nobody takes over without it.
  if (sync.ackers.filter((acker) => !mayBePromoted.has(acker)).length >= sync.k) return 0;
  const successors = cluster.hosts.filter(
    ({ name }) => mayBePromoted.has(name) && name !== primary && isAnswering(observationOf(observation, name).server),
  );
  const untilMinority = answering - majorityOf(memberNames(cluster).length);
  const untilUncovered = acknowledging - contributionsNeeded(sync) + 1;
  const untilWritesWait = acknowledging - sync.k;
  return Math.max(0, Math.min(untilMinority, untilUncovered, successors.length, untilWritesWait));
}
