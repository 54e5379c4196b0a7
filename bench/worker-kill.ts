import { randomInt } from 'node:crypto';
import { setStage } from '../chaos/stage.ts';
import { childrenOf } from '../lab/children.ts';
import type { BenchOptions } from './failover.ts';
import { floorRounds, WatchedRounds } from './failover.ts';
import { FAULTS } from './faults.ts';
import type { Figures, Measured } from './figures.ts';
import { compare, figuresOf, percentile } from './figures.ts';

export interface MeasuredKill extends Measured {
  /** Failovers that ended with clients served and nobody's help. */
  readonly completed: number;
  /** Milliseconds that the death of the worker costs: the outages with it, less the p50 of those without it. */
  readonly added: Figures;
}

/** Rounds without a death, to compare with. */
const UNDISTURBED = 5;
/** At most: a hundred deaths need no hundred floors beside them. */
const FLOOR = 20;
/** The run exists by then: what dies before it is the watch, not the failover. */
const STARTED_MS = 60;

/** A failover during which one of the two processes of the worker, drawn, is killed at a drawn instant. */
export async function benchWorkerKill(options: BenchOptions): Promise<MeasuredKill> {
  const { name, rounds, tell } = options;
  const stage = await setStage(options.lab);
  const floorOnes = await floorRounds(stage, FAULTS.failover, { ...options, rounds: Math.min(options.rounds, FLOOR) });
  const floor = floorOnes.map((one) => one.outageMs);
  const watched = new WatchedRounds(stage, { fault: FAULTS.failover, tell, workers: 'pair' });
  const plain: number[] = [];
  for (let round = 1; round <= UNDISTURBED; round += 1) {
    const { outageMs } = await watched.next();
    plain.push(outageMs);
    tell(`without a death ${String(round)}: ${outageMs.toFixed(1)} ms`);
  }
  const usual = percentile(plain, 50);
  const killed: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const role = (['watch', 'runbooks'] as const)[randomInt(2)] ?? 'watch';
    const afterMs = randomInt(STARTED_MS, Math.max(STARTED_MS + 1, Math.round(usual)));
    const { outageMs, said } = await watched.next(async (worker) => {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const pid = childrenOf(worker.pid).get(role);
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
    killed.push(outageMs);
    tell(`${role} killed after ${String(afterMs)} ms, ${String(round)}: ${said}`);
  }
  const measured = compare(name, { standfast: killed, floor }, await watched.close());
  const added = figuresOf(killed.map((outageMs) => outageMs - usual));
  tell(`completed ${String(killed.length)}; a death costs ${String(added.p50)} ms (p50), ${String(added.p99)} (p99)`);
  return { ...measured, completed: killed.length, added };
}
