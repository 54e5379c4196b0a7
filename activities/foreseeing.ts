import type { ClusterPorts, HelperAnswerFields, HelperPort } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { Acceptance, PossibleLoss, Risk } from '../domain/acceptance.ts';
import { acceptanceOf, leftOpen, NO_RISK, wordAbout } from '../domain/acceptance.ts';
import { vouching } from '../domain/channels.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Coverage, CoverageInput } from '../domain/coverage.ts';
import { judgeCoverage, judgeRevocation, judgeTail } from '../domain/coverage.ts';
import type { Vote } from '../domain/election.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { answeredRecords, answeredStatuses, isAnswering, isThere, observationOf } from '../domain/observation.ts';
import { diskFreeBytes } from './asking.ts';
import type { Question } from './electing.ts';
import { electFrom, followersOf, lineageOf, recordedAckers, siblingsOf, syncOf } from './electing.ts';
import { FIRST_LOOK } from './patience.ts';
import { Refusal } from './refusal.ts';
import { tailFrom } from './salvaging.ts';

/** Clients wait while the log of the old primary is read, which only foretells a loss: not for a large one. */
const LOG_MS = 10_000;

export interface Foreseen extends Question {
  readonly cluster: ClusterPorts;
  readonly seen: ClusterObservation;
  readonly logs: RelayLogs;
  readonly accepted: Acceptance | null;
}

/** How a failover would go, as far as it can be known before anything is changed. */
export interface Foresight {
  readonly winner: HostName;
  readonly votes: readonly Vote[];
  /** Who would acknowledge the writes of the winner. */
  readonly ackers: readonly HostName[];
  /** By the ackers alone; the old primary's binary log is read after the fence. */
  readonly byAckers: Coverage;
  readonly risk: Risk;
}

/**
 * What would be refused at the end is refused before anything is changed: whether losslessness can be covered, whether a rung of the fence is at hand.
 * @throws Refusal, and what {@link foresee} throws
 */
export async function refuseWhatIsForeseen(input: Foreseen): Promise<void> {
  const { risk } = await foresee(input);
  refuseUnaccepted(risk, input);
}

/**
 * @throws Refusal when nobody can be elected, or nobody would be left to acknowledge; AdapterFailure `BadInput` when the secret of the replication account
 * cannot be read
 */
export async function foresee(input: Foreseen): Promise<Foresight> {
  const { seen, primary, cluster } = input;
  const { description } = cluster;
  const { followers, leftOut } = await contributing(input.logs, followersOf(seen, primary));
  const election = electFrom(cluster, { ...input, followers });
  if (election.kind === 'refused')
    throw new Refusal(
      `no replica can be promoted: ${[election.explains, ...leftOut].join('; ')}`,
      'bring back a host that is missing, or the primary itself',
    );
  const recorded = recordedAckers(cluster, answeredRecords(seen)).filter((acker) => acker !== election.host);
  const siblings = siblingsOf(answeredStatuses(seen), election.host);
  const ackers = recorded.filter((acker) => siblings.includes(acker));
  if (description.mode === 'semisync' && description.alone === 'stop' && ackers.length === 0)
    throw new Refusal(
      `nobody on record would be left to acknowledge the writes of ${election.host}, and policy.alone is stop`,
      `${recorded.length === 0 ? '' : `bring back ${recorded.join(' or ')}, or `}set policy.alone to async`,
    );
  await cluster.replicationAccount(); // the others could not be told to follow it
  const contributors = vouching(
    election.because.map((vote) => vote.host),
    answeredStatuses(seen),
  );
  const fence = unprovableFence(input, contributors);
  const evidence = {
    sync: syncOf(cluster, answeredRecords(seen)),
    contributors,
    winnerReceived: election.received,
    lineage: lineageOf(cluster, answeredRecords(seen)),
  };
  const byAckers = explained(judgeCoverage({ ...evidence, oldBinlogEnd: null }), leftOut);
  const loss = await foreseeLoss(input, { byAckers, evidence });
  return { winner: election.host, votes: election.because, ackers, byAckers, risk: { fence, loss } };
}

interface RelayLog {
  /** Null: they are whole. */
  readonly fault: string | null;
  readonly diskFreeBytes: number | null;
}

/** What the relay logs of each host are like; null: its helper does not say. Only the replicas are waited for. */
export type RelayLogs = ReadonlyMap<HostName, Promise<RelayLog | null>>;

export function lookAtRelayLogs(cluster: ClusterPorts): RelayLogs {
  const logs = new Map(cluster.description.hosts.map(({ name }) => [name, lookAtRelayLog(cluster, name)]));
  // Whoever waits for one hears of its fault. Nobody waits for a host that is no replica, and then it decides nothing.
  for (const look of logs.values()) look.catch(() => undefined);
  return logs;
}

async function lookAtRelayLog(cluster: ClusterPorts, host: HostName): Promise<RelayLog | null> {
  try {
    const answer = await cluster.helper(host).request('relay-source', {}, { timeoutMs: FIRST_LOOK.helperMs });
    return { fault: faultOf(answer), diskFreeBytes: diskFreeBytes(answer) };
  } catch (error) {
    if (error instanceof AdapterFailure) return null;
    throw error;
  }
}

/** `unknown`: nobody but the server can read them. */
function faultOf({ source, why = '' }: HelperAnswerFields): string | null {
  if (source === 'no') return 'its relay logs were thrown away, by a start of its threads with nobody to receive from';
  return source === 'unknown' ? `it cannot be seen that its relay logs are whole: ${why}` : null;
}

