import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RoundName } from './plan.ts';
import type { Round } from './round.ts';

/** Finished rounds, one JSON line each: a campaign that was interrupted goes on behind them. */
export class Journal {
  readonly folder: string;
  readonly #file: string;
  readonly #rounds = new Map<string, Round>();

  constructor(folder: string) {
    this.folder = folder;
    this.#file = path.join(folder, 'rounds.jsonl');
    mkdirSync(folder, { recursive: true });
    if (!existsSync(this.#file)) return;
    const text = readFileSync(this.#file, 'utf8');
    // A campaign that was killed may have left half a line.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole !== text) writeFileSync(this.#file, whole);
    for (const line of whole.split('\n').filter(Boolean)) {
      const round = JSON.parse(line) as Round;
      this.#rounds.set(keyOf(round.plan), round);
    }
  }

  roundOf(name: RoundName): Round | undefined {
    return this.#rounds.get(keyOf(name));
  }

  add(round: Round): void {
    appendFileSync(this.#file, `${JSON.stringify(round)}\n`);
    this.#rounds.set(keyOf(round.plan), round);
  }

  /** Where the evidence of a round is kept. */
  folderOf({ mode, seed, round }: RoundName): string {
    return path.join(this.folder, `${mode}-${String(seed)}-${String(round)}`);
  }
}

const keyOf = ({ seed, round, mode }: RoundName): string => `${String(seed)}/${String(round)}/${mode}`;
