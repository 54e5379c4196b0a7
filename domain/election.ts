import { namesOfOthers } from './channels.ts';
import type { HostDescription, HostName } from './cluster.ts';
import type { GtidSet } from './gtid.ts';
import {
  domainOf,
  gtidsBeyond,
  gtidsPast,
  latestPerDomain,
  parseGtids,
  renderGtids,
  serverOf,
  unionGtids,
} from './gtid.ts';
import type { Lineage } from './lineage.ts';
import { historyBeyond, placeGtids } from './lineage.ts';
import type { ReplicationStatus, ServerStatus } from './observation.ts';
import { lostOwn } from './own-transactions.ts';

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
  /** Without it, histories are told apart by (domain, server) alone. */
  readonly lineage?: Lineage;
}

const LEAST_FREE_BYTES = 64 * 1024 * 1024;

export const receivedBy = (status: ServerStatus): GtidSet =>
  unionGtids(
    parseGtids(status.binlogState),
    parseGtids(status.appliedPosition),
    parseGtids(status.replication?.received ?? ''),
  );

/** What a replica wrote after the last transaction it applied: no primary's, so nobody else needs to have it. */
export function strayWrites({ binlogState, appliedPosition, serverId }: ServerStatus): GtidSet {
  const own = new Map([...parseGtids(binlogState)].filter(([key]) => serverOf(key) === serverId));
  return gtidsPast(own, parseGtids(appliedPosition));
}

/** Everything a replica received, without what it wrote itself: what a primary must have. */
export function receivedFromPrimary(status: ServerStatus): GtidSet {
  const stray = strayWrites(status);
  return new Map([...receivedBy(status)].filter(([key]) => !stray.has(key)));
}

/**
 * What a replica wrote itself that another contender does not have, or that comes after the last transaction it applied: writes of its own
 * never raise that position, and what it wrote when it was primary lies before it. A lineage says more: what the last primary went on from is
 * never errant, what was cut off always is, whoever wrote it, and what it cannot place is when another contender lacks it.
 */
function errantGtids(contender: Contender, { contenders, lineage = [] }: ElectionInput): GtidSet {
  const { status } = contender;
  const own = new Map([...parseGtids(status.binlogState)].filter(([key]) => serverOf(key) === status.serverId));
  const recorded = parseGtids(lineage.at(-1)?.start ?? '');
  const { diverged, unknown } = placeGtids(receivedBy(status), lineage);
  const suspects = unionGtids(gtidsBeyond(own, recorded), unknown);
  const lackedBy = (other: Contender): GtidSet => historyBeyond(suspects, receivedBy(other.status), lineage);
  return unionGtids(
    strayWrites(status),
    diverged,
    ...contenders.map(lackedBy).map((lacked) => new Map([...suspects].filter(([key]) => lacked.has(key)))),
  );
}

