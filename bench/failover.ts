import { Client, Connection } from '@temporalio/client';
import type { Stage } from '../chaos/stage.ts';
import { CLUSTER, restore, setStage, startWorker } from '../chaos/stage.ts';
import type { FailoverResult } from '../client/index.ts';
import { StandfastError } from '../client/index.ts';
import { operationId } from '../domain/addresses.ts';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { LabWorker } from '../lab/workers.ts';
import type { Fault } from './faults.ts';
import type { Measured } from './figures.ts';
import { compare } from './figures.ts';
import type { FloorRound } from './floor.ts';
import { floorRound } from './floor.ts';
import { outage, randomPause, startBooks, startClients } from './outage.ts';

export interface BenchOptions {
  readonly name: string;
  readonly rounds: number;
  readonly lab: string;
  /** Of a copy. */
  readonly megabytes: number;
  readonly tell: (line: string) => void;
}

const SAVED = 'cluster';

/** The write outage of an unplanned failover that a watcher starts, beside the one that is coded by hand. */
export async function benchFailover(fault: Fault, options: BenchOptions): Promise<Measured> {
  const { name, rounds, tell } = options;
  const stage = await setStage(options.lab);
  const floor = (await floorRounds(stage, fault, options)).map((one) => one.outageMs);
  const watched = new WatchedRounds(stage, { fault, tell, workers: 'apart' });
  const standfast: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const { outageMs, said } = await watched.next();
    standfast.push(outageMs);
    tell(`standfast ${String(round)}: ${said}`);
  }
  return compare(name, { standfast, floor }, await watched.close());
}

export async function floorRounds(
  { lab }: Stage,
  fault: Fault,
  { rounds, tell }: BenchOptions,
): Promise<readonly FloorRound[]> {
  const floor: FloorRound[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const measured = await floorRound(lab, SAVED, fault);
    if (measured.knownMs < 0) throw new Error('the floor took a living primary for dead: this machine is too busy');
    floor.push(measured);
    tell(`floor ${String(round)}: ${measured.outageMs.toFixed(1)} ms, known after ${measured.knownMs.toFixed(1)}`);
  }
  return floor;
}

interface Judged {
  readonly lostAcknowledged: number;
  readonly twoWriters: number;
}

/** A cluster under watch, whose every write is in the books. */
interface Watched {
  readonly worker: LabWorker;
  /** Who was primary, one after the other. */
  readonly succession: string[];
  /** Ends its workers, and judges the books. */
  readonly close: () => Promise<Judged>;
}

export interface Watching {
  readonly fault: Fault;
  readonly tell: (line: string) => void;
  /** `apart`: one process that watches and one for the runbooks. `pair`: the one that a user starts, which starts both, and either again. */
  readonly workers: 'apart' | 'pair';
}

/** Failovers one after the other. The old primary comes back as a replica each time; one that cannot is left, and the cluster is made anew. */
export class WatchedRounds {
  readonly #stage: Stage;
  readonly #watching: Watching;
  readonly #judged: Judged[] = [];
  #watched: Watched | null = null;

  constructor(stage: Stage, watching: Watching) {
    this.#stage = stage;
    this.#watching = watching;
  }

