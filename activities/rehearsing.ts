import type { Rehearsed, RunsPort } from '../adapters/ports.ts';
import type { Turns } from '../adapters/turns.ts';
import type { Transition } from '../domain/watch.ts';
import { pause } from './pause.ts';

/** How soon it is looked again whether the primary serves. */
const NOT_NOW_MS = 1_000;
/** Between two rehearsals of one process: those of a thousand clusters must not come together. */
const SPACING_MS = 3_000;
/** No answer for so long is none. */
const LONGEST_MS = 30_000;

export interface Rehearsing {
  readonly cluster: string;
  /** How often; 0: never. */
  readonly everyMs: number;
  readonly runs: Pick<RunsPort, 'rehearse'>;
  readonly tell: (transition: Transition) => void;
  /** Of the process. */
  readonly turns: Turns;
  /** Whether the primary serves, and nothing is being done about it. */
  readonly serves: () => boolean;
}

/**
 * While the primary lives it is found out again and again whether a failover would go through, and what has become different about that is told. The first time
 * also makes a process ready that has not failed over yet: whatever runs in it for the first time takes some tenths of a second longer.
 */
export async function keepRehearsing(rehearsing: Rehearsing, signal: AbortSignal): Promise<void> {
  const { everyMs, cluster, runs, tell } = rehearsing;
  const isOver = (): boolean => signal.aborted;
  const aborted = new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
    if (signal.aborted) resolve(null);
  });
  let before: Rehearsed['kind'] = 'planned';
  while (everyMs > 0 && !isOver()) {
    if (!rehearsing.serves()) {
      await pause(NOT_NOW_MS, signal);
      continue;
    }
    const found = await inTurn({ turns: rehearsing.turns, signal, aborted }, () => runs.rehearse(cluster));
    if (found !== null && found.kind !== 'unknown' && found.kind !== before) {
      before = found.kind;
      tell({ cluster, host: '', at: new Date().toISOString(), ...newsOf(found) });
    }
    await pause(everyMs, signal);
  }
}

interface Waiting {
  readonly turns: Turns;
  readonly signal: AbortSignal;
  /** Resolves when the signal is. */
  readonly aborted: Promise<unknown>;
}

/** @returns null when it is aborted first: whoever waits for its turn, or for an answer, must not keep a watch from being begun anew */
async function inTurn<T>({ turns, signal, aborted }: Waiting, work: () => Promise<T>): Promise<T | null> {
  const turn = turns.take();
  await Promise.race([turn, aborted]);
  if (signal.aborted) {
    void turn.then(() => {
      turns.giveBack();
    });
    return null;
  }
  const spaced = pause(SPACING_MS, signal);
  const late = pause(LONGEST_MS, signal).then(() => null);
  try {
    return await Promise.race([work(), late]);
  } finally {
    void spaced.then(() => {
      turns.giveBack();
    });
  }
}

type Found = Exclude<Rehearsed, { kind: 'unknown' }>;

const CODES = {
  planned: 'FailoverPossible',
  'needs-host': 'FailoverNeedsHost',
  'would-refuse': 'FailoverWouldRefuse',
} as const;

const newsOf = (found: Found): Pick<Transition, 'code' | 'explains' | 'reaction'> => ({
  code: CODES[found.kind],
  explains: found.sentence,
  reaction: found.kind === 'planned' ? '' : found.remedy,
});
