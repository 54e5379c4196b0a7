import { HOW_TO_END, namesOfOthers } from './channels.ts';
import type { HostName } from './cluster.ts';
import type { HostObservation } from './observation.ts';
import { isAnswering } from './observation.ts';
import { PROVISION_AGAIN, SET_ASIDE } from './remedies.ts';
import type { ThreadError } from './thread-errors.ts';
import { inWords } from './thread-errors.ts';
import type { Finding, LagMeasurement, ReplicaEvidence, Severity } from './verdict.ts';

export interface ReplicaCase {
  readonly cluster: string;
  readonly evidence: ReplicaEvidence;
  readonly observation: HostObservation;
  readonly primary: HostName;
  readonly lag: LagMeasurement | null;
  /** The `sync` record counts on its acknowledgements. */
  readonly isAcker: boolean;
  readonly limits: { readonly warnMs: number; readonly failMs: number };
}

interface Rule {
  readonly code: string;
  readonly severity: Severity;
  readonly matches: (found: ReplicaCase) => boolean;
  readonly explains: (found: ReplicaCase) => string;
  /** CLUSTER, PRIMARY and HOST stand for their names. */
  readonly remedy: string;
}

const status = ({ observation }: ReplicaCase) => (isAnswering(observation.server) ? observation.server.status : null);
const replication = (found: ReplicaCase) => status(found)?.replication ?? null;
const follows = (found: ReplicaCase): boolean => replication(found) !== null;

const othersOf = (found: ReplicaCase): string | null => {
  const own = status(found);
  return own === null ? null : namesOfOthers(own);
};

export const explainForeign = (host: HostName, names: string): string =>
  `${host} has a replication channel that is not the cluster's: ${names}`;

const isFenced = ({ observation: { helper } }: ReplicaCase): boolean => isAnswering(helper) && helper.records.fenced;

const DOWN = {
  code: 'ReplicaDown',
  severity: 'bad',
  explains: ({ observation: { host, server } }: ReplicaCase) =>
    `${host} does not answer (${server !== null && server.reach !== 'answers' ? server.why : 'not asked'})`,
} as const;

const isApplierStopped = (found: ReplicaCase): boolean => follows(found) && found.evidence.applier !== 'running';

const APPLIER_STOPPED = {
  code: 'ApplierStopped',
  severity: 'bad',
  explains: (found: ReplicaCase) =>
    `the SQL thread of ${found.evidence.host} is ${found.evidence.applier}${because(replication(found)?.applierError)}`,
} as const;

