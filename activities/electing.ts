import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost, memberNames } from '../domain/cluster.ts';
import type { Contender, Election } from '../domain/election.ts';
import { electPrimary } from '../domain/election.ts';
import type { FailureType } from '../domain/failure.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { ClusterObservation, ServerStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf, recordsByMember } from '../domain/observation.ts';
import type { MemberRecords, PrimaryRecord, SyncRecord } from '../domain/records.ts';
import { explainUndecided, recordedLineage, recordedPrimary, recordedSync } from '../domain/records.ts';
import { requireCandidate } from './refusal.ts';

export interface Question {
  readonly primary: HostName;
  readonly candidate: HostName | null;
}

/** @throws AdapterFailure `BadInput`, also when it has no such candidate, or never promotes it */
export async function clusterFor(ports: Ports, name: string, candidate: HostName | null): Promise<ClusterPorts> {
  const cluster = await ports.cluster(name);
  if (candidate !== null) requireCandidate(cluster.description, candidate);
  return cluster;
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

/** Replicas of anybody that are closed: they can be told to follow `winner`. */
export const siblingsOf = (statuses: ReadonlyMap<HostName, ServerStatus>, winner: HostName): readonly HostName[] =>
  [...statuses].flatMap(([host, { readOnly, replication }]) =>
    host !== winner && readOnly && replication !== null ? [host] : [],
  );

/** Whose acknowledgements a new primary may wait for. */
export const recordedAckers = (cluster: ClusterPorts, records: readonly MemberRecords[]): readonly HostName[] =>
  cluster.description.mode === 'semisync' ? (syncOf(cluster, records)?.ackers ?? []) : [];

/** Replicas that may be chosen from. */
export interface Followers {
  readonly seen: ClusterObservation;
  /** With the free space of each, in bytes; null: its helper did not say, and a full disk shows later. */
  readonly followers: ReadonlyMap<HostName, number | null>;
}

const contendersOf = (cluster: ClusterPorts, { seen, followers }: Followers): readonly Contender[] =>
  [...followers].flatMap(([name, free]): readonly Contender[] => {
    const { server, helper } = observationOf(seen, name);
    if (!isAnswering(server) || !isAnswering(helper)) return [];
    const diskFreeBytes = free ?? helper.diskFreeBytes ?? Number.POSITIVE_INFINITY;
    return [{ host: describeHost(cluster.description, name), status: server.status, diskFreeBytes }];
  });

export function electFrom(cluster: ClusterPorts, input: Question & Followers): Election {
  return electPrimary({
    contenders: contendersOf(cluster, input),
    primary: describeHost(cluster.description, input.primary),
    countries: cluster.description.countries,
    requested: input.candidate ?? undefined,
    lineage: lineageOf(cluster, answeredRecords(input.seen)),
  });
}

export const lineageOf = (cluster: ClusterPorts, records: readonly MemberRecords[]): Lineage =>
  recordedLineage(records, memberNames(cluster.description).length);

export function syncOf(cluster: ClusterPorts, records: readonly MemberRecords[]): SyncRecord | null {
  const sync = recordedSync(records, memberNames(cluster.description).length);
  return sync.kind === 'known' ? sync.record : null;
}

/** @throws AdapterFailure `Unsafe` when nobody is recorded, or too few members answer to know */
export const primaryOf = (cluster: ClusterPorts, seen: ClusterObservation): HostName =>
  primaryRecordOf(cluster, seen).host;

/** @throws AdapterFailure `Unsafe` when nobody is recorded; `undecided` when too few members answer to know */
export function primaryRecordOf(
  cluster: ClusterPorts,
  seen: ClusterObservation,
  undecided: FailureType = 'Unsafe',
): PrimaryRecord {
  const { description } = cluster;
  const primary = recordedPrimary(answeredRecords(seen), memberNames(description).length);
  if (primary.kind === 'known') return { ...primary.record, host: describeHost(description, primary.record.host).name };
  throw new AdapterFailure({
    type: primary.kind === 'nothing' ? 'Unsafe' : undecided,
    host: description.cluster,
    message:
      primary.kind === 'nothing'
        ? `${description.cluster} has no recorded primary yet; run standfast prepare ${description.cluster} HOST first`
        : explainUndecided(primary.why, { all: memberNames(description), answers: recordsByMember(seen) }),
  });
}
