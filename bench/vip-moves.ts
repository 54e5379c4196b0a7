import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { firstOf, gapBefore } from './greetings.ts';
import { randomPause } from './outage.ts';
import type { VipClient } from './vip-client.ts';
import type { Mover } from './vip-movers.ts';

export const FIRST = 'db1';
/** Its greetings are marked. */
export const SECOND = 'db2';
const ENOUGH = 10;

/** What one round measured, in milliseconds. */
export interface Gaps {
  readonly planned: number;
  readonly unplanned: number;
  readonly said: string;
}

/** Moves of the VIP from the first host to the second, looked at from the client's place. */
export class Moves {
  readonly #lab: Lab;
  readonly #client: VipClient;
  readonly #mover: Mover;

  constructor(lab: Lab, client: VipClient, mover: Mover) {
    this.#lab = lab;
    this.#client = client;
    this.#mover = mover;
  }

  /** Nobody has the VIP before, nor afterwards. */
  async round(): Promise<Gaps> {
    await this.#mover.take(FIRST, 1);
    await this.#stands();
    const { gapMs, said } = await this.#planned();
    await this.#mover.drop(SECOND);
    await this.#mover.take(FIRST, 1);
    await this.#stands();
    const unplanned = await this.#unplanned();
    await this.#mover.drop(SECOND);
    return {
      planned: gapMs,
      unplanned,
      said: `a gap of ${gapMs.toFixed(1)} ms (${said}), unplanned ${unplanned.toFixed(1)}`,
    };
  }

  async #planned(): Promise<{ readonly gapMs: number; readonly said: string }> {
    const orderedAt = Ledger.now();
    await this.#mover.drop(FIRST);
    const droppedAt = Ledger.now();
    await this.#mover.take(SECOND, 1);
    const takenAt = Ledger.now();
    await this.#client.greeted(ENOUGH, true);
    const [dropMs, takeMs] = [droppedAt - orderedAt, takenAt - droppedAt].map((us) => (us / 1_000).toFixed(1));
    return { gapMs: gapBefore(this.#client.greetings, true), said: `drop ${dropMs ?? ''}, take ${takeMs ?? ''}` };
  }

  /** The holder answers neither clients nor the other hosts, and has the address still. */
  async #unplanned(): Promise<number> {
    for (const other of ['app', SECOND, 'db3']) await this.#lab.cut(FIRST, other);
    const orderedAt = Ledger.now();
    await this.#mover.take(SECOND, 2);
    await this.#client.greeted(ENOUGH, true);
    const { at } = firstOf(this.#client.greetings, true);
    await this.#mover.drop(FIRST);
    await this.#lab.heal();
    return (at - orderedAt) / 1_000;
  }

  /** The first host has been seen to answer, at any instant afterwards. */
  async #stands(): Promise<void> {
    await this.#mover.settled(FIRST);
    this.#client.forget();
    await this.#client.greeted(ENOUGH, false);
    await randomPause();
  }
}
