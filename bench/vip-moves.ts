import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { BenchOptions } from './failover.ts';
import { gapBefore } from './greetings.ts';
import { randomPause } from './outage.ts';
import type { VipClient } from './vip-client.ts';
import type { Mover } from './vip-movers.ts';

export const FIRST = 'db1';
/** Its greetings are marked. */
export const SECOND = 'db2';
type Holder = typeof FIRST | typeof SECOND;
const ENOUGH = 10;
interface Gaps {
  readonly planned: readonly number[];
  readonly unplanned: readonly number[];
}

/** Moves of the VIP between two hosts, each looked at from the client's place. */
export class Moves {
  readonly #lab: Lab;
  readonly #client: VipClient;
  readonly #mover: Mover;
  #holder: Holder = FIRST;

  constructor(lab: Lab, client: VipClient, mover: Mover) {
    this.#lab = lab;
    this.#client = client;
    this.#mover = mover;
  }

  async measure(who: string, { rounds, tell }: BenchOptions): Promise<Gaps> {
    try {
      await this.#putBack();
      const planned: number[] = [];
      const unplanned: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const { gapMs, said } = await this.#planned();
        planned.push(gapMs);
        tell(`${who} ${String(round)}: a gap of ${gapMs.toFixed(1)} ms, ${said}`);
      }
      for (let round = 1; round <= rounds; round += 1) {
        const takenMs = await this.#unplanned();
        unplanned.push(takenMs);
        tell(`${who} unplanned ${String(round)}: ${takenMs.toFixed(1)} ms`);
      }
      return { planned, unplanned };
    } finally {
      this.#mover.close();
    }
  }

  async #planned(): Promise<{ readonly gapMs: number; readonly said: string }> {
    await this.#stands();
    const from = this.#holder;
    const to = from === FIRST ? SECOND : FIRST;
    const orderedAt = Ledger.now();
    await this.#mover.drop(from);
    const droppedAt = Ledger.now();
    await this.#mover.take(to, 1);
    const takenAt = Ledger.now();
    await this.#client.greeted(ENOUGH, to === SECOND);
    this.#holder = to;
    const [dropMs, takeMs] = [droppedAt - orderedAt, takenAt - droppedAt].map((us) => (us / 1_000).toFixed(1));
    const said = `${from} → ${to}; drop ${dropMs ?? ''}, take ${takeMs ?? ''}`;
    return { gapMs: gapBefore(this.#client.greetings, to === SECOND), said };
  }

  /** The holder answers neither clients nor the other hosts, and has the address still. */
  async #unplanned(): Promise<number> {
    await this.#putBack();
    await this.#stands();
    for (const other of ['app', SECOND, 'db3']) await this.#lab.cut(FIRST, other);
    const orderedAt = Ledger.now();
    await this.#mover.take(SECOND, 2);
    await this.#client.greeted(ENOUGH, true);
    this.#holder = SECOND;
    const first = this.#client.greetings.find((one) => one.marked);
    await this.#mover.drop(FIRST);
    await this.#lab.heal();
    return ((first?.at ?? Number.NaN) - orderedAt) / 1_000;
  }

  async #putBack(): Promise<void> {
    await this.#mover.drop(SECOND);
    await this.#mover.take(FIRST, 1);
    this.#holder = FIRST;
  }

  /** A holder that has been seen to answer, at any instant afterwards. */
  async #stands(): Promise<void> {
    await this.#mover.settled(this.#holder);
    this.#client.forget();
    await this.#client.greeted(ENOUGH, this.#holder === SECOND);
    await randomPause();
  }
}
