import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { readIfThere } from '../lab/processes.ts';

/** What became of one cell; one line of the report. */
export interface Outcome {
  readonly cell: string;
  /** Why it has not passed; empty when it has. */
  readonly broken: readonly string[];
  /** How its run ended, and what is known of the death in it. */
  readonly ending: string;
  readonly evidence: string;
  readonly seconds: number;
  readonly at: string;
}

/** Keeps one line a cell in a folder, so that a campaign can be ended and gone on with: the last line of a cell is what counts. */
export class Report {
  readonly #file: string | null;
  readonly #latest = new Map<string, Outcome>();

  constructor(folder: string | undefined, name: string) {
    this.#file = folder === undefined ? null : path.join(folder, `${name}.jsonl`);
    if (folder === undefined || this.#file === null) return;
    mkdirSync(folder, { recursive: true });
    const lines = (readIfThere(this.#file) ?? '').split('\n').slice(0, -1);
    for (const line of lines) this.#keep(JSON.parse(line) as Outcome);
  }

  /** Writes it down, and tells it. */
  add(outcome: Outcome): void {
    this.#keep(outcome);
    if (this.#file !== null) appendFileSync(this.#file, `${JSON.stringify(outcome)}\n`);
    const { cell, broken, evidence, seconds } = outcome;
    const what = `${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${cell} (${evidence}; ${String(seconds)} s)`;
    process.stderr.write(`${[what, ...broken].join('\n       ')}\n`);
  }

  hasPassed(cell: string): boolean {
    return this.#latest.get(cell)?.broken.length === 0;
  }

  outcomeOf(cell: string): Outcome | undefined {
    return this.#latest.get(cell);
  }

  #keep(outcome: Outcome): void {
    this.#latest.set(outcome.cell, outcome);
  }
}
