import type { FailureType } from '../domain/failure.ts';
import { FAILURE_TYPES } from '../domain/failure.ts';

/** Of a command whose answer is not simply good; those of failures are beside their types. */
export const EXIT = { usage: 2, refused: 4, findings: 10, notKnown: 11 } as const;

/** What can go wrong between a caller and the runbook, besides the failures of the runbook itself. */
export const CLIENT_FAILURES = {
  Configuration: { exitCode: 3, means: 'the settings of the client cannot be used' },
  TemporalUnreachable: { exitCode: 8, means: 'Temporal does not answer' },
  WaitTimedOut: { exitCode: 7, means: 'the wait ended; the run goes on' },
  Detached: { exitCode: 7, means: 'the caller left; the run goes on' },
  Cancelled: { exitCode: 1, means: 'somebody cancelled the run' },
  Terminated: { exitCode: 6, means: 'somebody terminated the run: nothing was undone' },
  Internal: { exitCode: 1, means: 'a fault that no failure type describes' },
} as const satisfies Record<string, { exitCode: number; means: string }>;

export type ClientFailureType = keyof typeof CLIENT_FAILURES;
export type StandfastErrorType = FailureType | ClientFailureType;

export const ALL_FAILURES: readonly StandfastErrorType[] = [
  ...(Object.keys(FAILURE_TYPES) as FailureType[]),
  ...(Object.keys(CLIENT_FAILURES) as ClientFailureType[]),
];

/** A run, by what Temporal needs to find it again. */
export interface RunReference {
  readonly type: string;
  readonly workflowId: string;
  readonly runId: string;
}

export interface RunningOperation extends RunReference {
  /** ISO 8601. */
  readonly since: string;
}

export type Facts = Readonly<Record<string, unknown>>;

export interface StandfastErrorInit {
  readonly type: StandfastErrorType;
  readonly message: string;
  readonly facts?: Facts | undefined;
  readonly run?: RunReference | undefined;
  readonly runningOperation?: RunningOperation | undefined;
  readonly cause?: unknown;
}

/** Every failure of this client. `type` is stable; `message` is one sentence for people. */
export class StandfastError extends Error {
  override readonly name = 'StandfastError';
  readonly type: StandfastErrorType;
  /** Small, JSON-plain evidence; of an `Unhealthy` verification, its verdict. */
  readonly facts: Facts;
  /** Exit status of the command line for this failure. */
  readonly exitCode: number;
  /** The run that failed, or that goes on without the caller. */
  readonly run: RunReference | undefined;
  /** The operation that holds the cluster, when that is the reason or worth knowing. */
  readonly runningOperation: RunningOperation | undefined;

  constructor(init: StandfastErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.type = init.type;
    this.facts = init.facts ?? {};
    this.exitCode = exitCodeOf(this.type, this.facts);
    this.run = init.run;
    this.runningOperation = init.runningOperation;
  }
}

/** What the failure left behind on the hosts, from its facts. */
export type Aftermath = 'unchanged' | 'undone' | 'person-needed' | 'unknown';

export function aftermathOf(facts: Facts): Aftermath {
  if (listOf(facts, 'notUndone').length > 0) return 'person-needed';
  if (listOf(facts, 'undone').length > 0) return 'undone';
  if (facts['changed'] === false) return 'unchanged';
  return facts['changed'] === true ? 'person-needed' : 'unknown';
}

export const listOf = (facts: Facts, name: string): readonly string[] => {
  const value = facts[name];
  return Array.isArray(value) ? value.map(String) : [];
};

const AFTER_CHANGES: Partial<Record<Aftermath, number>> = { undone: 5, 'person-needed': 6 };
const WITHOUT_CHANGES: Readonly<Record<FailureType, number>> = {
  Unreachable: 1,
  NotYet: 1,
  Unverified: 1,
  Stale: EXIT.refused,
  Unsafe: EXIT.refused,
  Busy: EXIT.refused,
  BadInput: EXIT.usage,
  Unhealthy: EXIT.findings,
};

export function exitCodeOf(type: StandfastErrorType, facts: Facts): number {
  if (type in CLIENT_FAILURES) return CLIENT_FAILURES[type as ClientFailureType].exitCode;
  if (type === 'BadInput' && facts['about'] === 'configuration') return 3;
  return AFTER_CHANGES[aftermathOf(facts)] ?? WITHOUT_CHANGES[type as FailureType];
}
