import { setTimeout as pause } from 'node:timers/promises';
import type { Acceptance, Progress } from '../../client/index.ts';
import { StandfastError } from '../../client/index.ts';
import { ROLES } from './catalogue.ts';
import type { Scene } from './scene.ts';
import { CLUSTER } from './stage.ts';

const LOOK_EVERY_MS = 200;
const ANSWER = { cluster: CLUSTER, by: 'Kari Nordmann', reason: 'chaos: the shop must open' } as const;

/** Answers what a failover asks. Who answers for the fence pulls the plug of the old primary first: it has to be true. */
export class Person {
  readonly accepted: Acceptance[] = [];
  readonly #scene: Scene;
  #isAsked = false;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** For the call of the failover. */
  readonly onProgress = (progress: Progress): void => {
    if (progress.kind === 'phase') this.#isAsked = progress.phase === 'asks a person';
  };

  /** Until the call has ended. */
  async attend(call: Promise<unknown>): Promise<void> {
    for (;;) {
      const hasEnded = await Promise.race([call.then(() => true), pause(LOOK_EVERY_MS, false)]);
      if (hasEnded) return;
      if (this.#isAsked) await this.#answer();
    }
  }

  async #answer(): Promise<void> {
    const risk = await this.#try({});
    if (risk === null) return;
    if (risk.fence === true) await this.#scene.stage.lab.host(ROLES.primary).powerOff();
    await this.#try(risk);
  }

  /** Null when it was taken, or nothing is asked; otherwise what would be taken, as the refusal says it. */
  async #try(answer: Partial<Acceptance>): Promise<Partial<Acceptance> | null> {
    try {
      this.accepted.push(await this.#scene.stage.client.accept({ ...answer, ...ANSWER }));
      return null;
    } catch (error) {
      if (!(error instanceof StandfastError)) throw error;
      const wanted = /What would be: (\{.*\})/.exec(error.message)?.[1];
      return wanted === undefined ? null : (JSON.parse(wanted) as Partial<Acceptance>);
    }
  }
}
