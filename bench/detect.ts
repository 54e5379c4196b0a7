import type { Stage } from '../chaos/stage.ts';
import { Client, Connection } from '@temporalio/client';
import { setStage } from '../chaos/stage.ts';
import { until } from '../lab/run.ts';
import type { BenchOptions } from './failover.ts';
import { floorRounds, WatchedRounds } from './failover.ts';
import { FAULTS } from './faults.ts';
import type { Figures, Measured } from './figures.ts';
import { compare, figuresOf } from './figures.ts';
import { randomPause } from './outage.ts';
import { transitionsOf } from '../lab/transitions.ts';

export interface MeasuredDetection extends Measured {
  /** Milliseconds from a replica's applier that was stopped to the instant at which the watcher tells of it. */
  readonly threadStop: Figures;
}

/** From a killed primary to the durable start of its failover, beside the instant at which one that is coded by hand knows; and a thread that stops. */
export async function benchDetect(options: BenchOptions): Promise<MeasuredDetection> {
  const { name, rounds, tell } = options;
  const stage = await setStage(options.lab);
  const floor = await floorRounds(stage, FAULTS.failover, options);
  const watched = new WatchedRounds(stage, { fault: FAULTS.failover, tell, workers: 'apart' });
  await watched.begin();
  const threads = await threadRounds(stage, options);
  const detected: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const { startedMs } = await watched.next();
    detected.push(startedMs);
    tell(`started ${String(round)}: ${startedMs.toFixed(1)} ms`);
  }
  const knownMs = floor.map((one) => one.knownMs);
  const measured = compare(name, { standfast: detected, floor: knownMs }, await watched.close());
  const threadStop = figuresOf(threads);
  tell(`a thread that stops is told of after ${String(threadStop.p50)} ms (p50), ${String(threadStop.p99)} (p99)`);
  return { ...measured, threadStop };
}

const REPLICA = 'db3';

async function threadRounds(stage: Stage, { rounds, tell }: BenchOptions): Promise<number[]> {
  const { lab } = stage;
  const connection = await Connection.connect({ address: stage.temporal.address });
  const told = toldOf(new Client({ connection }));
  const times: number[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await told('Replicates', times.length);
      await randomPause();
      await lab.host(REPLICA).sql('STOP SLAVE SQL_THREAD');
      const stoppedMs = Date.now();
      const at = await told('ApplierStopped', times.length);
      times.push(at - stoppedMs);
      tell(`thread ${String(round)}: ${String(at - stoppedMs)} ms`);
      await lab.host(REPLICA).sql('START SLAVE SQL_THREAD');
    }
    await told('Replicates', times.length);
    return times;
  } finally {
    await connection.close();
  }
}

/** Waits until the watcher has told of the replica more often than `before`. @returns when it did, in milliseconds since 1970 */
const toldOf =
  (client: Client) =>
  (code: string, before: number): Promise<number> =>
    until(
      `${code} of ${REPLICA} from the watcher`,
      async () => {
        const all = await transitionsOf(client.workflow.getHandle('watch/main'));
        const found = all.filter((one) => one.host === REPLICA && one.code === code)[before];
        return found === undefined ? undefined : Date.parse(found.at);
      },
      60_000,
    );
