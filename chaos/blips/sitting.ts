import { Ledger } from '../../lab/ledger/ledger.ts';
import type { Stage } from '../stage.ts';
import { PRIMARY } from './catalogue.ts';
import type { Control } from './control.ts';
import { killPrimary } from './control.ts';
import type { BookedViolation, Violation, Window } from './judge.ts';
import { isRefusedStart, judgeBlip, judgeBooks } from './judge.ts';
import type { Blip } from './plan.ts';
import type { Setting } from './round.ts';
import { playBlip } from './round.ts';
import type { Scene } from './scene.ts';
import { closeScene, openScene, serverIdOf, startWriters } from './scene.ts';
import type { Standing } from './standing.ts';
import { standingOf } from './standing.ts';

/** What became of one blip; its books are judged later. */
export interface Seen {
  readonly violations: readonly Violation[];
  readonly told: readonly string[];
  /** A failover was started that refused by its own looks. */
  readonly isRefusedStart: boolean;
}

/** Blips on one cluster, one after the other, with every write in the books. */
export class Sitting {
  readonly #scene: Scene;
  /** Null: nobody writes. */
  #ledger: Ledger | null = null;
  #windows: Window[] = [];
  #standing: Standing;

  private constructor(scene: Scene, standing: Standing) {
    this.#scene = scene;
    this.#standing = standing;
  }

  /** Makes the cluster anew. */
  static async open(stage: Stage): Promise<Sitting> {
    const scene = await openScene(stage);
    return new Sitting(scene, await standingOf(scene));
  }

  async play(blip: Blip): Promise<Seen> {
    const setting = await this.#setting();
    this.#windows.push({ round: blip.round, fromUs: Ledger.now() });
    const played = await playBlip(blip, setting);
    this.#standing = played.after;
    return { violations: judgeBlip(played), told: played.told, isRefusedStart: played.operations.some(isRefusedStart) };
  }

  /** Ends the writers, and judges what they have written. */
  async judgeBooks(): Promise<readonly BookedViolation[]> {
    const [windows, ledger] = [this.#windows, this.#ledger];
    [this.#windows, this.#ledger] = [[], null];
    if (ledger === null) return [];
    await ledger.stop();
    const onPrimary = await ledger.rowsOn(PRIMARY);
    const primary = serverIdOf(this.#scene, PRIMARY);
    return judgeBooks({ attempts: ledger.attempts(), onPrimary, primary }, windows);
  }

  /** The end of a sitting whose cluster is sound: its primary is killed. */
  async control(): Promise<Control> {
    return killPrimary(await this.#setting());
  }

  async close(): Promise<void> {
    await this.#ledger?.stop();
    await closeScene(this.#scene);
  }

  async #setting(): Promise<Setting> {
    this.#ledger ??= await startWriters(this.#scene.stage.lab);
    return { scene: this.#scene, ledger: this.#ledger, before: this.#standing };
  }
}
