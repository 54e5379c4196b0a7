import { Chance } from '../rounds/chance.ts';
import type { BreakageKind, KillKind } from './faults.ts';
import { BREAKAGES, KILLS } from './faults.ts';

const SOURCE = 'db1';
const TARGETS = ['db2', 'db3'] as const;
const LONGEST_MS = 1_600;
/** Of five rounds one kills something. */
const KILL_EVERY = 5;

export interface FilesRound {
  readonly round: number;
  readonly kind: BreakageKind | KillKind;
  readonly host: string;
  /** Milliseconds after the start of the run; null: before it. */
  readonly afterMs: number | null;
  /** How many files of an earlier round the application deletes before the run: never more than a run may. */
  readonly deletes: number;
}

/** A seed means the same rounds on every machine. */
export function composeFilesRound({ seed, round }: { readonly seed: number; readonly round: number }): FilesRound {
  const chance = new Chance(`files ${String(seed)} ${String(round)}`);
  const isKill = round % KILL_EVERY === 0;
  const kind = isKill ? chance.oneOf(KILLS) : chance.oneOf(Object.keys(BREAKAGES) as BreakageKind[]);
  const isOfSource = kind.includes('source') || kind === 'worker';
  const isBefore = !isKill && chance.happens(0.4);
  return {
    round,
    kind,
    host: isOfSource ? SOURCE : chance.oneOf(TARGETS),
    afterMs: isBefore ? null : chance.between(0, LONGEST_MS),
    deletes: chance.between(0, 3),
  };
}

export const describeFilesRound = ({ round, kind, host, afterMs }: FilesRound): string =>
  `${String(round)} ${kind} on ${host} ${afterMs === null ? 'before the run' : `after ${String(afterMs)} ms`}`;