  /** The cluster as it is before the first failover. */
  async begin(): Promise<Watched> {
    return (this.#watched ??= await watch(this.#stage, this.#watching.workers));
  }

  /** @param during what else happens to the cluster while it is failed over */
  async next(during: (worker: LabWorker) => Promise<void> = () => Promise.resolve()): Promise<Failed> {
    const { fault, tell } = this.#watching;
    const { worker, succession } = await this.begin();
    const { outageMs, result, startedMs, faultMs } = await standfastRound(this.#stage, succession.at(-1) ?? '', {
      fault,
      during: () => during(worker),
    });
    const { oldPrimary, newPrimary } = result;
    succession.push(newPrimary);
    if (!(fault.returns && (await this.#returns(oldPrimary, tell)))) await this.#judge();
    const said = `${outageMs.toFixed(1)} ms, ${oldPrimary} → ${newPrimary}; +${String(startedMs)} durable, ${stepsOf(result, faultMs)}`;
    return { outageMs, startedMs, said };
  }

  /** What all the books say. */
  async close(): Promise<Judged> {
    await this.#judge();
    const sum = (of: (one: Judged) => number): number => this.#judged.reduce((total, one) => total + of(one), 0);
    return { lostAcknowledged: sum((one) => one.lostAcknowledged), twoWriters: sum((one) => one.twoWriters) };
  }

  async #returns(host: string, tell: (line: string) => void): Promise<boolean> {
    try {
      await this.#stage.client.rejoinReplica({ cluster: CLUSTER, host });
      return true;
    } catch (error) {
      if (!(error instanceof StandfastError) || error.type !== 'Unsafe') throw error;
      tell(`${host} cannot come back, and the cluster is made anew: ${error.message}`);
      return false;
    }
  }

  async #judge(): Promise<void> {
    if (this.#watched === null) return;
    this.#judged.push(await this.#watched.close());
    this.#watched = null;
  }
}

/** A failover that was measured. Milliseconds from the fault: to the first write that another server accepted through the VIP, and to the durable start. */
interface Failed {
  readonly outageMs: number;
  readonly startedMs: number;
  readonly said: string;
}

async function watch(stage: Stage, workers: Watching['workers']): Promise<Watched> {
  const { lab, temporal } = stage;
  await restore(stage, SAVED);
  lab.configure({ automatic: true, cooldown: '0s' });
  const runbooks = workers === 'apart' ? await startWorker(stage, 'runbooks') : null;
  const role = workers === 'pair' ? 'both' : 'watch';
  const worker = await LabWorker.start(lab, 'watch', { temporal: temporal.insideAddress, role });
  const books = startBooks(lab);
  const succession = ['db1'];
  const close = async () => {
    for (const one of [worker, runbooks]) await one?.kill();
    await books.stop();
    const { lost, twoWriters } = await books.verdict({
      primary: succession.at(-1) ?? '',
      succession: succession.map((host) => serverId(lab, host)),
    });
    return { lostAcknowledged: lost.length, twoWriters: twoWriters.length };
  };
  return { worker, succession, close };
}

/** As the inventory of the lab numbers them. */
const serverId = (lab: Lab, host: string): number => lab.hosts.findIndex((one) => one.name === host) + 1;

async function standfastRound(
  { lab, client, temporal }: Stage,
  primary: string,
  { fault, during }: { readonly fault: Fault; readonly during: () => Promise<void> },
): Promise<Round> {
  await untilWhole(client);
  const ledger = await startClients(lab);
  await randomPause();
  const [faultAt, faultMs] = [Ledger.now(), Date.now()];
  await fault.strike(lab, primary);
  const [outageMs] = await Promise.all([outage(ledger, { faultAt, deposed: serverId(lab, primary) }), during()]);
  await ledger.stop();
  const { result, startedAt } = await runOf(temporal.address);
  return { outageMs, faultMs, result, startedMs: startedAt - faultMs };
}

interface Round {
  readonly outageMs: number;
  readonly result: FailoverResult;
  /** From the fault until the run was durable. */
  readonly startedMs: number;
  /** Milliseconds since 1970. */
  readonly faultMs: number;
}

const PATIENCE_MS = 60_000;

/** @throws Error with the findings of a cluster that does not become whole again */
async function untilWhole(client: Stage['client']): Promise<void> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const { verdict } = await client.status(CLUSTER);
    if (verdict.state === 'ok') return;
    if (performance.now() > endsAt) throw new Error(`the cluster is not whole again: ${JSON.stringify(verdict)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Of the failover that the watcher started. */
async function runOf(address: string): Promise<{ readonly result: FailoverResult; readonly startedAt: number }> {
  const connection = await Connection.connect({ address });
  try {
    const run = new Client({ connection }).workflow.getHandle<() => Promise<FailoverResult>>(operationId(CLUSTER));
    const result = await run.result();
    return { result, startedAt: (await run.describe()).startTime.getTime() };
  } finally {
    await connection.close();
  }
}

/** Every step with its start, in milliseconds after the fault, and its duration. */
const stepsOf = ({ timeline }: FailoverResult, faultMs: number): string =>
  timeline
    .map(
      ({ step, startedAt, durationMs }) =>
        `+${String(Date.parse(startedAt) - faultMs)} ${step} ${String(Math.round(durationMs))}`,
    )
    .join(', ');
