import { Connection } from '@temporalio/client';
import { Standfast } from '../../client/index.ts';
import { Lab } from '../../lab/lab.ts';
import { loadShop } from '../../lab/shop.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { LabWorker } from '../../lab/workers.ts';
import type { Mode } from './plan.ts';

export const CLUSTER = 'shop';
const REPLICAS = ['db2', 'db3'] as const;
const WORKERS = 2;
const SHOP_MB = 5;

/** Everything that rounds are played with; made once. */
export interface Stage {
  readonly lab: Lab;
  readonly temporal: TemporalServer;
  readonly client: Standfast;
  /** For what the client does not tell: pending activities, histories. */
  readonly connection: Connection;
  readonly workers: LabWorker[];
  /** The saved state of the lab that rounds of a mode start from. */
  readonly saved: Readonly<Record<Mode, string>>;
}

/** Three hosts whose cluster the product itself has made, saved once for each mode. */
export async function setStage(
  name: string,
  { modes, tell }: { readonly modes: readonly Mode[]; readonly tell: (line: string) => void },
): Promise<Stage> {
  const lab = await Lab.up({ name });
  const temporal = await TemporalServer.start(lab);
  const client = await Standfast.connect({ address: temporal.address });
  const connection = await Connection.connect({ address: temporal.address });
  const stage: Stage = {
    lab,
    temporal,
    client,
    connection,
    workers: [],
    saved: { lossless: 'lossless', async: 'async' },
  };
  await manWorkers(stage);
  await loadShop(lab.host('db1'), { sizeMb: SHOP_MB });
  await client.preparePrimary({ cluster: CLUSTER, host: 'db1' });
  await lab.save('plain');
  for (const mode of modes) {
    await lab.restore('plain');
    lab.configure({ mode: mode === 'lossless' ? 'semisync' : 'async' });
    await client.preparePrimary({ cluster: CLUSTER, host: 'db1' });
    for (const host of REPLICAS) tell((await client.provisionReplica({ cluster: CLUSTER, host })).sentence);
    await lab.save(stage.saved[mode]);
  }
  return stage;
}

let hired = 0;

/** Two workers run; ones that were killed are replaced. */
export async function manWorkers(stage: Stage): Promise<void> {
  const alive = stage.workers.filter((worker) => worker.isRunning());
  while (alive.length < WORKERS) alive.push(await hireWorker(stage));
  stage.workers.splice(0, stage.workers.length, ...alive);
}

export async function hireWorker({ lab, temporal }: Stage): Promise<LabWorker> {
  hired += 1;
  return LabWorker.start(lab, String(hired), { temporal: temporal.insideAddress });
}

export async function strikeStage(stage: Stage): Promise<void> {
  await stage.client.close();
  await stage.connection.close();
  await stage.lab.down();
}
