import { faultsOfWaiting } from './acknowledgement.ts';
import { canLose } from './can-lose.ts';
import { HOW_TO_END, namesOfOthers } from './channels.ts';
import type { ClockOffset } from './clock.ts';
import type { ClusterDescription, HostName } from './cluster.ts';
import { gtidGap, parseGtids, renderGtids, serverOf, unionGtids } from './gtid.ts';
import type { Lineage } from './lineage.ts';
import { historyBeyond, placeGtids } from './lineage.ts';
import type { ClusterObservation, ServerStatus } from './observation.ts';
import { isAnswering, observationOf } from './observation.ts';
import { lostOwn } from './own-transactions.ts';
import type { SyncRecord } from './records.ts';
import { CLOSE_WRITER, remedyFor } from './remedies.ts';
import { judgeAckers } from './verdict-ackers.ts';
import { explainForeign, judgeHelper, judgeReplica } from './verdict-replica.ts';

export type Severity = 'bad' | 'warn';

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly host: HostName;
  readonly explains: string;
  readonly remedy: string;
}

/** By a heartbeat row that was committed on the primary for it, on the worker's one monotonic clock. */
export interface LagMeasurement {
  readonly host: HostName;
  /** Null when nothing can be said. Of a row that did not arrive before the deadline, what is known of the lag then. */
  readonly lagMs: number | null;
  /** The true lag differs by no more. Absent in answers of earlier versions. */
  readonly errorMs?: number;
  /** How far the replica's clock is ahead of its primary's. */
  readonly clock?: ClockOffset | null;
  readonly why: string | null;
}

export interface VerdictInput {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly primary: HostName;
  readonly sync: SyncRecord | null;
  /** Without it, histories are told apart by (domain, server) alone. */
  readonly lineage?: Lineage;
  readonly lag: readonly LagMeasurement[];
}

export interface ReplicaEvidence {
  readonly host: HostName;
  readonly source: HostName | null;
  readonly receiver: string;
  readonly applier: string;
  readonly lagMs: number | null;
  /** The true lag differs by no more; null: not known. */
  readonly lagErrorMs: number | null;
  /** How far the replica's clock is ahead of its primary's; null: not known. */
  readonly clock: ClockOffset | null;
  /** Transactions on the primary that the replica has not applied. */
  readonly gtidGap: number | null;
  readonly errant: string;
  /** The last transactions that it wrote itself as primary and that its log lacks. Absent in answers of earlier versions. */
  readonly lost?: string;
  readonly readOnly: boolean | null;
  /** The inventory says that it is never promoted. Absent: it may be. */
  readonly neverPromoted?: boolean;
}

export interface Verdict {
  readonly state: 'ok' | 'warn' | 'bad';
  /** One true sentence. */
  readonly sentence: string;
  readonly primary: HostName;
  readonly vipHolders: readonly HostName[];
  readonly replicas: readonly ReplicaEvidence[];
  readonly findings: readonly Finding[];
}

export function judgeReplication(input: VerdictInput): Verdict {
  const primaryStatus = statusOf(input.observation, input.primary);
  const replicas = input.cluster.hosts
    .filter((host) => host.name !== input.primary)
    .map(({ name, promotable }) => ({
      ...evidenceOf(name, input, primaryStatus),
      ...(promotable ? {} : { neverPromoted: true }),
    }));
  const findings = [
    ...judgePrimary(input, primaryStatus),
    ...judgeVip(input),
    ...replicas.flatMap((evidence) =>
      judgeReplica({
        evidence,
        observation: observationOf(input.observation, evidence.host),
        ...{ cluster: input.cluster.cluster, primary: input.primary },
        isAcker: input.sync?.mode === 'lossless' && input.sync.ackers.includes(evidence.host),
        lag: input.lag.find((entry) => entry.host === evidence.host) ?? null,
        limits: input.cluster.lag,
      }),
    ),
    ...judgeAckers(input),
    ...input.observation.hosts.filter(({ host }) => input.cluster.witnesses.includes(host)).flatMap(judgeHelper),
  ];
  const state = findings.some((finding) => finding.severity === 'bad') ? 'bad' : findings.length > 0 ? 'warn' : 'ok';
  return {
    state,
    sentence: sentenceOf(input, findings),
    primary: input.primary,
    vipHolders: vipHolders(input.observation),
    replicas,
    findings,
  };
}

export const vipHolders = (observation: ClusterObservation): readonly HostName[] =>
  observation.hosts.filter((entry) => isAnswering(entry.helper) && entry.helper.holdsVip).map((entry) => entry.host);

const statusOf = (observation: ClusterObservation, host: HostName): ServerStatus | null => {
  const { server } = observationOf(observation, host);
  return isAnswering(server) ? server.status : null;
};

