import { condition, setHandler } from '@temporalio/workflow';
import type { Duration } from '@temporalio/common';
import type { Fenced } from '../activities/contract.ts';
import type { Acceptance, Risk } from '../domain/acceptance.ts';
import { acceptanceOf, parseAcceptance } from '../domain/acceptance.ts';
import type { HostName } from '../domain/cluster.ts';
import type { FailoverInput } from '../domain/inputs.ts';
import { accept } from './operation.ts';
import { acceptUpdate } from './messages.ts';
import type { RunPage } from './progress.ts';

interface Open {
  readonly risk: Risk;
  readonly primary: HostName | null;
}

/** What a failover asks of a person when it cannot prove something, for as long as the order lets it wait. */
export class Question {
  readonly #order: FailoverInput;
  readonly #page: RunPage;
  #open: Open | null = null;
  #accepted: Acceptance | null = null;

  constructor(order: FailoverInput, page: RunPage) {
    this.#order = order;
    this.#page = page;
    setHandler(acceptUpdate, (input) => this.#take(input), {
      validator: (input) => {
        accept(parseAcceptance(input, this.#open?.risk ?? null));
      },
      description: `Answer for what the run cannot prove, such as ${JSON.stringify(acceptanceOf({ fence: '', loss: null }))}`,
    });
  }

  /** Tries, asks when a person's word would help, and tries anew from the beginning: what was seen before the answer may be out of date. */
  async untilAccepted(attempt: (accepted: Acceptance | null) => Promise<Fenced>): Promise<Fenced> {
    for (;;) {
      const fenced = await attempt(this.#accepted);
      if (fenced.kind !== 'refused' || fenced.risk === null) return fenced;
      const answered = await this.#ask({ risk: fenced.risk, primary: fenced.primary ?? null }, fenced.explains);
      if (!answered) return fenced;
    }
  }

  async #ask(open: Open, explains: string): Promise<boolean> {
    const { askWithin, cluster } = this.#order;
    if (askWithin === undefined) return false;
    this.#open = open;
    this.#page.ask(
      `${explains}. To go on all the same, send the update \`accept\` with \`${JSON.stringify(acceptanceOf(open.risk))}\` within ${askWithin}`,
      `standfast accept ${cluster} …`,
    );
    const answered = await condition(() => this.#open === null, askWithin as Duration);
    this.#open = null;
    return answered;
  }

  /** An earlier answer about the same primary still stands beside a later one. */
  #take(input: unknown): Acceptance {
    const { risk, primary } = this.#open ?? { risk: null, primary: null };
    const value = { ...accept(parseAcceptance(input, risk)), primary };
    const before = this.#accepted?.primary === primary ? this.#accepted : null;
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
