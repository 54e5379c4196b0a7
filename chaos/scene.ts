import type { RunReference } from '../client/index.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { LabWorker } from '../lab/workers.ts';
import type { Runs } from './runs.ts';
import { startWorker } from './stage.ts';
import type { Stage } from './stage.ts';

const WRITES_BEFORE = 20;

/** One run of a runbook with everything around it that an incident may touch. */
export class Scene {
  readonly stage: Stage;
  readonly runs: Runs;
  readonly ledger: Ledger;
  /** Whoever works on the run now. */
  worker: LabWorker;
  readonly #ahead: Set<string>;
  readonly #workers: LabWorker[];
  #run: RunReference | undefined;

  private constructor(
    base: { stage: Stage; runs: Runs },
    cast: { ledger: Ledger; worker: LabWorker },
    points: readonly string[],
  ) {
    this.stage = base.stage;
    this.runs = base.runs;
    this.ledger = cast.ledger;
    this.worker = cast.worker;
    this.#workers = [cast.worker];
    this.#ahead = new Set(points);
  }

  /** Writers at every door, and one worker that stands still at each of `points`. */
  static async set(base: { stage: Stage; runs: Runs }, points: readonly string[]): Promise<Scene> {
    const ledger = Ledger.start(base.stage.lab);
    try {
      const worker = await startWorker(base.stage, 'play-1', points);
      await ledger.acknowledged(WRITES_BEFORE);
      return new Scene(base, { ledger, worker }, points);
    } catch (error) {
      await ledger.stop();
      throw error;
    }
  }

  get run(): RunReference {
    if (this.#run === undefined) throw new Error('the run of this scene was not started yet');
    return this.#run;
  }

  begun(run: RunReference): void {
    this.#run = run;
  }

  /** Runs that may hold activities of this play: the one that was started, and those that it starts itself. */
  async runsOfPlay(): Promise<readonly RunReference[]> {
    return [this.run, ...(await this.runs.startedBy(this.run))];
  }

  /** The point ahead at which the worker stands still now. */
  takeHeld(): string | undefined {
    const said = [...this.worker.log().matchAll(/^held at (\S+)$/gm)].map(([, point = '']) => point);
    const point = said.find((one) => this.#ahead.has(one));
    if (point !== undefined) this.#ahead.delete(point);
    return point;
  }

  /** Another worker, that stands still at what is still ahead. */
  async hire(): Promise<LabWorker> {
    const worker = await startWorker(this.stage, `play-${String(this.#workers.length + 1)}`, [...this.#ahead]);
    this.#workers.push(worker);
    return worker;
  }

  /** All workers of this play, the dead ones as well. */
  get workers(): readonly LabWorker[] {
    return this.#workers;
  }

  /** Ends everything that the play started. */
  async strike(): Promise<void> {
    await this.ledger.stop();
    for (const worker of this.#workers) if (worker.isRunning()) await worker.kill();
    await this.runs.terminateAll('its play has ended');
  }
}