interface Contributing {
  readonly followers: ReadonlyMap<HostName, number | null>;
  /** Who is not among them, and why. */
  readonly leftOut: readonly string[];
}

/**
 * One whose relay logs were thrown away, by a start while its source was gone, is left out when the receivers are stopped, so it is not counted on before; nor is
 * one of whose logs that cannot be seen. Whoever cannot say so, as a helper of an earlier version, is.
 */
async function contributing(logs: RelayLogs, followers: readonly HostName[]): Promise<Contributing> {
  const looks = await Promise.all(followers.map(async (host) => ({ host, log: (await logs.get(host)) ?? null })));
  return {
    followers: new Map(
      looks.flatMap(({ host, log }) => ((log?.fault ?? null) === null ? [[host, log?.diskFreeBytes ?? null]] : [])),
    ),
    leftOut: looks.flatMap(({ host, log }) =>
      (log?.fault ?? null) === null ? [] : [`${host} is not counted on: ${log?.fault ?? ''}`],
    ),
  };
}

const explained = (coverage: Coverage, whys: readonly string[]): Coverage =>
  coverage.kind === 'lossless' ? coverage : { ...coverage, why: [coverage.why, ...whys].join('; ') };

type Given = Pick<Foreseen, 'accepted' | 'cluster' | 'primary'>;

/** @throws Refusal with everything that is still open, and how it can be accepted */
export function refuseUnaccepted(risk: Risk, given: Given): void {
  const refusal = unaccepted(risk, given);
  if (refusal !== null) throw refusal;
}

/** Null: nothing is open. */
export function unaccepted(risk: Risk, { accepted, cluster, primary }: Given): Refusal | null {
  const open = leftOpen(risk, wordAbout(primary, accepted), cluster.description.mayLose);
  if (open.length === 0) return null;
  return new Refusal(
    open.join('; '),
    `bring back a host that is missing, or let a person answer for it: start the failover with askWithin, then send it the update accept with ${JSON.stringify(acceptanceOf(risk))}`,
    { risk, primary },
  );
}

function unprovableFence({ cluster, seen, primary }: Foreseen, contributors: readonly HostName[]): string | null {
  const { helper } = observationOf(seen, primary);
  const { fence } = cluster.description;
  if (fence.includes('powerOff') || (fence.includes('ssh') && isThere(helper))) return null;
  const revocation = judgeRevocation(syncOf(cluster, answeredRecords(seen)), contributors);
  if (fence.includes('revocation') && revocation.enough) return null;
  const tried = [
    ...(isAnswering(helper) ? [] : [`it does not answer over SSH (${helper.why})`]),
    'the policy has no power switch',
    fence.includes('revocation') ? revocation.why : 'the policy has no revocation',
  ];
  return `it cannot be proven that ${primary} accepts no more writes: ${tried.join('; ')}`;
}

async function foreseeLoss(
  { cluster, seen, primary }: Foreseen,
  { byAckers, evidence }: { readonly byAckers: Coverage; readonly evidence: Omit<CoverageInput, 'oldBinlogEnd'> },
): Promise<PossibleLoss | null> {
  const { helper } = observationOf(seen, primary);
  const reachable = isAnswering(helper);
  if (reachable && helper.mysqld === 'running') return NO_RISK.loss; // its binlog can be read only after the fence
  // Where the ackers cover, the old binlog cannot take anything away, and to read it takes time.
  if (byAckers.kind === 'lossless') return null;
  if (!reachable) return lossOf(byAckers);
  return lossByLog(cluster.helper(primary), { byAckers, evidence, salvage: cluster.description.salvage }).catch(unread);
}

interface ByLog {
  readonly byAckers: Extract<Coverage, { kind: 'lossy' }>;
  readonly evidence: Omit<CoverageInput, 'oldBinlogEnd'>;
  readonly salvage: 'apply' | 'quarantine';
}

async function lossByLog(helper: HelperPort, { byAckers, evidence, salvage }: ByLog): Promise<PossibleLoss | null> {
  const end = await helper.request('binlog-end', {}, { timeoutMs: LOG_MS }).catch(unreadable);
  if (typeof end === 'string') return lossOf({ ...byAckers, why: `${byAckers.why} (${end})` });
  const coverage = judgeCoverage({ ...evidence, oldBinlogEnd: end['gtid'] ?? '' });
  if (coverage.kind === 'lossless') return null;
  const beyond = { logs: 'binlog', beyond: evidence.winnerReceived };
  const refined = judgeTail(
    coverage,
    tailFrom(await helper.request('tail-list', beyond, { timeoutMs: LOG_MS })),
    salvage,
  );
  return refined.kind === 'lossy' ? lossOf(refined) : null;
}

/** In time: it is known after the fence, when it is read from where the winner has read on. */
function unread(error: unknown): PossibleLoss | null {
  if (error instanceof AdapterFailure && error.type === 'Unreachable') return NO_RISK.loss;
  throw error;
}

/** No reason to end without asking: whoever answers for it may go on without that log. */
function unreadable(error: unknown): string {
  if (error instanceof AdapterFailure && error.type === 'Unverified') return error.message;
  throw error;
}

export const lossOf = ({ why, count }: { readonly why: string; readonly count: number | null }): PossibleLoss => ({
  count,
  explains: `no acknowledged write may be lost, and that cannot be promised: ${why}`,
});
