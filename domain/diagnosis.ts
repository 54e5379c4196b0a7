import type { HostName } from './cluster.ts';
import type { ClusterObservation, HostFacts, HostObservation, ServerAnswer, Silence } from './observation.ts';
import { isAnswering, observationOf } from './observation.ts';

/** What a failover may do about the primary that it found. */
export type Consequence = 'leave' | 'reopen' | 'failOver' | 'refuse';

export interface Diagnosis {
  readonly code: string;
  readonly explains: string;
  readonly consequence: Consequence;
}

/** What is known of a primary at one moment, by whoever looked. */
export interface Evidence {
  /** How its server answers this observer: `open` for writes, `closed`, or not at all. `unasked`: this observer could not ask it. */
  readonly server: 'open' | 'closed' | 'unasked' | Silence;
  /** What its host says of the server's process; null: the host does not answer, or was not asked. */
  readonly process: 'running' | 'stopped' | null;
  /** Of every replica that answers and receives from it: whether it hears it; null: it cannot say. */
  readonly hearing: readonly (boolean | null)[];
  /** Of the worker of every other site that observes: whether it reaches it, alive; null: it cannot say. */
  readonly elsewhere: readonly (boolean | null)[];
  /** This observer, every replica of the inventory, and every site that observes. */
  readonly expectedObservers: number;
}

interface Rule extends Diagnosis {
  readonly matches: (evidence: Evidence) => boolean;
}

/** This observer is one that does not reach the primary. */
const agreeDead = ({ hearing, elsewhere, expectedObservers }: Evidence): boolean =>
  (1 + [...hearing, ...elsewhere].filter((reaches) => reaches === false).length) * 2 > expectedObservers;

/** First match wins: signs of life before signs of death. */
const RULES: readonly Rule[] = [
  {
    code: 'PrimaryServes',
    explains: 'the primary answers and accepts writes',
    consequence: 'leave',
    matches: ({ server }) => server === 'open',
  },
  {
    code: 'PrimaryClosed',
    explains: 'the primary answers but refuses writes, as every member does after a restart',
    consequence: 'reopen',
    matches: ({ server }) => server === 'closed',
  },
  {
    code: 'PrimaryFull',
    explains: 'the primary answers "too many connections": it is alive',
    consequence: 'leave',
    matches: ({ server }) => server === 'full',
  },
  {
    code: 'PrimaryDenies',
    explains: 'the primary refuses the login of the operation account: it is alive',
    consequence: 'leave',
    matches: ({ server }) => server === 'denied',
  },
  {
    code: 'PrimaryFaulty',
    explains: 'the primary answers with an error of its own: it is alive',
    consequence: 'leave',
    matches: ({ server }) => server === 'faulty',
  },
  {
    code: 'PrimaryProcessDead',
    explains: "the primary's host answers and no database server runs on it",
    consequence: 'failOver',
    matches: ({ process }) => process === 'stopped',
  },
  {
    code: 'PrimaryHeardByReplicas',
    explains:
      'the primary does not answer here, but a replica still hears it: the network to it is cut, it is not dead',
    consequence: 'refuse',
    matches: ({ hearing }) => hearing.includes(true),
  },
  {
    code: 'PrimaryReachedElsewhere',
    explains:
      'the primary does not answer here, but the worker of another site reaches it: the network to it is cut, it is not dead',
    consequence: 'refuse',
    matches: ({ elsewhere }) => elsewhere.includes(true),
  },
  {
    code: 'PrimaryUnasked',
    explains: 'the primary could not be asked, for a reason on this side, such as a secret that cannot be read',
    consequence: 'refuse',
    matches: ({ server }) => server === 'unasked',
  },
  {
    code: 'PrimaryHung',
    explains: "the primary's process exists and answers nobody",
    consequence: 'failOver',
    matches: (evidence) => evidence.process === 'running' && agreeDead(evidence),
  },
  {
    code: 'PrimaryHostDead',
    explains: 'the primary answers nobody, and a majority of the observers agrees',
    consequence: 'failOver',
    matches: agreeDead,
  },
  {
    code: 'PrimaryUncertain',
    explains: 'the primary does not answer here, and too few observers can say whether it lives',
    consequence: 'refuse',
    matches: () => true,
  },
];

export function diagnose(evidence: Evidence): Diagnosis {
  const rule = RULES.find((candidate) => candidate.matches(evidence));
  if (rule === undefined) throw new Error('the table of diagnoses has no last row');
  return { code: rule.code, explains: rule.explains, consequence: rule.consequence };
}

export function diagnosePrimary(observation: ClusterObservation, primary: HostName): Diagnosis {
  const databases = observation.hosts.filter((entry) => entry.server !== null);
  const { helper, server } = observationOf(observation, primary);
  const elsewhere = (observation.elsewhere ?? []).map(({ host, reaches }) => (host === primary ? reaches : null));
  return diagnose({
    server: reachOf(server, isAnswering(helper) ? helper : null),
    process: isAnswering(helper) ? helper.mysqld : null,
    hearing: databases.filter((entry) => receivesFrom(entry, primary)).map((entry) => entry.hearsSource),
    elsewhere,
    expectedObservers: databases.length + elsewhere.length,
  });
}

function reachOf(server: ServerAnswer | null, facts: HostFacts | null): Evidence['server'] {
  if (server === null) return 'silent';
  if (!isAnswering(server)) return isKeptOut(server.reach, facts) ? 'full' : server.reach;
  return server.status.readOnly ? 'closed' : 'open';
}

/** Its own host says that its kernel, for a moment, lets only members connect to a server that runs: it is full, not dead. */
const isKeptOut = (reach: Silence, facts: HostFacts | null): boolean =>
  reach === 'refused' && facts?.mysqld === 'running' && facts.refusesClients === true;

const receivesFrom = (entry: HostObservation, primary: HostName): boolean =>
  isAnswering(entry.server) && entry.server.status.replication?.source === primary;
