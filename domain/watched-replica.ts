import type { ReplicaDelay } from './lag.ts';
import type { ReplicationStatus } from './observation.ts';
import type { ThreadError } from './thread-errors.ts';
import { inWords } from './thread-errors.ts';

/** What a watcher says of a replica, by what its server answered last. */
export interface ReplicaState {
  readonly code: string;
  readonly explains: string;
}

interface Rule {
  readonly code: string;
  readonly matches: (replication: ReplicationStatus) => boolean;
  readonly explains: (replication: ReplicationStatus) => string;
}

const because = (error: ThreadError | null): string =>
  error === null ? 'nobody started it, or somebody stopped it' : inWords(error);

/** First match wins: what is applied no more before what is received no more. */
const RULES: readonly Rule[] = [
  {
    code: 'ApplierStopped',
    matches: ({ applier }) => applier !== 'running',
    explains: ({ applierError }) => `its SQL thread stands still (${because(applierError)}), so it falls behind`,
  },
  {
    code: 'ReceiverStopped',
    matches: ({ receiver }) => receiver === 'stopped',
    explains: ({ receiverError }) => `its IO thread stands still (${because(receiverError)}), so it receives nothing`,
  },
  {
    code: 'ReceiverConnecting',
    matches: ({ receiver }) => receiver === 'connecting',
    explains: ({ receiverError }) => `its IO thread does not reach its source (${because(receiverError)})`,
  },
];

const REPLICATES: ReplicaState = { code: 'Replicates', explains: 'both its threads run' };

export function judgeThreads(replication: ReplicationStatus | null): ReplicaState {
  if (replication === null) return { code: 'ReplicatesFromNobody', explains: 'it has no source' };
  const rule = RULES.find((candidate) => candidate.matches(replication));
  return rule === undefined ? REPLICATES : { code: rule.code, explains: rule.explains(replication) };
}

/** One that was late is on time again when it is well below the limit: around it, every other look would be news. */
const WELL_BELOW = 0.5;

/**
 * By the least that its lag can be; null: it is on time, or nothing is known of its lag.
 * @param before the code of what was found at the last look
 */
export function judgeLag(
  delay: ReplicaDelay | null,
  {
    limits,
    before,
  }: { readonly limits: { readonly warnMs: number; readonly failMs: number }; readonly before: string | null },
): ReplicaState | null {
  const lag = delay?.lag ?? null;
  if (delay === null || lag === null) return null;
  const leastMs = lag.lagMs - lag.errorMs;
  const limit = (code: string, ms: number): number => (before === code ? ms * WELL_BELOW : ms);
  const gap = delay.gtidGap === null ? '' : `; it has ${String(delay.gtidGap)} transactions to apply`;
  const explains = (ms: number): string => `it is ${inSeconds(lag.lagMs)} behind, more than ${inSeconds(ms)}${gap}`;
  if (leastMs > limit('LagTooHigh', limits.failMs)) return { code: 'LagTooHigh', explains: explains(limits.failMs) };
  if (leastMs > limit('LagHigh', limits.warnMs)) return { code: 'LagHigh', explains: explains(limits.warnMs) };
  return null;
}

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