function evidenceOf(host: HostName, input: VerdictInput, primary: ServerStatus | null): ReplicaEvidence {
  const status = statusOf(input.observation, host);
  const lag = input.lag.find((entry) => entry.host === host);
  const replication = status?.replication ?? null;
  return {
    host,
    source: replication?.source ?? null,
    receiver: replication?.receiver ?? 'unknown',
    applier: replication?.applier ?? 'unknown',
    lagMs: lag?.lagMs ?? null,
    lagErrorMs: lag?.errorMs ?? null,
    clock: lag?.clock ?? null,
    gtidGap:
      status === null || primary === null
        ? null
        : gtidGap(parseGtids(primary.binlogPosition), parseGtids(status.appliedPosition)),
    errant: status === null || primary === null ? '' : errantOn(status, primary, input.lineage ?? []),
    lost:
      status === null || primary === null
        ? ''
        : renderGtids(lostOwn(status, parseGtids(primary.binlogState), input.lineage ?? [])),
    readOnly: status?.readOnly ?? null,
  };
}

/**
 * What a replica has that its primary never had, or that the lineage says was cut off. The replica may have been read a moment after its primary, so the primary's own
 * newest transactions do not count.
 */
function errantOn(replica: ServerStatus, primary: ServerStatus, lineage: Lineage): string {
  const own = parseGtids(replica.binlogState);
  const beyond = historyBeyond(own, parseGtids(primary.binlogState), lineage);
  const foreign = new Map([...beyond].filter(([key]) => serverOf(key) !== primary.serverId));
  return renderGtids(unionGtids(foreign, placeGtids(own, lineage).diverged));
}

function judgePrimary(input: VerdictInput, status: ServerStatus | null): readonly Finding[] {
  const host = input.primary;
  if (status === null) {
    const { server } = observationOf(input.observation, host);
    const why = server !== null && server.reach !== 'answers' ? server.why : 'it was not asked';
    return [
      bad(host, {
        code: 'PrimaryDown',
        explains: `the primary does not answer (${why})`,
        remedy: `standfast failover ${input.cluster.cluster}`,
      }),
    ];
  }
  const findings: Finding[] = [...judgeHelper(observationOf(input.observation, host))];
  const prepare = `standfast prepare ${input.cluster.cluster} ${host}`;
  if (status.readOnly)
    findings.push(bad(host, { code: 'PrimaryClosed', explains: 'the primary refuses writes', remedy: prepare }));
  const others = namesOfOthers(status);
  if (others !== null)
    findings.push(bad(host, { code: 'ForeignChannel', explains: explainForeign(host, others), remedy: HOW_TO_END }));
  const faults = faultsOfWaiting(status.semiSync);
  if (input.sync?.mode === 'lossless' && faults.length > 0)
    findings.push(
      bad(host, {
        code: 'NotLossless',
        explains: `lossless acknowledgement is recorded, but ${host} does not keep it: ${faults.join('; ')}`,
        remedy: prepare,
      }),
    );
  if (input.cluster.mode === 'semisync' && input.sync?.mode !== 'lossless')
    findings.push({
      code: 'RunsAsync',
      severity: 'warn',
      host,
      explains: 'no replica acknowledges writes, so the loss of the primary can lose them',
      remedy: `standfast acker add ${input.cluster.cluster} HOST, or provision one`,
    });
  return findings;
}

function judgeVip(input: VerdictInput): readonly Finding[] {
  const holders = vipHolders(input.observation);
  const wrong = holders.filter((host) => host !== input.primary);
  const remedy = `standfast prepare ${input.cluster.cluster} ${input.primary}`;
  const nowhere = { code: 'VipNowhere', explains: 'no host that answers holds the VIP', remedy };
  // Its own helper would know.
  const isUnknown = !isAnswering(observationOf(input.observation, input.primary).helper);
  return [
    ...wrong.map((host) =>
      bad(host, { code: 'VipMisplaced', explains: `${host} holds the VIP but is not the primary`, remedy }),
    ),
    ...(holders.length === 0 && !isUnknown ? [bad(input.primary, nowhere)] : []),
    ...otherWriters(input),
  ];
}

const otherWriters = ({ cluster: { cluster }, observation, primary }: VerdictInput): readonly Finding[] =>
  observation.hosts
    .filter((entry) => entry.host !== primary && isAnswering(entry.server) && !entry.server.status.readOnly)
    .map((entry) =>
      bad(entry.host, {
        code: 'SecondWriter',
        explains: `${entry.host} accepts writes but is not the primary`,
        remedy: remedyFor(CLOSE_WRITER, { cluster, host: entry.host }),
      }),
    );

const bad = (host: HostName, finding: Pick<Finding, 'code' | 'explains' | 'remedy'>): Finding => ({
  severity: 'bad',
  host,
  ...finding,
});

function sentenceOf(input: VerdictInput, findings: readonly Finding[]): string {
  const { hosts } = input.cluster;
  const troubled = new Set(findings.filter((finding) => finding.severity === 'bad').map((finding) => finding.host));
  const head = `${String(hosts.filter(({ name }) => !troubled.has(name)).length)} of ${String(hosts.length)} hosts healthy`;
  const [worst] = [...findings].sort((left, right) => left.severity.localeCompare(right.severity));
  return worst === undefined ? `${head}; can lose ${String(canLose(input))}` : `${head}: ${worst.explains}`;
}
