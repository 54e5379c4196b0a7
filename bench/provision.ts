import { Client, Connection } from '@temporalio/client';
import type { Stage } from '../chaos/stage.ts';
import { CLUSTER, restore, setPlainStage, startWorker } from '../chaos/stage.ts';
import { provisionId } from '../domain/addresses.ts';
import { compareServers } from '../lab/checksums.ts';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { activityTimes } from './activities.ts';
import type { BenchOptions } from './failover.ts';
import type { Figures, Measured } from './figures.ts';
import { compare, percentile } from './figures.ts';
import { copyByHand, readyByHand } from './provision-floor.ts';

interface Throughput extends Figures {
  /** Of the data directory, without binary and redo logs, by the p50. */
  readonly mbPerSecond: number;
}

export interface MeasuredCopy extends Measured {
  readonly standfast: Throughput;
  readonly floor: Throughput;
  /** Of that data directory. */
  readonly megabytes: number;
}

const DONOR = 'db1';
const REPLICA = 'db2';

/** A replica of a primary that is written to: from the order to one that counts, beside the same copy by hand until it replicates. */
export async function benchProvision(options: BenchOptions): Promise<MeasuredCopy> {
  const { name, rounds, tell } = options;
  const stage = await setPlainStage(options.lab, options.megabytes);
  const times = { standfast: [] as number[], floor: [] as number[] };
  const books = { lostAcknowledged: 0, twoWriters: 0 };
  let bytes = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (const who of ['floor', 'standfast'] as const) {
      await restore(stage, 'plain');
      bytes = await bytesOf(stage.lab, DONOR);
      const { durationMs, said, lost, twoWriters } = await copyRound(stage, who === 'floor' ? byHand : byRunbook);
      times[who].push(durationMs);
      books.lostAcknowledged += lost;
      books.twoWriters += twoWriters;
      tell(`${who} ${String(round)}: ${durationMs.toFixed(0)} ms${said}`);
    }
  }
  const megabytes = Math.round(bytes / 1e5) / 10;
  const measured = compare(name, times, books);
  const throughput = (figures: Figures, values: readonly number[]): Throughput => {
    return { ...figures, mbPerSecond: Math.round((megabytes / percentile(values, 50)) * 10_000) / 10 };
  };
  const [standfast, floor] = [throughput(measured.standfast, times.standfast), throughput(measured.floor, times.floor)];
  tell(`${String(megabytes)} MB: ${String(standfast.mbPerSecond)} MB/s, by hand ${String(floor.mbPerSecond)}`);
  return { ...measured, standfast, floor, megabytes };
}

/** What is copied: binary logs are not, and of the redo log only its newest end. */
async function bytesOf(lab: Lab, host: string): Promise<number> {
  const left = ['mariadb-bin.*', 'ib_logfile*', 'ibtmp*', '.standfast'].map((name) => `--exclude=${name}`);
  const { stdout } = await lab.host(host).exec(['du', '--summarize', '--bytes', ...left, '/var/lib/mysql']);
  const bytes = Number.parseInt(stdout, 10);
  if (!(bytes > 0)) throw new Error(`du on ${host} says "${stdout}"`);
  return bytes;
}

interface Copied {
  readonly durationMs: number;
  readonly said: string;
}

/** @returns only when every row of the replica equals the primary's, with what the ledger says */
async function copyRound(
  stage: Stage,
  copy: (stage: Stage) => Promise<Copied>,
): Promise<Copied & { readonly lost: number; readonly twoWriters: number }> {
  const { lab } = stage;
  const ledger = Ledger.start(lab, { periodMs: 100 });
  await ledger.acknowledged(10);
  const copied = await copy(stage);
  await ledger.acknowledged(10, { since: Ledger.now() });
  await ledger.stop();
  const { lost, twoWriters } = await ledger.verdict({ primary: DONOR });
  const { differing } = await compareServers(lab, DONOR, [DONOR, REPLICA]);
  if (differing.length > 0) throw new Error(`the copy on ${REPLICA} differs in ${differing.join(', ')}`);
  return { ...copied, lost: lost.length, twoWriters: twoWriters.length };
}

async function byHand({ lab }: Stage): Promise<Copied> {
  await readyByHand(lab, DONOR, REPLICA);
  const startedAt = performance.now();
  await copyByHand(lab, DONOR, REPLICA);
  return { durationMs: performance.now() - startedAt, said: '' };
}

async function byRunbook(stage: Stage): Promise<Copied> {
  const worker = await startWorker(stage, 'copy');
  const startedAt = performance.now();
  await stage.client.provisionReplica({ cluster: CLUSTER, host: REPLICA });
  const durationMs = performance.now() - startedAt;
  await worker.kill();
  return { durationMs, said: `; ${await stepsOf(stage)}` };
}

async function stepsOf({ temporal }: Stage): Promise<string> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const run = new Client({ connection }).workflow.getHandle(provisionId(CLUSTER, REPLICA));
    const { events } = await run.fetchHistory();
    return activityTimes(events ?? [])
      .map(({ activity, durationMs }) => `${activity} ${durationMs.toFixed(0)}`)
      .join(', ');
  } finally {
    await connection.close();
  }
}
