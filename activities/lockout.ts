import type { HostName } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { LockoutMemory, Recorded } from '../domain/room.ts';
import { areLockedOut, judgeLockout } from '../domain/room.ts';
import type { Sights } from './sights.ts';

export interface News {
  readonly code: string;
  readonly explains: string;
  readonly reaction: string;
}

interface Seeing {
  readonly primary: HostName;
  readonly recorded: () => Recorded;
  readonly diagnosis: Diagnosis;
  readonly sights: Pick<Sights, 'replica'>;
  readonly memory: LockoutMemory;
  readonly nowMs: number;
}

interface Seen {
  readonly sinceMs: number | null;
  readonly act: 'makeRoom' | null;
  /** @param isMaking room is being made now @returns null: nobody is locked out, or not for long */
  tellOf(isMaking: boolean): News | null;
}

/** Whether the recorded ackers find no connection free on a primary that lives. Of one that may be dead nothing follows from what its replicas met last. */
export function seeLockout({ primary, recorded, diagnosis, sights, memory, nowMs }: Seeing): Seen {
  const lives = diagnosis.code === 'PrimaryServes' || diagnosis.code === 'PrimaryFull';
  const { ackers, isRoomLeft } = recorded();
  const receivers = new Map(
    ackers.map((host) => {
      const sight = sights.replica(host);
      return [host, sight?.reach === 'answers' ? sight.value : null];
    }),
  );
  const seen = { areLockedOut: lives && areLockedOut(primary, receivers), isRoomLeft: lives && isRoomLeft };
  const { lockedOutSinceMs: sinceMs, isLasting, isDue } = judgeLockout(seen, { memory, nowMs });
  const act = isDue ? 'makeRoom' : null;
  const tellOf = (isMaking: boolean): News | null =>
    isLasting ? { ...LOCKED_OUT, reaction: isDue || isMaking ? 'room is made for them' : AGAIN } : null;
  return { sinceMs, act, tellOf };
}

const LOCKED_OUT = {
  code: 'AckersLockedOut',
  explains:
    'the primary lives, and its ackers are back and find no connection free: writes that wait for them have all',
};
const AGAIN = 'room was made a moment ago, or could not be; it is tried again after a minute';
