import type { HostDescription, HostName } from './cluster.ts';
import type { GtidSet } from './gtid.ts';
import { containsGtids, gtidsBeyond, gtidsPast, parseGtids, renderGtids, unionGtids } from './gtid.ts';
import type { ServerStatus } from './observation.ts';

/** A replica that answered, read after its receiver stopped (or before anything changed, for a prediction). */
export interface Contender {
  readonly host: HostDescription;
  readonly status: ServerStatus;
  readonly diskFreeBytes: number;
}

export interface Vote {
  readonly host: HostName;
  /** Everything received, applied or not, as GTIDs per (domain, server). */
  readonly received: string;
  readonly vetoes: readonly string[];
}

export type Election =
  | { readonly kind: 'elected'; readonly host: HostName; readonly received: string; readonly because: readonly Vote[] }
  | {
      readonly kind: 'refused';
      readonly reason: 'no-eligible-replica' | 'no-replica-holds-everything' | 'histories-diverge';
      readonly explains: string;
      readonly because: readonly Vote[];
    };

export interface ElectionInput {
  readonly contenders: readonly Contender[];
  readonly primary: HostDescription;
  readonly countries: readonly string[];
  /** A person's choice; it must still be eligible. */
  readonly requested?: HostName | undefined;
}

const LEAST_FREE_BYTES = 64 * 1024 * 1024;

export const receivedBy = (status: ServerStatus): GtidSet =>
  unionGtids(
    parseGtids(status.binlogState),
    parseGtids(status.appliedPosition),
    parseGtids(status.replication?.received ?? ''),
  );

/**
 * What a replica wrote itself that another contender does not have, or that comes after the last transaction it applied: writes of its own
 * never raise that position, and what it wrote when it was primary lies before it.
 */
function errantGtids(contender: Contender, all: readonly Contender[]): GtidSet {
  const own = new Map(
    [...parseGtids(contender.status.binlogState)].filter(([key]) =>
      key.endsWith(`-${String(contender.status.serverId)}`),
    ),
  );
  return unionGtids(
    gtidsPast(own, parseGtids(contender.status.appliedPosition)),
    ...all.map((other) => gtidsBeyond(own, receivedBy(other.status))),
  );
}

/** Replication goes from an older release series to a newer one, never back. */
const couldNotFollow = (contender: Contender, all: readonly Contender[]): readonly HostName[] =>
  all
    .filter((other) => seriesOf(other.status.version) < seriesOf(contender.status.version))
    .map((other) => other.host.name);

function seriesOf(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major * 1000 + minor;
}

function vetoesOf(contender: Contender, input: ElectionInput): readonly string[] {
  const { status, host } = contender;
  const errant = renderGtids(errantGtids(contender, input.contenders));
  const older = couldNotFollow(contender, input.contenders);
  const { replication } = status;
  const vetoes: readonly (readonly [boolean, string])[] = [
    [!status.binlog.enabled, 'it has no binary log, so no replica could follow it'],
    [!status.binlog.logsReplicated, 'log_slave_updates is off, so no replica could follow it'],
    [status.binlog.format === 'STATEMENT', 'its binlog_format is STATEMENT, which gives other rows on a replica'],
    [
      older.length > 0,
      `its version ${status.version} is newer than that of ${older.join(', ')}, which could not follow it`,
    ],
    [replication === null, 'it replicates from nobody'],
    [replication !== null && replication.source !== input.primary.name, `its source is not ${input.primary.name}`],
    // MariaDB forgets it at a restart, while its relay log may still hold acknowledged writes.
    [
      replication !== null && replication.usesGtid && replication.received === '',
      'its receiver has not run since its server started, so what it had received is not known',
    ],
    [replication?.usesGtid === false, 'it does not replicate by GTID, so what it received is not known'],
    [(replication?.filters.length ?? 0) > 0, `it filters replication (${replication?.filters.join(', ') ?? ''})`],
    [(replication?.delaySeconds ?? 0) > 0, 'it is a delayed replica'],
    [
      (replication?.applierError ?? null) !== null,
      `its applier stopped with error ${String(replication?.applierError?.code)}: ${replication?.applierError?.message ?? ''}`,
    ],
    [errant !== '', `it has errant transactions ${errant}`],
    [contender.diskFreeBytes < LEAST_FREE_BYTES, 'its disk is full'],
    [
      input.countries.length > 0 && !input.countries.includes(host.country),
      `its country ${host.country} is outside the placement policy`,
    ],
    [
      input.requested !== undefined && input.requested !== host.name,
      `another candidate, ${input.requested ?? ''}, was asked for`,
    ],
  ];
  return vetoes.flatMap(([applies, why]) => (applies ? [why] : []));
}

/** Chooses the replica that holds everything any contender received; ties go to the rank, then to the name. */
export function electPrimary(input: ElectionInput): Election {
  const sets = input.contenders.map((contender) => receivedBy(contender.status));
  const because = input.contenders.map((contender, index): Vote => ({
    host: contender.host.name,
    received: renderGtids(sets[index] ?? new Map()),
    vetoes: vetoesOf(contender, input),
  }));
  const ofName = (name: HostName): Vote => {
    const vote = because.find((entry) => entry.host === name);
    if (vote === undefined) throw new Error(`no vote for ${name}`);
    return vote;
  };
  const eligible = input.contenders.filter((contender) => ofName(contender.host.name).vetoes.length === 0);
  if (eligible.length === 0)
    return { kind: 'refused', reason: 'no-eligible-replica', explains: whyNone(because), because };
  const everything = unionGtids(...sets);
  const complete = eligible.filter((contender) => containsGtids(receivedBy(contender.status), everything));
  const [winner] = [...complete].sort(
    (left, right) => right.host.rank - left.host.rank || (left.host.name < right.host.name ? -1 : 1),
  );
  if (winner !== undefined)
    return { kind: 'elected', host: winner.host.name, received: ofName(winner.host.name).received, because };
  const someoneHasAll = sets.some((set) => containsGtids(set, everything));
  return {
    kind: 'refused',
    reason: someoneHasAll ? 'no-replica-holds-everything' : 'histories-diverge',
    explains: someoneHasAll
      ? 'the replica that received the most may not be promoted, and no other holds everything it received'
      : 'two replicas each hold transactions that the other lacks',
    because,
  };
}

const whyNone = (votes: readonly Vote[]): string =>
  votes.length === 0 ? 'no replica answers' : votes.map((vote) => `${vote.host}: ${vote.vetoes.join('; ')}`).join('. ');