/** Every rule is judged; a replica may break several. */
const RULES: readonly Rule[] = [
  {
    ...DOWN,
    matches: (found) => status(found) === null && !isFenced(found),
    remedy:
      'start its database server, which comes back read-only and stands still; then standfast prepare CLUSTER PRIMARY. Not one that is being provisioned, never was, or was stopped by a rejoin that set aside what only it has: standfast provision CLUSTER HOST',
  },
  {
    ...DOWN,
    matches: (found) => status(found) === null && isFenced(found),
    // Its port is shut, and what only it has must be set aside before it starts.
    remedy: 'standfast rejoin CLUSTER HOST',
  },
  {
    code: 'TransactionsLost',
    severity: 'bad',
    matches: ({ evidence }) => evidence.lost !== undefined && evidence.lost !== '',
    explains: ({ evidence }) =>
      `the log of ${evidence.host} lacks transactions that it wrote itself and the primary has, up to ${evidence.lost ?? ''}; replication passes over them`,
    remedy: PROVISION_AGAIN,
  },
  {
    code: 'NotReplicating',
    severity: 'bad',
    matches: (found) => status(found) !== null && !follows(found),
    explains: ({ evidence }) => `${evidence.host} replicates from nobody`,
    remedy: 'standfast rejoin CLUSTER HOST, or standfast provision when it never held the data',
  },
  {
    code: 'WrongSource',
    severity: 'bad',
    matches: (found) => follows(found) && found.evidence.source !== found.primary,
    explains: ({ evidence, primary }) =>
      `${evidence.host} replicates from ${evidence.source ?? 'an unknown server'} instead of ${primary}`,
    remedy: 'standfast rejoin CLUSTER HOST',
  },
  {
    code: 'ForeignChannel',
    severity: 'bad',
    matches: (found) => othersOf(found) !== null,
    explains: (found) => explainForeign(found.evidence.host, othersOf(found) ?? ''),
    remedy: HOW_TO_END,
  },
  {
    code: 'ReceiverStopped',
    severity: 'bad',
    matches: (found) => follows(found) && found.evidence.receiver !== 'running',
    explains: (found) =>
      `the IO thread of ${found.evidence.host} is ${found.evidence.receiver}${because(replication(found)?.receiverError)}`,
    remedy: 'mend the cause, then standfast prepare CLUSTER PRIMARY',
  },
  {
    ...APPLIER_STOPPED,
    matches: (found) => isApplierStopped(found) && found.evidence.receiver !== 'stopped',
    remedy: 'mend the cause, then START SLAVE SQL_THREAD (never stop the IO thread first)',
  },
  {
    ...APPLIER_STOPPED,
    // With both threads stopped, a start of either by hand deletes what the relay log still holds.
    matches: (found) => isApplierStopped(found) && found.evidence.receiver === 'stopped',
    remedy:
      'start neither thread by hand, which would delete its relay log; standfast prepare CLUSTER PRIMARY, or standfast failover CLUSTER when PRIMARY is dead',
  },
  {
    code: 'ErrantTransactions',
    severity: 'bad',
    matches: ({ evidence }) => evidence.errant !== '',
    explains: ({ evidence }) => `${evidence.host} has transactions that the primary never had: ${evidence.errant}`,
    remedy: SET_ASIDE,
  },
  {
    code: 'ReplicaWritable',
    severity: 'bad',
    matches: ({ evidence }) => evidence.readOnly === false,
    explains: ({ evidence }) => `${evidence.host} accepts writes`,
    remedy: 'SET GLOBAL read_only=1 on it',
  },
  {
    code: 'LagUnmeasured',
    severity: 'bad',
    matches: (found) => follows(found) && found.lag !== null && found.lag.lagMs === null,
    explains: ({ evidence, lag }) => `no heartbeat row reached ${evidence.host}: ${lag?.why ?? ''}`,
    remedy: 'look at its threads and its load',
  },
  {
    code: 'LagTooHigh',
    severity: 'bad',
    matches: ({ lag, limits }) => (lag?.lagMs ?? 0) > limits.failMs,
    explains: ({ evidence, limits }) => lagSentence(evidence, limits.failMs),
    remedy: 'look at its load and at long transactions',
  },
  {
    code: 'LagHigh',
    severity: 'warn',
    matches: ({ lag, limits }) => (lag?.lagMs ?? 0) > limits.warnMs && (lag?.lagMs ?? 0) <= limits.failMs,
    explains: ({ evidence, limits }) => lagSentence(evidence, limits.warnMs),
    remedy: 'look at its load and at long transactions',
  },
  {
    code: 'AckerSilent',
    severity: 'bad',
    matches: (found) => found.isAcker && follows(found) && status(found)?.semiSync.replicaActive === false,
    explains: ({ evidence }) => `${evidence.host} is recorded to acknowledge writes and does not`,
    remedy: 'standfast prepare CLUSTER PRIMARY',
  },
];

export const judgeReplica = (found: ReplicaCase): readonly Finding[] => [
  ...judgeByRules(found),
  ...judgeHelper(found.observation),
];

/** Of any host: without its helper nothing can be done on it, and it counts for no record. */
export const judgeHelper = ({ host, helper }: HostObservation): readonly Finding[] =>
  isAnswering(helper)
    ? []
    : [
        {
          code: 'HelperSilent',
          severity: 'bad',
          host,
          explains: `the host helper of ${host} does not answer (${helper.why})`,
          remedy: 'look at sshd and at /usr/local/sbin/standfast-host on it',
        },
      ];

const judgeByRules = (found: ReplicaCase): readonly Finding[] =>
  RULES.filter((rule) => rule.matches(found)).map((rule) => ({
    code: rule.code,
    severity: rule.severity,
    host: found.evidence.host,
    explains: rule.explains(found),
    remedy: rule.remedy
      .replaceAll('CLUSTER', found.cluster)
      .replaceAll('PRIMARY', found.primary)
      .replaceAll('HOST', found.evidence.host),
  }));

const because = (error: ThreadError | null | undefined): string =>
  error === null || error === undefined ? '' : ` (${inWords(error)})`;

const lagSentence = (evidence: ReplicaEvidence, limitMs: number): string =>
  `${evidence.host} lags ${String(Math.round(evidence.lagMs ?? 0))} ms, more than ${String(limitMs)} ms`;
