import type { Outcome, Report } from '../report.ts';
import { LabError } from '../../lab/run.ts';
import type { Stage } from '../stage.ts';
import type { Blip } from './plan.ts';
import { describeBlip } from './plan.ts';
import type { BookedViolation } from './judge.ts';
import { Sitting } from './sitting.ts';
import type { Campaign } from './summary.ts';
import { controlCell, inWords, REFUSED_START } from './summary.ts';

/** Books are judged after so many rounds: what they hold has to fit in memory, and rows on the primary are read as a whole. */
const ROUNDS_IN_BOOKS = 25;

/** Plays the blips, and kills the primary at the end. A cluster that a blip has changed is made anew before the next one. */
export async function playAll(
  stage: Stage,
  { blips, seed, report }: Campaign & { readonly report: Report },
): Promise<void> {
  const playing = new Playing(stage, report);
  try {
    for (const blip of blips) await playing.play(blip);
    await playing.end(controlCell(seed));
  } finally {
    await playing.close();
  }
}

class Playing {
  readonly #stage: Stage;
  readonly #report: Report;
  #sitting: Sitting | null = null;
  /** Reported, but for what their books say. */
  #unjudged = new Map<number, Outcome>();

  constructor(stage: Stage, report: Report) {
    this.#stage = stage;
    this.#report = report;
  }

  async play(blip: Blip): Promise<void> {
    const sitting = (this.#sitting ??= await Sitting.open(this.#stage));
    const began = performance.now();
    const { violations, told, isRefusedStart } = await sitting.play(blip);
    const outcome = outcomeAfter(began, {
      ...{
        cell: describeBlip(blip),
        broken: violations.map(inWords),
        evidence: `told: ${told.join(', ') || 'nothing'}`,
      },
      ending: violations.length > 0 ? 'broken' : isRefusedStart ? REFUSED_START : 'whole',
    });
    this.#unjudged.set(blip.round, outcome);
    this.#report.add(outcome);
    const isSound = violations.length === 0;
    if (!isSound || this.#unjudged.size === ROUNDS_IN_BOOKS) await this.#judgeBooks(sitting);
    if (!isSound) await this.close();
  }

  async end(cell: string): Promise<void> {
    const sitting = (this.#sitting ??= await Sitting.open(this.#stage));
    await this.#judgeBooks(sitting);
    const began = performance.now();
    const { broken, sentence } = await sitting.control();
    this.#report.add(outcomeAfter(began, { cell, broken, ending: sentence, evidence: sentence }));
  }

  async close(): Promise<void> {
    await this.#sitting?.close();
    this.#sitting = null;
  }

  async #judgeBooks(sitting: Sitting): Promise<void> {
    const found = await sitting.judgeBooks().catch(unjudgeable([...this.#unjudged.keys()].at(-1) ?? 0));
    for (const [round, outcome] of this.#unjudged) {
      const here = found.filter((one) => one.round === round).map(inWords);
      if (here.length > 0) this.#report.add({ ...outcome, broken: [...outcome.broken, ...here] });
    }
    this.#unjudged = new Map();
  }
}

/** As when the primary is dead: the round that left it so is broken already. */
const unjudgeable =
  (round: number) =>
  (error: unknown): readonly BookedViolation[] => {
    if (!(error instanceof LabError)) throw error;
    return [{ round, kind: 'not played', what: `its books could not be judged: ${error.message}` }];
  };

const outcomeAfter = (began: number, outcome: Omit<Outcome, 'seconds' | 'at'>): Outcome => ({
  ...outcome,
  seconds: Math.round((performance.now() - began) / 100) / 10,
  at: new Date().toISOString(),
});
