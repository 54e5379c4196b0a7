import { log } from '@temporalio/activity';
import type { RunsPort } from '../adapters/ports.ts';
import type { Transition } from '../domain/watch.ts';

/** What comes so soon after other news waits for more of its kind. */
const GATHER_MS = 250;
/** Of the size that Temporal takes as one payload (2 MiB) they fill half at most. */
const MOST_TOGETHER = 500;

/**
 * Tells the run that watches what has become different: the first news at once, what comes soon after it together. Every signal costs the run a task and some
 * events, so a thousand clusters that are begun to be watched, or lose their network, must not send one each.
 */
export class Teller {
  readonly #runs: Pick<RunsPort, 'tell'>;
  readonly #waiting: Transition[] = [];
  #isTelling = false;

  constructor(runs: Pick<RunsPort, 'tell'>) {
    this.#runs = runs;
  }

  tell(transition: Transition): void {
    this.#waiting.push(transition);
    if (this.#isTelling) return;
    this.#isTelling = true;
    void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0, MOST_TOGETHER);
      const more = new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      try {
        await this.#runs.tell(together);
      } catch (error) {
        log.warn('transitions were not told to the run that watches', { together, why: String(error) });
      }
      await more;
    }
    this.#isTelling = false;
  }
}
