import { restore, setStage } from '../chaos/stage.ts';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { BenchOptions } from './failover.ts';
import type { Figures, Measured } from './figures.ts';
import { compare, figuresOf } from './figures.ts';
import { longestPause, MARK } from './greetings.ts';
import { VipClient } from './vip-client.ts';
import type { Mover } from './vip-movers.ts';
import { handMover, helperMover } from './vip-movers.ts';
import type { Gaps } from './vip-moves.ts';
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
    const by = await movers(lab);
    const moves = { standfast: new Moves(lab, client, by.standfast), floor: new Moves(lab, client, by.floor) };
    const [standfast, floor, still]: [Gaps[], Gaps[], number[]] = [[], [], []];
    for (let round = 1; round <= rounds; round += 1) {
      standfast.push(await moves.standfast.round());
      floor.push(await moves.floor.round());
      still.push(await pauseOf(client, by.floor));
      tell(`standfast ${String(round)}: ${standfast.at(-1)?.said ?? ''}`);
      tell(`floor ${String(round)}: ${floor.at(-1)?.said ?? ''}; still ${still.at(-1)?.toFixed(1) ?? ''}`);
    }
    for (const mover of Object.values(by)) mover.close();
    await books.stop();
    const { lost, twoWriters } = await books.verdict({ primary: FIRST });
    const counts = { lostAcknowledged: lost.length, twoWriters: twoWriters.length };
    const more = {
      unplanned: figuresOf(standfast.map((one) => one.unplanned)),
      unplannedFloor: figuresOf(floor.map((one) => one.unplanned)),
      still: figuresOf(still),
    };
    for (const [what, { p50, p99, max }] of Object.entries(more))
      tell(`${what}: ${String(p50)} ms (p50), ${String(p99)} (p99), ${String(max)} (max)`);
    const gaps = {
      standfast: standfast.map((one) => one.planned),
      floor: floor.map((one) => one.planned),
    };
    return { ...compare(name, gaps, counts), ...more, invalid: noiseIn(more.still) };
  } finally {
    await client.close();
  }
}

/** Half of the gap that the design allows. */
const NOISIEST_STILL_MS = 10;

const noiseIn = ({ p50 }: Figures): string | null =>
  p50 > NOISIEST_STILL_MS
    ? `while nothing is moved, the p50 of the longest pauses is ${String(p50)} ms, above ${String(NOISIEST_STILL_MS)} ms: this machine is too busy`
    : null;

/** With a move, about as many greetings are in a round. */
const STILL_GREETINGS = 150;

/** The longest pause in the greetings of one that keeps the VIP. */
async function pauseOf(client: VipClient, mover: Mover): Promise<number> {
  await mover.take(FIRST, 1);
  client.forget();
  await client.greeted(STILL_GREETINGS, false);
  const pause = longestPause(client.greetings);
  await mover.drop(FIRST);
  return pause;
}

/** Both at once: without a role keepalived leaves the address to the one that works by hand. */
async function movers(lab: Lab): Promise<{ readonly standfast: Mover; readonly floor: Mover }> {
  const standfast = await helperMover(lab);
  for (const { name } of lab.hosts) await standfast.drop(name);
  return { standfast, floor: handMover(lab) };
}
