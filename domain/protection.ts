import type { ClusterRuns, RunsAnswer } from './cluster-runs.ts';
import type { ClusterDescription, HostName } from './cluster.ts';
import { memberNames } from './cluster.ts';
import type { ClusterObservation } from './observation.ts';
import { answeredRecords } from './observation.ts';
import type { Reason, Sight } from './protection-reasons.ts';
import { findReasons } from './protection-reasons.ts';
import { recordedLineage, recordedPrimary, recordedSync } from './records.ts';
import type { PrimaryRecord, SyncRecord } from './records.ts';
import type { Takeover } from './takeover.ts';
import { judgeTakeovers } from './takeover.ts';
import type { LagMeasurement, Verdict } from './verdict.ts';
import { judgeReplication } from './verdict.ts';

/**
 * `protected`: the primary may die now. `not-protected`: something was seen that contradicts that. `not-known`: nothing was, and something that decides was
 * not seen.
 */
export type ProtectionState = 'protected' | Reason['state'];

export interface ProtectionInput {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly runs: RunsAnswer;
}

export interface Protection {
  readonly cluster: string;
  readonly state: ProtectionState;
  /** One true sentence, with the name of the cluster. */
  readonly sentence: string;
  /** On record; null: not known, or nobody. */
  readonly primary: PrimaryRecord | null;
  readonly sync: SyncRecord | null;
  readonly takeovers: readonly Takeover[];
  /** What keeps it from being protected, the worst first. */
  readonly reasons: readonly Reason[];
  /** Replication, host by host; null while it is not known who is primary. */
  readonly verdict: Verdict | null;
  /** What to do next: a command, or what to look at. */
  readonly next: string;
}

/** Whether the primary may die now. Never says `protected` of anything that it did not see. */
export function judgeProtection(input: ProtectionInput): Protection {
  const sight = sightOf(input);
  const reasons = findReasons(sight);
  const { primary, sync, takeovers, verdict } = sight;
  const state = stateOf(sight, reasons);
  return {
    cluster: input.cluster.cluster,
    state,
    sentence: sentenceOf(sight, { state, reasons }),
    primary: primary.kind === 'known' ? primary.record : null,
    sync: sync.kind === 'known' ? sync.record : null,
    takeovers,
    reasons,
    verdict,
    next: nextStep(sight, reasons),
  };
}

function sightOf({ cluster, observation, runs }: ProtectionInput): Sight {
  const records = answeredRecords(observation);
  const members = memberNames(cluster).length;
  const primary = recordedPrimary(records, members);
  const sync = recordedSync(records, members);
  const seen = { cluster, observation, runs, primary, sync };
  const isHost = primary.kind === 'known' && cluster.hosts.some(({ name }) => name === primary.record.host);
  if (!isHost)
    return {
      ...seen,
      primary: isKnown(primary) ? strange(primary.record.host) : primary,
      takeovers: [],
      verdict: null,
    };
  const lineage = recordedLineage(records, members);
  const found = {
    cluster,
    observation,
    lineage,
    primary: primary.record.host,
    sync: isKnown(sync) ? sync.record : null,
  };
  return {
    ...seen,
    takeovers: judgeTakeovers(found),
    verdict: judgeReplication({ ...found, lag: lagIn(runs) }),
  };
}

const isKnown = <T extends { readonly kind: string }>(one: T): one is Extract<T, { kind: 'known' }> =>
  one.kind === 'known';

const strange = (host: HostName) =>
  ({ kind: 'undecided', why: `${host} is on record as primary, and is no host of the inventory` }) as const;

/** What the watcher knows; without one nothing is said of the lag. */
const lagIn = (runs: RunsAnswer): readonly LagMeasurement[] =>
  (runs.reach === 'answers' ? runs.runs.delays : []).flatMap(({ host, lag, clock, why }) =>
    lag === null ? [] : [{ host, lagMs: lag.lagMs, errorMs: lag.errorMs, clock, why }],
  );

/** Ready, and without a loss, or with the one that the inventory allows. */
const takesOver = (mode: ClusterDescription['mode'], { isReady, loss }: Takeover): boolean =>
  isReady && (loss === 'none' || (mode === 'async' && loss === 'later-writes'));

function stateOf({ cluster, takeovers }: Sight, reasons: readonly Reason[]): ProtectionState {
  if (reasons.some(({ state }) => state === 'not-protected')) return 'not-protected';
  if (reasons.some(({ state }) => state === 'not-known')) return 'not-known';
  return takeovers.some((one) => takesOver(cluster.mode, one)) ? 'protected' : 'not-known';
}

const WORDS = { protected: 'protected', 'not-protected': 'NOT PROTECTED', 'not-known': 'NOT KNOWN' } as const;

function sentenceOf(
  sight: Sight,
  { state, reasons }: { readonly state: ProtectionState; readonly reasons: readonly Reason[] },
): string {
  const { cluster, observation, runs } = sight;
  const said = runs.reach === 'answers' ? [lastVerified(runs.runs, observation.at)] : [];
  const what = state === 'protected' ? whoTakesOver(sight) : whyNot(reasons);
  return `${cluster.cluster}: ${WORDS[state]}: ${[what, ...said].join('; ')}`;
}

function whoTakesOver({ cluster, takeovers }: Sight): string {
  const ready = takeovers.filter((one) => takesOver(cluster.mode, one));
  const others = takeovers.filter((one) => !ready.includes(one)).map(({ host, why }) => `; ${host} cannot: ${why}`);
  const loss = ready.every((one) => one.loss === 'none')
    ? 'without loss'
    : 'without loss of what was committed when it was read; later writes can be lost (async)';
  return `${ready.map(({ host }) => host).join(' and ')} can take over now ${loss}${others.join('')}`;
}

function whyNot(reasons: readonly Reason[]): string {
  const [first, ...others] = reasons;
  if (first === undefined) return 'nobody is seen to be able to take over without loss';
  return others.length === 0 ? first.explains : `${first.explains}, and ${String(others.length)} more`;
}

function lastVerified({ lastVerification }: ClusterRuns, now: string): string {
  if (lastVerification === null) return 'never verified';
  const ago = `${inWords(Date.parse(now) - Date.parse(lastVerification.at))} ago`;
  const { outcome } = lastVerification;
  if (outcome === 'ok' || outcome === 'warn') return `last verified ${ago}`;
  return `the last verification, ${ago}, ${outcome === 'bad' ? 'found faults' : 'failed'}`;
}

/** In the largest unit that fits twice: two clocks are compared, so a second more or less says nothing. */
function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [
    ['days', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  const [name, size] = units.find(([, length]) => seconds >= 2 * length) ?? ['s', 1];
  return `${String(Math.floor(seconds / size))} ${name}`;
}

function nextStep({ cluster, runs, verdict }: Sight, reasons: readonly Reason[]): string {
  // Whatever else is wrong may be what it is about to mend, and it would refuse another one.
  const running = reasons.filter(({ code }) => code === 'OperationRuns');
  const [remedy] = [...running, ...reasons, ...(verdict?.findings ?? [])].map((one) => one.remedy);
  if (remedy !== undefined) return remedy;
  const isWatched = runs.reach !== 'answers' || runs.runs.watcher !== null;
  return isWatched ? `standfast verify ${cluster.cluster}` : 'standfast worker start, since nobody watches';
}
