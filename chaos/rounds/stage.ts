import { Connection } from '@temporalio/client';
import { Standfast } from '../../client/index.ts';
import { Lab } from '../../lab/lab.ts';
import { loadShop } from '../../lab/shop.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import type { WorkerRole } from '../../lab/workers.ts';
import { LabWorker } from '../../lab/workers.ts';
import type { Mode } from './plan.ts';

export const CLUSTER = 'shop';
const REPLICAS = ['db2', 'db3'] as const;
/** What is started on two machines; a watched cluster has one watcher, and one that takes over. */
const WORKERS: readonly WorkerRole[] = ['runbooks', 'runbooks'];
const WATCHERS: readonly WorkerRole[] = ['watch', 'watch'];
const SHOP_MB = 5;

/** Everything that rounds are played with; made once. */
export interface Stage {
  readonly lab: Lab;
  readonly temporal: TemporalServer;
  readonly client: Standfast;
  /** For what the client does not tell: pending activities, histories. */
  readonly connection: Connection;
  readonly workers: LabWorker[];
  /** Failovers are started by a watcher, and by a person only when none has been. */
  readonly isWatched: boolean;
  /** The saved state of the lab that rounds of a mode start from. */
  readonly saved: Readonly<Record<Mode, string>>;
}

interface Staging {
  readonly modes: readonly Mode[];
  readonly isWatched: boolean;
  readonly tell: (line: string) => void;
}

/** Three hosts whose cluster the product itself has made, saved once for each mode. */
export async function setStage(name: string, { modes, isWatched, tell }: Staging): Promise<Stage> {
  const lab = await Lab.up({ name });
  const temporal = await TemporalServer.start(lab);
  const client = await Standfast.connect({ address: temporal.address });
  const connection = await Connection.connect({ address: temporal.address });
  const stage: Stage = {
    lab,
    temporal,
    client,
    connection,
    isWatched,
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

/** Two workers for the runbooks run; ones that were killed are replaced. */
export const manWorkers = (stage: Stage): Promise<void> => man(stage, WORKERS);

/** And two that watch. */
export const manWatchers = (stage: Stage): Promise<void> => man(stage, [...WORKERS, ...WATCHERS]);

export async function dismissWatchers(stage: Stage): Promise<void> {
  for (const worker of stage.workers) if (worker.role === 'watch' && worker.isRunning()) await worker.kill();
}

async function man(stage: Stage, wanted: readonly WorkerRole[]): Promise<void> {
  const alive = stage.workers.filter((worker) => worker.isRunning());
  for (const role of new Set(wanted)) {
    const count = wanted.filter((one) => one === role).length;
    while (alive.filter((worker) => worker.role === role).length < count) alive.push(await hireWorker(stage, role));
  }
  stage.workers.splice(0, stage.workers.length, ...alive);
}

export async function hireWorker({ lab, temporal }: Stage, role: WorkerRole): Promise<LabWorker> {
  hired += 1;
  return LabWorker.start(lab, String(hired), { temporal: temporal.insideAddress, role });
}

export async function strikeStage(stage: Stage): Promise<void> {
  await stage.client.close();
  await stage.connection.close();
  await stage.lab.down();
}
