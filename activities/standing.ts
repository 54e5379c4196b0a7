import { AdapterFailure } from '../adapters/ports.ts';
import type { ClusterPorts } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { isClaimOf, memberNames } from '../domain/cluster.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { ServerAnswer } from '../domain/observation.ts';
import { answeredRecords, isAnswering } from '../domain/observation.ts';
import type { SyncRecord } from '../domain/records.ts';
import { recordedSync } from '../domain/records.ts';
import { lineageOf, primaryOf } from './electing.ts';
import { askServer } from './asking.ts';
import { observe } from './observing.ts';
import { until } from './steps.ts';

const ANSWER_MS = 3_000;
const POLL_MS = 50;

/** Who is primary and was, and what is on record about acknowledgements. */
export interface Standing {
  readonly primary: HostName;
  readonly sync: SyncRecord | null;
  readonly lineage: Lineage;
}

/** @throws AdapterFailure `Unsafe` when a majority does not tell */
export async function standingOf(cluster: ClusterPorts): Promise<Standing> {
  const seen = await observe(cluster);
  const primary = primaryOf(cluster, seen);
  const sync = recordedSync(answeredRecords(seen), memberNames(cluster.description).length);
  if (sync.kind === 'undecided')
    throw new AdapterFailure({
      type: 'Unsafe',
      host: primary,
      message: `it is not known who acknowledges writes: ${sync.why}`,
    });
  return {
    primary,
    sync: sync.kind === 'known' ? sync.record : null,
    lineage: lineageOf(cluster, answeredRecords(seen)),
  };
}

interface OfPrimary {
  readonly primary: HostName;
  readonly signal: AbortSignal;
}

/** Writers that hang may have taken every connection; the one that is kept for administrators is free again in a moment. */
export async function answerOf(cluster: ClusterPorts, { primary, signal }: OfPrimary): Promise<ServerAnswer> {
  let answer = await askServer(cluster, primary);
  const answered = async (): Promise<true | null> => {
    if (!isAnswering(answer)) answer = await askServer(cluster, primary);
    return isAnswering(answer) ? true : null;
  };
  await until(answered, { signal, everyMs: POLL_MS, forMs: ANSWER_MS });
  return answer;
}

/**
 * Who acknowledges the writes of a dead primary is no longer to be changed.
 * @throws AdapterFailure `Unsafe`
 */
export async function requireAnswer(cluster: ClusterPorts, of: OfPrimary): Promise<void> {
  const answer = await answerOf(cluster, of);
  const { primary } = of;
  if (isAnswering(answer)) return;
  throw new AdapterFailure({
    type: 'Unsafe',
    host: primary,
    message: `the primary ${primary} does not answer (${answer.why}), so it cannot be told whom to wait for. Nothing was changed. If it is dead: standfast failover ${cluster.description.cluster}`,
  });
}

/** For undos: without an epoch of `run` on any member that answers, the run did nothing. */
export const hasClaimed = async (cluster: ClusterPorts, run: string): Promise<boolean> =>
  answeredRecords(await observe(cluster)).some((records) => isClaimOf(records.epoch, run));

/** Why `primary` may not be left without anybody who acknowledges; null: it may. */
export function whyNotAlone(cluster: ClusterPorts, primary: HostName): string | null {
  const { cluster: name, alone, mode } = cluster.description;
  if (mode === 'async' || alone === 'async') return null;
  return `nobody would acknowledge the writes of ${primary}, and policy.alone of ${name} is stop. Nothing was changed. Bring a replica back (standfast acker add ${name} HOST), or set policy.alone to async in the inventory first`;
}
