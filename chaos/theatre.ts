import { Lab } from '../lab/lab.ts';
import { play } from './play.ts';
import type { Incident, Played, Scenario } from './play.ts';
import { Runs } from './runs.ts';
import { restore, setStage } from './stage.ts';
import type { SavedState, Stage } from './stage.ts';

export type Performance = Played & { readonly seconds: number };

/** Plays one after the other on one stage, and restores the cluster only where the play before has changed it. */
export class Theatre {
  readonly #base: { readonly stage: Stage; readonly runs: Runs };
  /** What the cluster is like now; null when it has to be restored. */
  #standing: SavedState | null = null;
  #isOpen = true;

  private constructor(stage: Stage, runs: Runs) {
    this.#base = { stage, runs };
  }

  /** On a stage that is there already. */
  static async on(stage: Stage): Promise<Theatre> {
    return new Theatre(stage, await Runs.connect(stage.temporal.address));
  }

  /** Makes a lab of that name for `work`, and removes it whatever happens. */
  static async within(name: string, work: (theatre: Theatre) => Promise<void>): Promise<void> {
    let theatre: Theatre | undefined;
    const interrupted = (): void => {
      theatre?.closeDoors();
      void Lab.remove(name).then(() => process.exit(130));
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    try {
      const stage = await setStage(name);
      theatre = await Theatre.on(stage);
      await work(theatre);
      await theatre.close();
      await stage.client.close();
    } finally {
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      await Lab.remove(name);
    }
  }

  /** What is being played now is not judged any more: its lab is going away. */
  closeDoors(): void {
    this.#isOpen = false;
  }

  async close(): Promise<void> {
    await this.#base.runs.close();
  }

  /** A play that cannot be played to its end proves nothing, and the next one is played all the same. */
  async play(scenario: Scenario, incidents: readonly Incident[]): Promise<Performance> {
    const started = performance.now();
    const played = await this.#tryPlay(scenario, incidents);
    if (!this.#isOpen) throw new Error('interrupted; what was played last is not in the report');
    const isSound = played.broken.length === 0 && played.reached.length >= incidents.length;
    this.#standing = isSound && scenario.leavesAsFound ? scenario.state : null;
    return { ...played, seconds: Math.round((performance.now() - started) / 100) / 10 };
  }

  async #tryPlay(scenario: Scenario, incidents: readonly Incident[]): Promise<Played> {
    const { stage } = this.#base;
    try {
      await stage.temporal.startAgain();
      if (this.#standing !== scenario.state) await restore(stage, scenario.state);
      return await play(this.#base, scenario, incidents);
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { reached: [], broken: [why], ending: 'was not played to its end', activities: [] };
    }
  }
}
