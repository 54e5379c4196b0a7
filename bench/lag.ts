import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Stage } from '../chaos/stage.ts';
import { restore, setStage } from '../chaos/stage.ts';
import type { ListedDelay } from '../client/index.ts';
import type { Lab } from '../lab/lab.ts';
import { until } from '../lab/run.ts';
import { LabWorker } from '../lab/workers.ts';
import type { BenchOptions } from './failover.ts';
import type { Figures, Measured } from './figures.ts';
import { compare, figuresOf } from './figures.ts';
import type { Truth, TruthOrder } from './lag-process.ts';
import type { Sample } from './lag-truth.ts';
import { sampleOf } from './lag-truth.ts';

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'lag-process.js');
const REPLICA = 'db3';
/** For so long the replica does not apply anything, again and again; then it catches up. */
const LAGS_MS = [50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 12_000, 30_000];
const ROUND_MS = 3_000;
const CATCH_UP_MS = 100;
const POLL_MS = 100;

/** How far what the watcher says of a lag is from the truth. Milliseconds. */
export interface LagErrors extends Figures {
  readonly heartbeatMs: number;
  readonly samples: number;
  /** Share of the samples whose truth lies within the error that was stated, from 0 to 1. */
  readonly withinBound: number;
}

export interface MeasuredLag extends Measured {
  readonly watched: LagErrors;
  /** With a heartbeat row every 10 ms. */
  readonly fast: LagErrors;
}

/** What the watcher says of a replica's lag against the truth, beside a heartbeat that is coded by hand. */
export async function benchLag({ name, rounds, lab: labName, tell }: BenchOptions): Promise<MeasuredLag> {
  const stage = await setStage(labName);
  const slow = await pass(stage, { rounds, tell, every: '100ms', heartbeatMs: 1_000 });
  const quick = await pass(stage, { rounds, tell, every: '20ms', heartbeatMs: 10 });
  const times = { standfast: slow.samples.map((one) => one.offMs), floor: slow.floor };
  const measured = compare(name, times, { lostAcknowledged: 0, twoWriters: 0 });
  return { ...measured, rounds, watched: judge(slow.samples, 1_000), fast: judge(quick.samples, 10) };
}

function judge(samples: readonly Sample[], heartbeatMs: number): LagErrors {
  const within = samples.filter((one) => one.isWithin).length;
  const figures = figuresOf(samples.map((one) => one.offMs));
  return { heartbeatMs, samples: samples.length, withinBound: within / samples.length, ...figures };
}

interface Pass {
  readonly rounds: number;
  readonly tell: (line: string) => void;
  readonly every: string;
  readonly heartbeatMs: number;
}

async function pass(
  stage: Stage,
  { rounds, tell, every, heartbeatMs }: Pass,
): Promise<{ readonly samples: readonly Sample[]; readonly floor: readonly number[] }> {
  const { lab } = stage;
  await restore(stage, 'cluster');
  lab.configure({ every, heartbeat: `${String(heartbeatMs)}ms` });
  const worker = await LabWorker.start(lab, 'watch', { temporal: stage.temporal.insideAddress, role: 'watch' });
  const truth = new TruthProcess(lab, heartbeatMs);
  try {
    await until(
      'a lag that the watcher tells',
      async () => ((await delayOf(stage)) === null ? undefined : true),
      60_000,
    );
    const said = new Map<string, ListedDelay>();
    for (let round = 1; round <= rounds; round += 1) {
      const lagMs = LAGS_MS[(round - 1) % LAGS_MS.length] ?? 0;
      await Promise.all([fallBehind(lab, lagMs), collect(stage, said, Math.max(ROUND_MS, lagMs))]);
      tell(`heartbeat ${String(heartbeatMs)} ms, round ${String(round)}: a lag of ${String(lagMs)} ms`);
    }
    const samples = [...said.values()].flatMap((one) => sampleOf(one, truth.seen));
    return { samples, floor: truth.seen.map((one) => Math.abs(one.byHandMs - one.lagMs)) };
  } finally {
    truth.end();
    await worker.kill();
  }
}

/** One of the `lag` of the client that has a number. */
async function delayOf({ client }: Stage): Promise<ListedDelay | null> {
  return (await client.lag()).find((one) => one.host === REPLICA && one.lag !== null) ?? null;
}

async function collect(stage: Stage, said: Map<string, ListedDelay>, forMs: number): Promise<void> {
  const endsAt = performance.now() + forMs;
  while (performance.now() < endsAt) {
    const delay = await delayOf(stage);
    if (delay !== null) said.set(delay.at, delay);
    await sleep(POLL_MS);
  }
}

/** Its threads run; what they want to commit has to wait. */
async function fallBehind(lab: Lab, lagMs: number): Promise<void> {
  const times = Math.max(1, Math.floor(ROUND_MS / (lagMs + CATCH_UP_MS)));
  const once = `FLUSH TABLES WITH READ LOCK; DO SLEEP(${String(lagMs / 1_000)}); UNLOCK TABLES; DO SLEEP(${String(CATCH_UP_MS / 1_000)});`;
  await lab.host(REPLICA).sql(once.repeat(times), { timeoutMs: lagMs + 60_000 });
}

/** An application's place, from which the truth is told. */
class TruthProcess {
  readonly seen: Truth[] = [];
  readonly #process: ChildProcess;

  constructor(lab: Lab, heartbeatMs: number) {
    const order: TruthOrder = {
      vip: lab.vip,
      replica: lab.host(REPLICA).address,
      user: 'app',
      password: readFileSync(lab.etc('app.password'), 'utf8').trim(),
      heartbeatMs,
    };
    this.#process = lab.app.spawn([process.execPath, program], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout ?? process.stdin }).on('line', (line) => {
      this.seen.push(JSON.parse(line) as Truth);
    });
    this.#process.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  end(): void {
    this.#process.stdin?.end();
  }
}
