import type { HostName, WatchPolicy } from './cluster.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { ListedDelay } from './lag.ts';
import type { LockoutMemory } from './room.ts';

/** Something about a watched cluster has become different, and stayed so for a moment. */
export interface Transition {
  readonly cluster: string;
  readonly host: HostName;
  /** ISO 8601, the watcher's clock. */
  readonly at: string;
  readonly code: string;
  readonly explains: string;
  /** What the watcher does about it; empty: nothing has to be done. */
  readonly reaction: string;
}

/** What the activity that watches a shard tells Temporal with its heartbeats. */
export interface WatchDetails {
  /** The replicas that are the furthest behind. */
  readonly delays: readonly ListedDelay[];
  /** The clusters that it has taken up, each with the digest of what the inventory said of it then. */
  readonly clusters: Readonly<Record<string, string>>;
  /** Those of them whose primary it does not know, so that it watches nobody there. */
  readonly withoutPrimary: readonly string[];
}

/** What a watcher remembers of a cluster. Instants are of its monotonic clock, in milliseconds. */
export interface WatchMemory extends LockoutMemory {
  /** Since when every diagnosis found the primary dead; null: it was not dead the last time. */
  readonly deadSinceMs: number | null;
  /** Since when it does not answer here; null: it answered the last time. */
  readonly silentSinceMs: number | null;
  /** Before it the network to it is known to be bad: it was silent here a short while ago, and lived. */
  readonly unsteadyUntilMs: number;
  /** Before it nothing is tried again: another operation holds the cluster, or the primary could not be opened. */
  readonly restUntilMs: number;
  /** Before it no failover is tried again: the last one was refused. A primary that answers meanwhile is opened. */
  readonly refusedUntilMs: number;
  /** When an automatic failover ended last that promoted somebody; null: none did, or longer ago than any cooldown of then. */
  readonly failedOverAtMs: number | null;
  /** A failover that it started was not seen to end yet. */
  readonly isFailingOver: boolean;
  /** The server that answers now was seen open since it started: whoever closed it meant to. */
  readonly sawOpen: boolean;
  /** When that server started. */
  readonly startedAtMs: number;
  /** It could not be opened again by itself, as after a failover that was ended half-way. */
  readonly reopenFailed: boolean;
}

export const FRESH: WatchMemory = {
  deadSinceMs: null,
  silentSinceMs: null,
  unsteadyUntilMs: 0,
  restUntilMs: 0,
  refusedUntilMs: 0,
  failedOverAtMs: null,
  isFailingOver: false,
  sawOpen: false,
  startedAtMs: 0,
  reopenFailed: false,
  lockedOutSinceMs: null,
  madeRoomAtMs: null,
};

export type Reaction =
  | { readonly kind: 'watch' }
  | { readonly kind: 'failOver' }
  | { readonly kind: 'reopen' }
  /** Something is wrong that the watcher may not, or cannot, mend. */
  | { readonly kind: 'tell'; readonly why: string };

export interface Reacted {
  readonly memory: WatchMemory;
  readonly reaction: Reaction;
}

/** A server counts its uptime in whole seconds, so the same start is seen up to a second apart. */
const SAME_START_MS = 1_500;

/** Another server process than before was never seen open. */
export const restarted = (memory: WatchMemory, startedAtMs: number): WatchMemory =>
  Math.abs(memory.startedAtMs - startedAtMs) <= SAME_START_MS ? memory : { ...memory, startedAtMs, sawOpen: false };

const UNSTEADY_MS = 10_000;
/** In units of the silence that counts: 0.4 s and seven times that are longer than TCP takes to send a lost packet four times more (0.2, 0.6, 1.4, 3 s). */
const UNSTEADY_SILENCES = 7;

/** What was learnt of one primary says nothing of another. That there is another one tells that the failover under way has promoted it. */
export const forAnother = ({ failedOverAtMs, isFailingOver }: WatchMemory, nowMs: number): WatchMemory => ({
  ...FRESH,
  failedOverAtMs: isFailingOver ? nowMs : failedOverAtMs,
});

