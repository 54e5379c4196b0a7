import type { HostName } from './cluster.ts';
import type { ClusterObservation, HostObservation } from './observation.ts';
import { isAnswering, observationOf } from './observation.ts';

/** What a failover may do about the primary that it found. */
export type Consequence = 'leave' | 'reopen' | 'failOver' | 'refuse';

export interface Diagnosis {
  readonly code: string;
  readonly explains: string;
  readonly consequence: Consequence;
}

interface Evidence {
  readonly primary: HostObservation;
  /** Replicas that answered and receive from the primary. */
  readonly observers: readonly HostObservation[];
  /** The worker and every replica of the inventory. */
  readonly expectedObservers: number;
}

interface Rule extends Diagnosis {
  readonly matches: (evidence: Evidence) => boolean;
}

const reach = ({ primary }: Evidence): string => primary.server?.reach ?? 'silent';
const helperAnswers = ({ primary }: Evidence): boolean => isAnswering(primary.helper);
const mysqldStopped = ({ primary }: Evidence): boolean =>
  isAnswering(primary.helper) && primary.helper.mysqld === 'stopped';
const isReadOnly = ({ primary }: Evidence): boolean => isAnswering(primary.server) && primary.server.status.readOnly;
const stillHeard = ({ observers }: Evidence): boolean => observers.some((entry) => entry.hearsSource === true);
/** The worker itself is one observer that does not reach the primary. */
const agreeDead = ({ observers, expectedObservers }: Evidence): boolean =>
  (1 + observers.filter((entry) => entry.hearsSource === false).length) * 2 > expectedObservers;

/** First match wins: signs of life before signs of death. */
const RULES: readonly Rule[] = [
  {
    code: 'PrimaryServes',
    explains: 'the primary answers and accepts writes',
    consequence: 'leave',
    matches: (evidence) => reach(evidence) === 'answers' && !isReadOnly(evidence),
  },
  {
    code: 'PrimaryClosed',
    explains: 'the primary answers but refuses writes, as every member does after a restart',
    consequence: 'reopen',
    matches: (evidence) => reach(evidence) === 'answers',
  },
  {
    code: 'PrimaryFull',
    explains: 'the primary answers "too many connections": it is alive',
    consequence: 'leave',
    matches: (evidence) => reach(evidence) === 'full',
  },
  {
    code: 'PrimaryDenies',
    explains: 'the primary refuses the login of the operation account: it is alive',
    consequence: 'leave',
    matches: (evidence) => reach(evidence) === 'denied',
  },
  {
    code: 'PrimaryProcessDead',
    explains: "the primary's host answers and no database server runs on it",
    consequence: 'failOver',
    matches: mysqldStopped,
  },
  {
    code: 'PrimaryHeardByReplicas',
    explains:
      'the primary does not answer here, but a replica still hears it: the network to it is cut, it is not dead',
    consequence: 'refuse',
    matches: stillHeard,
  },
  {
    code: 'PrimaryHung',
    explains: "the primary's process exists and answers nobody",
    consequence: 'failOver',
    matches: (evidence) => helperAnswers(evidence) && agreeDead(evidence),
  },
  {
    code: 'PrimaryHostDead',
    explains: 'neither the host of the primary nor its server answers, and a majority of the observers agrees',
    consequence: 'failOver',
    matches: agreeDead,
  },
  {
    code: 'PrimaryUncertain',
    explains: 'the primary does not answer here, and too few replicas can say whether it lives',
    consequence: 'refuse',
    matches: () => true,
  },
];

export function diagnosePrimary(observation: ClusterObservation, primary: HostName): Diagnosis {
  const databases = observation.hosts.filter((entry) => entry.server !== null);
  const evidence: Evidence = {
    primary: observationOf(observation, primary),
    observers: databases.filter((entry) => receivesFrom(entry, primary)),
    expectedObservers: databases.length,
  };
  const rule = RULES.find((candidate) => candidate.matches(evidence));
  if (rule === undefined) throw new Error('the table of diagnoses has no last row');
  return { code: rule.code, explains: rule.explains, consequence: rule.consequence };
}

const receivesFrom = (entry: HostObservation, primary: HostName): boolean =>
  isAnswering(entry.server) && entry.server.status.replication?.source === primary;