/** What any contender has, and what the last primary had when it was promoted; of domains that somebody still has. */
function knownTo({ contenders, lineage = [] }: ElectionInput): GtidSet {
  const held = unionGtids(...contenders.map(({ status }) => receivedBy(status)));
  const domains = latestPerDomain(held);
  const recorded = [...parseGtids(lineage.at(-1)?.start ?? '')].filter(([key]) => domains.has(domainOf(key)));
  return unionGtids(held, new Map(recorded));
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

const whyUnknown = (replication: ReplicationStatus | null): string =>
  replication?.receivedUnknown === undefined ? '' : ` (${replication.receivedUnknown})`;

function vetoesOf(contender: Contender, input: ElectionInput): readonly string[] {
  const { status, host } = contender;
  const errant = renderGtids(errantGtids(contender, input));
  const lost = renderGtids(lostOwn(status, knownTo(input), input.lineage ?? []));
  const older = couldNotFollow(contender, input.contenders);
  const { replication } = status;
  const others = namesOfOthers(status);
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
    [others !== null, `it has a replication channel that is not the cluster's: ${others ?? ''}`],
    // MariaDB forgets it at a restart, while its relay log may still hold acknowledged writes.
    [
      replication !== null && replication.usesGtid && replication.received === '',
      `its receiver has not run since its server started, so what it had received is not known${whyUnknown(replication)}`,
    ],
    [replication?.usesGtid === false, 'it does not replicate by GTID, so what it received is not known'],
    [(replication?.filters.length ?? 0) > 0, `it filters replication (${replication?.filters.join(', ') ?? ''})`],
    [(replication?.delaySeconds ?? 0) > 0, 'it is a delayed replica'],
    [
      (replication?.applierError ?? null) !== null,
      `its applier stopped with error ${String(replication?.applierError?.code)}: ${replication?.applierError?.message ?? ''}`,
    ],
    [errant !== '', `it has errant transactions ${errant}`],
    [lost !== '', `its log lacks transactions that it wrote itself and others have, up to ${lost}`],
    [contender.diskFreeBytes < LEAST_FREE_BYTES, 'its disk is full'],
    [
      input.countries.length > 0 && !input.countries.includes(host.country),
      `its country ${host.country} is outside the placement policy`,
    ],
    [!host.promotable, 'it is never promoted (promotable: false in the inventory)'],
    [
      input.requested !== undefined && input.requested !== host.name,
      `another candidate, ${input.requested ?? ''}, was asked for`,
    ],
  ];
  return vetoes.flatMap(([applies, why]) => (applies ? [why] : []));
}

/** Chooses the replica that holds everything any contender received; ties go to the rank, then to the name. */
export function electPrimary(input: ElectionInput): Election {
  const because = input.contenders.map((contender): Vote => ({
    host: contender.host.name,
    received: renderGtids(receivedBy(contender.status)),
    vetoes: vetoesOf(contender, input),
  }));
  const isEligible = (contender: Contender): boolean =>
    because.some((vote) => vote.host === contender.host.name && vote.vetoes.length === 0);
  const eligible = input.contenders.filter(isEligible);
  if (eligible.length === 0)
    return { kind: 'refused', reason: 'no-eligible-replica', explains: whyNone(because), because };
  const complete = input.contenders.filter((contender) => lacksOf(contender, input) === '');
  const [winner] = complete
    .filter(isEligible)
    .sort((left, right) => right.host.rank - left.host.rank || (left.host.name < right.host.name ? -1 : 1));
  if (winner !== undefined)
    return {
      kind: 'elected',
      host: winner.host.name,
      received: renderGtids(receivedBy(winner.status)),
      because,
    };
  return complete.length > 0
    ? {
        kind: 'refused',
        reason: 'no-replica-holds-everything',
        explains: `nobody else holds everything that ${complete.map(({ host }) => barredIn(because, host.name)).join(' and ')}`,
        because,
      }
    : {
        kind: 'refused',
        reason: 'histories-diverge',
        explains: `two replicas each hold transactions that the other lacks (${input.contenders.map((contender) => `${contender.host.name} lacks ${lacksOf(contender, input)}`).join('; ')})`,
        because,
      };
}

const barredIn = (because: readonly Vote[], host: HostName): string =>
  `${host} received, and ${host} may not be promoted: ${because.find((vote) => vote.host === host)?.vetoes.join('; ') ?? ''}`;

/** What other contenders received and this one is not known to have. What one of them wrote itself bars that one, not the others. */
const lacksOf = (contender: Contender, { contenders, lineage = [] }: ElectionInput): string =>
  renderGtids(
    unionGtids(
      ...contenders.map((other) =>
        historyBeyond(receivedFromPrimary(other.status), receivedBy(contender.status), lineage),
      ),
    ),
  );

const whyNone = (votes: readonly Vote[]): string =>
  votes.length === 0 ? 'no replica answers' : votes.map((vote) => `${vote.host}: ${vote.vetoes.join('; ')}`).join('. ');
