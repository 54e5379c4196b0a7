import { restore, setStage } from '../chaos/stage.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { BenchOptions } from './failover.ts';
import type { Figures, Measured } from './figures.ts';
import { compare, figuresOf } from './figures.ts';
import { longestPause, MARK } from './greetings.ts';
import { VipClient } from './vip-client.ts';
import { handMover, helperMover } from './vip-movers.ts';
import { FIRST, Moves, SECOND } from './vip-moves.ts';

/** `standfast` and `floor` are the gap that a client sees when the VIP is moved between two hosts that answer. */
export interface MeasuredMove extends Measured {
  /** Milliseconds from the order to take the VIP of a host that is cut off from its clients, to the first greeting. */
  readonly unplanned: Figures;
  /** The same by hand. */
  readonly unplannedFloor: Figures;
  /** The longest time between two greetings while nothing is moved: a smaller gap cannot be seen. */
  readonly still: Figures;
}

/** The VIP alone is moved, by the orders with which a failover moves it; nothing is promoted. */
export async function benchVip(options: BenchOptions): Promise<MeasuredMove> {
  const { name, rounds, tell } = options;
  const stage = await setStage(options.lab);
  await restore(stage, 'cluster');
  const { lab } = stage;
  await lab.host(SECOND).sql(MARK);
  const books = Ledger.start(lab, { vipWriters: 1, periodMs: 100 });
  await books.acknowledged(1);
  const client = new VipClient(lab);
  try {
    const still = await stillRounds(client, rounds);
    const standfast = await new Moves(lab, client, await helperMover(lab)).measure('standfast', options);
    const floor = await new Moves(lab, client, await handMover(lab)).measure('floor', options);
    await books.stop();
    const { lost, twoWriters } = await books.verdict({ primary: FIRST });
    const counts = { lostAcknowledged: lost.length, twoWriters: twoWriters.length };
    const more = {
      unplanned: figuresOf(standfast.unplanned),
      unplannedFloor: figuresOf(floor.unplanned),
      still: figuresOf(still),
    };
    for (const [what, { p50, p99, max }] of Object.entries(more))
      tell(`${what}: ${String(p50)} ms (p50), ${String(p99)} (p99), ${String(max)} (max)`);
    return { ...compare(name, { standfast: standfast.planned, floor: floor.planned }, counts), ...more };
  } finally {
    await client.close();
  }
}

/** With a move, about as many greetings are in a round. */
const STILL_GREETINGS = 150;

async function stillRounds(client: VipClient, rounds: number): Promise<number[]> {
  const pauses: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    client.forget();
    await client.greeted(STILL_GREETINGS, false);
    pauses.push(longestPause(client.greetings));
  }
  return pauses;
}