/** What follows from a diagnosis, by policy. It never decides about safety: the failover looks again, and refuses what is not proven. */
export function react(
  diagnosis: Diagnosis,
  { memory, policy, nowMs }: { readonly memory: WatchMemory; readonly policy: WatchPolicy; readonly nowMs: number },
): Reacted {
  switch (diagnosis.consequence) {
    case 'leave':
      return {
        memory: {
          ...memory,
          deadSinceMs: null,
          silentSinceMs: null,
          unsteadyUntilMs: memory.silentSinceMs === null ? memory.unsteadyUntilMs : nowMs + UNSTEADY_MS,
          // What was refused was about another death than the next one.
          ...(diagnosis.code === 'PrimaryServes' ? { restUntilMs: 0, refusedUntilMs: 0 } : {}),
          sawOpen: memory.sawOpen || diagnosis.code === 'PrimaryServes',
          reopenFailed: false,
        },
        reaction: { kind: 'watch' },
      };
    case 'refuse':
      return {
        memory: { ...memory, deadSinceMs: null, silentSinceMs: memory.silentSinceMs ?? nowMs },
        reaction: { kind: 'tell', why: 'nothing is changed' },
      };
    case 'reopen':
      return {
        memory: { ...memory, deadSinceMs: null, silentSinceMs: null },
        reaction: reopening(memory, policy, nowMs),
      };
    case 'failOver': {
      const { deadSinceMs, silentSinceMs } = memory;
      const dead = { ...memory, deadSinceMs: deadSinceMs ?? nowMs, silentSinceMs: silentSinceMs ?? nowMs };
      const graceMs = graceOf(diagnosis, dead, policy);
      return { memory: dead, reaction: failingOver(dead, { ...policy, graceMs }, nowMs) };
    }
  }
}

/** A failover goes on with one that was ended half-way, and opens the primary itself when there was none. */
function reopening(
  { sawOpen, restUntilMs, refusedUntilMs, reopenFailed }: WatchMemory,
  { automatic }: WatchPolicy,
  nowMs: number,
): Reaction {
  if (sawOpen) return { kind: 'tell', why: 'it was closed while it ran, so it stays closed' };
  const wanted = reopenFailed && automatic ? 'failOver' : 'reopen';
  return { kind: nowMs < restUntilMs || (wanted === 'failOver' && nowMs < refusedUntilMs) ? 'watch' : wanted };
}

type Dead = WatchMemory & { readonly deadSinceMs: number; readonly silentSinceMs: number };

/**
 * A death is sudden: all observers lose the primary within one silence. Where it lost this one before, packets are being lost, and then all of them are silent at
 * once now and then, though it lives. So that has to last. That no server runs is no matter of the network.
 */
function graceOf(
  { code }: Diagnosis,
  { deadSinceMs, silentSinceMs, unsteadyUntilMs }: Dead,
  { graceMs, silenceMs }: WatchPolicy,
): number {
  const isSudden = deadSinceMs >= unsteadyUntilMs && deadSinceMs - silentSinceMs <= silenceMs;
  return isSudden || code === 'PrimaryProcessDead' ? graceMs : Math.max(graceMs, UNSTEADY_SILENCES * silenceMs);
}

function failingOver(
  { deadSinceMs, restUntilMs, refusedUntilMs, failedOverAtMs }: Dead,
  { automatic, graceMs, cooldownMs }: WatchPolicy,
  nowMs: number,
): Reaction {
  if (!automatic)
    return { kind: 'tell', why: 'policy.failover.automatic is off, so a person has to start the failover' };
  if (failedOverAtMs !== null && nowMs < failedOverAtMs + cooldownMs)
    return {
      kind: 'tell',
      why: 'the last failover is not longer ago than policy.failover.cooldown, so a person has to start this one',
    };
  const isEarly = nowMs < Math.max(restUntilMs, refusedUntilMs) || nowMs - deadSinceMs < graceMs;
  return { kind: isEarly ? 'watch' : 'failOver' };
}
