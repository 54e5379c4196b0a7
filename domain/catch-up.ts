import type { FailureType } from './failure.ts';
import type { ReplicationStatus } from './observation.ts';
import type { Progress } from './progress.ts';
import { standsStill } from './progress.ts';

/** One large transaction can take this long to apply, while nothing else is seen to move. */
const STANDSTILL_MS = 3_600_000;
/** A receiver that connects anew takes seconds; one that does not is told to whoever waits, and waited for on. */
const UNCONNECTED_MS = 30_000;

export interface Hindrance {
  readonly type: FailureType;
  readonly why: string;
}

/** Why a copy does not reach the position it has to; null while it may be waited for. `atMs`: on the clock of `progress`. */
export function hindranceOf(
  replication: ReplicationStatus | null,
  { progress, atMs }: { readonly progress: Progress; readonly atMs: number },
): Hindrance | null {
  if (replication === null) return { type: 'Unsafe', why: 'it replicates from nobody any more' };
  const { applierError, receiver, receiverError } = replication;
  if (applierError !== null)
    return { type: 'Unsafe', why: `its applier stopped with ${said(applierError)}; look at its error log` };
  if (standsStill(progress, { atMs, forMs: STANDSTILL_MS })) {
    const minutes = String(STANDSTILL_MS / 60_000);
    return { type: 'Unsafe', why: `it has applied nothing for ${minutes} minutes; look at its replication threads` };
  }
  if (receiver === 'running' || !standsStill(progress, { atMs, forMs: UNCONNECTED_MS })) return null;
  const because = receiverError === null ? '' : ` (${said(receiverError)})`;
  return { type: 'NotYet', why: `its receiver is ${receiver}${because}; mend that, it is waited for` };
}

const said = ({ code, message }: { readonly code: number; readonly message: string }): string =>
  `error ${String(code)}: ${message}`;
