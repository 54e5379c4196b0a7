import { readFileSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { parse, stringify } from 'yaml';
import type { Stage } from '../chaos/stage.ts';
import { CLUSTER, restore, setStage, startWorker } from '../chaos/stage.ts';
import type { FailoverResult } from '../client/index.ts';
import { operationId } from '../domain/addresses.ts';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { until } from '../lab/run.ts';
import { LabWorker } from '../lab/workers.ts';
import type { Fault } from './faults.ts';
import type { Measured } from './figures.ts';
import { compare } from './figures.ts';
import { floorRound } from './floor.ts';
import { outage, randomPause, startClients } from './outage.ts';

export interface BenchOptions {
  readonly name: string;
  readonly rounds: number;
  readonly lab: string;
  readonly tell: (line: string) => void;
}

const SAVED = 'cluster';

/** The write outage of an unplanned failover that a watcher starts, beside the one that is coded by hand. */
export async function benchFailover(fault: Fault, options: BenchOptions): Promise<Measured> {
  const { name, rounds, tell } = options;
  const stage = await setStage(options.lab);
  const floor: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    floor.push(await floorRound(stage.lab, SAVED, fault));
    tell(`floor ${String(round)}: ${(floor.at(-1) ?? 0).toFixed(1)} ms`);
  }
  await restore(stage, SAVED);
  makeAutomatic(stage.lab);
  await startWorker(stage, 'runbooks');
  await LabWorker.start(stage.lab, 'watch', { temporal: stage.temporal.insideAddress, role: 'watch' });
  const books = Ledger.start(stage.lab, { vipWriters: 1 });
  const standfast: number[] = [];
  const succession = ['db1'];
  for (let round = 1; round <= rounds; round += 1) {
    const { outageMs, result, faultMs } = await standfastRound(stage, fault, succession.at(-1) ?? '');
    standfast.push(outageMs);
    succession.push(result.newPrimary);
    tell(
      `standfast ${String(round)}: ${outageMs.toFixed(1)} ms, ${result.oldPrimary} → ${result.newPrimary}; ${stepsOf(result, faultMs)}`,
    );
    await stage.client.rejoinReplica({ cluster: CLUSTER, host: result.oldPrimary });
  }
  await books.stop();
  const verdict = await books.verdict({
    primary: succession.at(-1) ?? '',
    succession: succession.map((host) => serverId(stage.lab, host)),
  });
  return compare(
    name,
    { standfast, floor },
    { lostAcknowledged: verdict.lost.length, twoWriters: verdict.twoWriters.length },
  );
}

/** As the inventory of the lab numbers them. */
const serverId = (lab: Lab, host: string): number => lab.hosts.findIndex((one) => one.name === host) + 1;

/** The policy of the lab is that a person starts a failover. */
function makeAutomatic(lab: Lab): void {
  const file = lab.etc('standfast.yaml');
  const inventory = parse(readFileSync(file, 'utf8')) as { clusters: { shop: { policy: { failover: object } } } };
  Object.assign(inventory.clusters.shop.policy.failover, { automatic: true, cooldown: '0s' });
  writeFileSync(file, stringify(inventory));
}

async function standfastRound(
  { lab, client, temporal }: Stage,
  fault: Fault,
  primary: string,
): Promise<{ readonly outageMs: number; readonly result: FailoverResult; readonly faultMs: number }> {
  await until(
    'a cluster without a finding',
    async () => ((await client.status(CLUSTER)).verdict.state === 'ok' ? true : undefined),
    60_000,
  );
  const ledger = await startClients(lab);
  await randomPause();
  const [faultAt, faultMs] = [Ledger.now(), Date.now()];
  fault(lab, primary);
  const outageMs = await outage(ledger, { faultAt, deposed: serverId(lab, primary) });
  await ledger.stop();
  return { outageMs, faultMs, result: await resultOf(temporal.address) };
}

/** Of the failover that the watcher started. */
async function resultOf(address: string): Promise<FailoverResult> {
  const connection = await Connection.connect({ address });
  try {
    return await new Client({ connection }).workflow
      .getHandle<() => Promise<FailoverResult>>(operationId(CLUSTER))
      .result();
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
