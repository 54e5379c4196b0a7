import { faultsOfWaiting, judgeAttachment } from './acknowledgement.ts';
import { vouching } from './channels.ts';
import type { ClusterDescription, HostName } from './cluster.ts';
import { describeHost } from './cluster.ts';
import { contributionsNeeded, judgeCoverage } from './coverage.ts';
import { diagnosePrimary } from './diagnosis.ts';
import type { Contender } from './election.ts';
import { electPrimary, receivedBy, receivedFromPrimary } from './election.ts';
import { gtidGap, parseGtids } from './gtid.ts';
import type { Lineage } from './lineage.ts';
import { historyBeyond } from './lineage.ts';
import type { ClusterObservation, HelperAnswer, ServerStatus } from './observation.ts';
import { answeredStatuses, isAnswering, observationOf } from './observation.ts';
import type { SyncRecord } from './records.ts';

export interface TakeoverInput {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly primary: HostName;
  readonly sync: SyncRecord | null;
  readonly lineage: Lineage;
}

/** What would become of a host that is not the primary, if the primary died now. */
export interface Takeover {
  readonly host: HostName;
  /** It could be promoted at once. */
  readonly isReady: boolean;
  /**
   * What would be lost. `none`: it has received all that the primary had when it was read, and whatever is acknowledged after that is on a replica that a failover asks.
   * `later-writes`: it has received all that, and later writes can be lost. `unknown`: it is not known to have received all that, or who acknowledges is not known.
   */
  readonly loss: 'none' | 'later-writes' | 'unknown';
  /** Transactions that the primary had when it was read and that it has not received; null: not known. */
  readonly lacks: number | null;
  /** Why it is not ready; of one that is, why its loss is not `none`. Empty: nothing is wrong. */
  readonly why: string;
}

export function judgeTakeovers(input: TakeoverInput): readonly Takeover[] {
  const { cluster, observation, primary } = input;
  const vetoes = vetoesByHost(input);
  const isDead = diagnosePrimary(observation, primary).consequence === 'failOver';
  const notAcknowledged = judgeAcknowledgement(input);
  return cluster.hosts
    .filter(({ name }) => name !== primary)
    .map(({ name }) => judgeOne(name, { ...input, vetoes: vetoes.get(name) ?? [], notAcknowledged, isDead }));
}

interface Case extends TakeoverInput {
  readonly vetoes: readonly string[];
  readonly notAcknowledged: Unacknowledged | null;
  /** The primary, for certain: its replicas look for it in vain. */
  readonly isDead: boolean;
}

function judgeOne(host: HostName, found: Case): Takeover {
  const { server, helper } = observationOf(found.observation, host);
  const source = observationOf(found.observation, found.primary).server;
  if (!isAnswering(server)) {
    const why = isAnswering(helper) && helper.records.fenced ? 'it is fenced' : `it does not answer (${whyOf(server)})`;
    return { host, isReady: false, loss: 'unknown', lacks: null, why };
  }
  const { status } = server;
  const lacks = isAnswering(source) ? lacking(source.status, status, found.lineage) : null;
  const loss = found.isDead ? lossWithoutPrimary(status, found) : lossOf(lacks, found.notAcknowledged);
  const obstacle = whyNoOrders(helper) ?? whyNotReady(status, found);
  return { host, isReady: obstacle === null, loss, lacks, why: obstacle ?? whyLossy({ lacks, loss }, found) };
}

function lossOf(lacks: number | null, notAcknowledged: Unacknowledged | null): Takeover['loss'] {
  if (lacks !== 0) return 'unknown';
  if (notAcknowledged === null) return 'none';
  return notAcknowledged.isCertain ? 'later-writes' : 'unknown';
}

/** By the record, as a failover judges: what was acknowledged is on one of those who received from it, and this one has all that any of them has. */
function lossWithoutPrimary(status: ServerStatus, { sync, observation, primary, lineage }: Case): Takeover['loss'] {
  const others = [...answeredStatuses(observation)].filter(
    ([, { replication }]) => replication?.source === primary && replication.received !== '',
  );
  const contributors = vouching(
    others.map(([host]) => host),
    new Map(others),
  );
  const coverage = judgeCoverage({ sync, contributors, winnerReceived: '', oldBinlogEnd: null });
  const hasAll = others.every(
    ([, other]) => historyBeyond(receivedFromPrimary(other), receivedBy(status), lineage).size === 0,
  );
  return coverage.kind === 'lossless' && hasAll ? 'none' : 'unknown';
}

const whyOf = (server: { readonly why?: string } | null): string => server?.why ?? 'it was not asked';

