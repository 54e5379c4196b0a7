import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost, memberNames } from '../domain/cluster.ts';
import type { Contender, Election } from '../domain/election.ts';
import { electPrimary } from '../domain/election.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf, recordsByMember } from '../domain/observation.ts';
import type { SyncRecord } from '../domain/records.ts';
import { explainUndecided, recordedLineage, recordedPrimary, recordedSync } from '../domain/records.ts';

export interface Question {
  readonly primary: HostName;
  readonly candidate: HostName | null;
}

/**
 * Replicas of `primary` of which it is known what they received. One that restarted shows no position: its relay logs are read instead, and when they
 * are damaged or were thrown away it is left as it is and contributes nothing.
 */
export const followersOf = (seen: ClusterObservation, primary: HostName): readonly HostName[] =>
  seen.hosts.flatMap(({ host, server }) => {
    const replication = isAnswering(server) ? server.status.replication : null;
    return host !== primary && replication?.source === primary && replication.received !== '' ? [host] : [];
  });

/** Replicas of anybody that answer and are closed: they can be told to follow `winner`. */
export const siblingsOf = (seen: ClusterObservation, winner: HostName): readonly HostName[] =>
  seen.hosts.flatMap(({ host, server }) => {
    const status = isAnswering(server) ? server.status : null;
    return host !== winner && status !== null && status.readOnly && status.replication !== null ? [host] : [];
  });

/** Whose acknowledgements a new primary may wait for. */
export const recordedAckers = (cluster: ClusterPorts, seen: ClusterObservation): readonly HostName[] =>
  cluster.description.mode === 'semisync' ? (syncOf(cluster, seen)?.ackers ?? []) : [];

const contendersOf = (
  cluster: ClusterPorts,
  seen: ClusterObservation,
  hosts: readonly HostName[],
): readonly Contender[] =>
  hosts.flatMap((name): readonly Contender[] => {
    const { server, helper } = observationOf(seen, name);
    if (!isAnswering(server) || !isAnswering(helper)) return [];
    return [
      { host: describeHost(cluster.description, name), status: server.status, diskFreeBytes: helper.diskFreeBytes },
    ];
  });

export function electFrom(
  cluster: ClusterPorts,
  input: Question & { readonly seen: ClusterObservation; readonly followers: readonly HostName[] },
): Election {
  return electPrimary({
    contenders: contendersOf(cluster, input.seen, input.followers),
    primary: describeHost(cluster.description, input.primary),
    countries: cluster.description.countries,
    requested: input.candidate ?? undefined,
    lineage: lineageOf(cluster, input.seen),
  });
}

export const lineageOf = (cluster: ClusterPorts, seen: ClusterObservation): Lineage =>
  recordedLineage(answeredRecords(seen), memberNames(cluster.description).length);

export function syncOf(cluster: ClusterPorts, seen: ClusterObservation): SyncRecord | null {
  const sync = recordedSync(answeredRecords(seen), memberNames(cluster.description).length);
  return sync.kind === 'known' ? sync.record : null;
}

/** @throws AdapterFailure `Unsafe` when nobody is recorded, or too few members answer to know */
export function primaryOf(cluster: ClusterPorts, seen: ClusterObservation): HostName {
  const { description } = cluster;
  const primary = recordedPrimary(answeredRecords(seen), memberNames(description).length);
  if (primary.kind === 'known') return describeHost(description, primary.record.host).name;
  throw new AdapterFailure({
    type: 'Unsafe',
    host: description.cluster,
    message:
      primary.kind === 'nothing'
        ? `${description.cluster} has no recorded primary yet; run standfast prepare ${description.cluster} HOST first`
        : explainUndecided(primary.why, { all: memberNames(description), answers: recordsByMember(seen) }),
  });
}
