import { Ledger } from '../lab/ledger/ledger.ts';
import { CLUSTER, startWorker } from './stage.ts';
import type { Stage } from './stage.ts';
import { brokenPromises, playFailover } from './story.ts';
import type { Act } from './story.ts';

export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly json: boolean;
  readonly tell: (line: string) => void;
}

const SAVED = 'cluster';
const LONGEST_DELAY_MS = 400;

/** The same failover again and again from one saved state, with another death and another instant for the worker each time. */
export async function playRounds(stage: Stage, options: RoundsOptions): Promise<boolean> {
  await stage.lab.save(SAVED);
  const violations: string[] = [];
  const outages: number[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const act = await playRound(stage, round, options);
    const broken = brokenPromises(act);
    outages.push(act.ledger.writeOutageMs ?? Number.NaN);
    violations.push(...broken.map((promise) => `round ${String(round)}: ${promise}`));
    process.stdout.write(`${describeRound(round, act, broken)}\n`);
  }
  if (options.json) {
    const lost = violations.length;
    process.stdout.write(
      `${JSON.stringify({ rounds: options.rounds, violations: lost, writeOutageMs: outages.map(Math.round) })}\n`,
    );
  }
  return violations.length === 0;
}

async function playRound(stage: Stage, round: number, { seed, tell }: RoundsOptions): Promise<Act> {
  const { lab, client } = stage;
  await lab.restore(SAVED);
  for (const [index, worker] of stage.workers.entries())
    if (!worker.isRunning()) stage.workers[index] = await startWorker(stage, `${String(round)}-${String(index)}`);
  await client.preparePrimary({ cluster: CLUSTER, host: 'db1' });
  const ledger = Ledger.start(lab, { vipWriters: 2 });
  const death = round % 2 === 0 ? 'power' : 'mysqld';
  return playFailover(stage, ledger, { death, workerDelayMs: delayOf(seed, round), tell });
}

/** A different instant each round, and the same ones for the same seed. */
const delayOf = (seed: number, round: number): number => ((seed * 7919 + round * 104_729) % 1009) % LONGEST_DELAY_MS;

function describeRound(round: number, act: Act, broken: readonly string[]): string {
  const { ledger, failover, murder } = act;
  const facts = [
    `${failover.oldPrimary} → ${failover.newPrimary}`,
    `worker killed in ${murder.activity}`,
    `acknowledged ${String(ledger.acknowledged)}`,
    `lost ${String(ledger.lost.length)}`,
    `duplicated ${String(ledger.duplicated.length)}`,
    `two writers ${String(ledger.twoWriters.length)}`,
    `outage ${String(Math.round(ledger.writeOutageMs ?? Number.NaN))} ms`,
  ];
  return `round ${String(round).padStart(3)}  ${facts.join(', ')}${broken.length === 0 ? '' : `  BROKEN: ${broken.join('; ')}`}`;
}
