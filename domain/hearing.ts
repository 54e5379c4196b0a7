import type { HostName } from './cluster.ts';
import type { ReplicationStatus, ThreadState } from './observation.ts';

/** What a replica's receiver has shown so far of its source. Instants are of the watcher's monotonic clock, in milliseconds. */
export interface Hearing {
  readonly host: HostName;
  /** Whom it receives from; null when that is not in the inventory. */
  readonly source: HostName | null;
  readonly receiver: ThreadState;
  /** Heartbeats of the replication protocol, what was received, and how far it has read within a transaction: they move as long as the source lives. */
  readonly progress: string;
  readonly movedAtMs: number;
  readonly sampledAtMs: number;
}

export function hearAgain(
  before: Hearing | null,
  { host, status, nowMs }: { readonly host: HostName; readonly status: ReplicationStatus; readonly nowMs: number },
): Hearing {
  const { source, receiver } = status;
  const progress = `${String(status.heartbeatsReceived)} ${status.received} ${status.readUpTo ?? ''}`;
  const stands = before?.source === source && before.progress === progress && before.receiver === receiver;
  return { host, source, receiver, progress, movedAtMs: stands ? before.movedAtMs : nowMs, sampledAtMs: nowMs };
}

/**
 * The replica's vote: whether it hears its source. One whose receiver tries to connect does not; one that stands still cannot say; a running one hears as long
 * as its counters move. Votes expire: null.
 */
export function hears({ receiver, movedAtMs, sampledAtMs }: Hearing, nowMs: number, silenceMs: number): boolean | null {
  if (nowMs - sampledAtMs > silenceMs) return null;
  if (receiver === 'connecting') return false;
  return receiver === 'stopped' ? null : sampledAtMs - movedAtMs <= silenceMs;
}