function whyLossy({ lacks, loss }: Pick<Takeover, 'lacks' | 'loss'>, found: Case): string {
  if (loss === 'none') return '';
  if (lacks === 0) return found.notAcknowledged?.why ?? '';
  return lacks === null
    ? `what ${found.primary} has is not known`
    : `it has not received ${String(lacks)} transactions that ${found.primary} has`;
}

function whyNoOrders(helper: HelperAnswer): string | null {
  if (!isAnswering(helper)) return `its helper is silent (${helper.why})`;
  return helper.records.fenced ? 'it is fenced' : null;
}

/** A failover starts what stands still, but not before it has looked into the cause. */
function whyNotReady({ replication, readOnly }: ServerStatus, { vetoes, isDead }: Case): string | null {
  if (vetoes.length > 0) return vetoes.join('; ');
  if (!readOnly) return 'it accepts writes, and is not the primary';
  if (replication === null) return 'it replicates from nobody';
  if (replication.receiver !== 'running' && !isDead) return `its IO thread is ${replication.receiver}`;
  return replication.applier === 'running' ? null : `its SQL thread is ${replication.applier}`;
}

/** By the rules of an election, as far as it can be held before anything is stopped. */
function vetoesByHost({
  cluster,
  observation,
  primary,
  lineage,
}: TakeoverInput): ReadonlyMap<HostName, readonly string[]> {
  const contenders = [...answeredStatuses(observation)]
    .filter(([host]) => host !== primary)
    .map(([name, status]): Contender => {
      const { helper } = observationOf(observation, name);
      const free = isAnswering(helper) ? helper.diskFreeBytes : null;
      return { host: describeHost(cluster, name), status, diskFreeBytes: free ?? Number.POSITIVE_INFINITY };
    });
  const { because } = electPrimary({
    contenders,
    primary: describeHost(cluster, primary),
    countries: cluster.countries,
    lineage,
  });
  return new Map(because.map(({ host, vetoes }) => [host, vetoes]));
}

/** How many transactions of the primary's binary log the replica is not known to have received. */
export function lacking(primary: ServerStatus, replica: ServerStatus, lineage: Lineage): number {
  const received = receivedBy(replica);
  const missing = historyBeyond(parseGtids(primary.binlogState), received, lineage);
  if (missing.size === 0) return 0;
  // Of two histories that have parted, the one with the lower numbers lacks something as well.
  return Math.max(1, gtidGap(missing, received));
}

/** Why an acknowledged write might be on nobody whom a failover asks. */
export interface Unacknowledged {
  readonly why: string;
  /** False: somebody who would know did not answer, so it may be that all is well. */
  readonly isCertain: boolean;
}

/** Null: every write that is acknowledged is on a replica that a failover asks. Rests on what the servers said, not on the record alone. */
export function judgeAcknowledgement({
  cluster,
  observation,
  primary,
  sync,
}: Omit<TakeoverInput, 'lineage'>): Unacknowledged | null {
  if (sync?.mode !== 'lossless') return certain(`${primary} waits for no acknowledgement (async)`);
  const statuses = answeredStatuses(observation);
  const status = statuses.get(primary);
  if (status === undefined) return { why: `${primary} does not say for whom it waits`, isCertain: false };
  const faults = faultsOfWaiting(status.semiSync);
  if (faults.length > 0)
    return certain(`acknowledgements are recorded, but ${primary} does not wait for them: ${faults.join('; ')}`);
  const attachment = judgeAttachment({ hosts: cluster.hosts, statuses, primary, ackers: sync.ackers });
  if (attachment === null) return { why: `${primary} does not say who is connected to it`, isCertain: false };
  const { acknowledging, detached, unrecorded } = attachment;
  if (unrecorded.length > 0)
    return certain(`${unrecorded.join(' and ')} acknowledges writes off the record, so a failover would not ask it`);
  const needed = contributionsNeeded(sync);
  const asked = vouching(acknowledging, statuses);
  if (asked.length >= needed && needed > 0) return null;
  if (acknowledging.length >= needed && needed > 0) {
    const unasked = acknowledging.filter((acker) => !asked.includes(acker));
    return certain(
      `${unasked.join(' and ')} acknowledges the writes of ${primary}, and a failover would not count on it: it has a replication channel that is not the cluster's`,
    );
  }
  const missing = sync.ackers.filter((acker) => !acknowledging.includes(acker));
  return {
    why: `${missing.join(' and ') || 'nobody'} is not seen to acknowledge the writes of ${primary}, and a failover has to ask ${String(needed)} of ${sync.ackers.join(', ') || 'nobody'}`,
    isCertain: missing.every((acker) => detached.includes(acker) || statuses.has(acker)),
  };
}

const certain = (why: string): Unacknowledged => ({ why, isCertain: true });
