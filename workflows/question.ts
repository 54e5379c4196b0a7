import { condition, setHandler } from '@temporalio/workflow';
import type { Duration } from '@temporalio/common';
import type { Fenced } from '../activities/contract.ts';
import type { Acceptance, Risk } from '../domain/acceptance.ts';
import { acceptanceOf, parseAcceptance } from '../domain/acceptance.ts';
import type { FailoverInput } from '../domain/inputs.ts';
import { accept } from './operation.ts';
import { acceptUpdate } from './messages.ts';
import type { RunPage } from './progress.ts';

/** What a failover asks of a person when it cannot prove something, for as long as the order lets it wait. */
export class Question {
  readonly #order: FailoverInput;
  readonly #page: RunPage;
  #open: Risk | null = null;
  #accepted: Acceptance | null = null;

  constructor(order: FailoverInput, page: RunPage) {
    this.#order = order;
    this.#page = page;
    setHandler(acceptUpdate, (input) => this.#take(input), {
      validator: (input) => {
        accept(parseAcceptance(input, this.#open));
      },
      description: `Answer for what the run cannot prove, such as ${JSON.stringify(acceptanceOf({ fence: '', loss: null }))}`,
    });
  }

  /** Tries, asks when a person's word would help, and tries anew from the beginning: what was seen before the answer may be out of date. */
  async untilAccepted(attempt: (accepted: Acceptance | null) => Promise<Fenced>): Promise<Fenced> {
    for (;;) {
      const fenced = await attempt(this.#accepted);
      if (fenced.kind !== 'refused' || fenced.risk === null) return fenced;
      const answered = await this.#ask(fenced.risk, fenced.explains);
      if (!answered) return fenced;
    }
  }

  async #ask(risk: Risk, explains: string): Promise<boolean> {
    const { askWithin, cluster } = this.#order;
    if (askWithin === undefined) return false;
    this.#open = risk;
    this.#page.ask(
      `${explains}. To go on all the same, send the update \`accept\` with \`${JSON.stringify(acceptanceOf(risk))}\` within ${askWithin}`,
      `standfast accept ${cluster} …`,
    );
    const answered = await condition(() => this.#open === null, askWithin as Duration);
    this.#open = null;
    return answered;
  }

  /** An earlier answer still stands beside a later one. */
  #take(input: unknown): Acceptance {
    const value = accept(parseAcceptance(input, this.#open));
    const before = this.#accepted;
    this.#open = null;
    this.#accepted =
      before === null ? value : { ...value, fence: value.fence || before.fence, loss: larger(value.loss, before.loss) };
    this.#page.note(`Accepted by ${value.by}: ${value.reason}`);
    this.#page.enter('fence and drain');
    return value;
  }
}

const larger = (one: Acceptance['loss'], other: Acceptance['loss']): Acceptance['loss'] =>
  one === 'unknown' || other === 'unknown' ? 'unknown' : Math.max(one, other);
