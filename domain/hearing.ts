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
  readonly heartbeatPeriodSeconds: number;
  readonly movedAtMs: number;
  readonly sampledAtMs: number;
}

export function hearAgain(
  before: Hearing | null,
  { host, status, nowMs }: { readonly host: HostName; readonly status: ReplicationStatus; readonly nowMs: number },
): Hearing {
  const { source, receiver, heartbeatPeriodSeconds } = status;
  const progress = `${String(status.heartbeatsReceived)} ${status.received} ${status.readUpTo ?? ''}`;
  const stands = before?.source === source && before.progress === progress && before.receiver === receiver;
  const movedAtMs = stands ? before.movedAtMs : nowMs;
  return { host, source, receiver, progress, heartbeatPeriodSeconds, movedAtMs, sampledAtMs: nowMs };
}

/** A heartbeat may be under way for half a period more. */
const DUE_AFTER_PERIODS = 1.5;

/**
 * Whether a silence of `ms` says anything: a source that has nothing to send sends one heartbeat a period, and none when that is 0. A replica that was built by
 * hand keeps half of `slave_net_timeout`, so its source may live and be silent for 30 s. Source: MariaDB KB, CHANGE MASTER TO.
 */
export const saysSomething = (
  { heartbeatPeriodSeconds: seconds }: Pick<ReplicationStatus, 'heartbeatPeriodSeconds'>,
  ms: number,
): boolean => seconds > 0 && DUE_AFTER_PERIODS * 1_000 * seconds <= ms;

/**
 * The replica's vote: whether it hears its source. One whose receiver tries to connect does not; one that stands still cannot say; a running one hears as long
 * as its counters move, and cannot say when they need not have. Votes expire: null.
 */
export function hears(hearing: Hearing, nowMs: number, silenceMs: number): boolean | null {
  const { receiver, movedAtMs, sampledAtMs } = hearing;
  if (nowMs - sampledAtMs > silenceMs) return null;
  if (receiver === 'connecting') return false;
  if (receiver === 'stopped') return null;
  if (sampledAtMs - movedAtMs <= silenceMs) return true;
  return saysSomething(hearing, silenceMs) ? false : null;
}
