import { Standfast } from '../client/index.ts';
import { Lab } from '../lab/lab.ts';
import { loadShop } from '../lab/shop.ts';
import { TemporalServer } from '../lab/temporal.ts';
import { LabWorker } from '../lab/workers.ts';

/** A lab with a Temporal server, and the client that another service would use. */
export interface Stage {
  readonly lab: Lab;
  readonly temporal: TemporalServer;
  readonly client: Standfast;
}

/** `plain`: an adopted primary with two empty hosts. `cluster`: the same with two admitted replicas. */
export type SavedState = 'plain' | 'cluster';

export const CLUSTER = 'shop';
const SHOP_MB = 20;

const PRIMARY = { cluster: CLUSTER, host: 'db1' } as const;

/** Makes a stage with the state `plain` saved; the product itself makes it. Remove the lab by its name, also when this fails. */
export async function setPlainStage(name: string, megabytes = SHOP_MB): Promise<Stage> {
  const lab = await Lab.up({ name });
  const temporal = await TemporalServer.start(lab);
  const client = await Standfast.connect({ address: temporal.address });
  const stage = { lab, temporal, client };
  const worker = await startWorker(stage, 'adopt');
  await loadShop(lab.host('db1'), { sizeMb: megabytes });
  await client.preparePrimary(PRIMARY);
  await worker.kill();
  await lab.save('plain');
  return stage;
}

/** As `setPlainStage`, with both states saved. */
export async function setStage(name: string): Promise<Stage> {
  const stage = await setPlainStage(name);
  const { lab, client } = stage;
  const worker = await startWorker(stage, 'setup');
  await client.preparePrimary(PRIMARY);
  for (const host of ['db2', 'db3']) await client.provisionReplica({ cluster: CLUSTER, host });
  await lab.save('cluster');
  await worker.kill();
  return stage;
}

/** A saved state, open for writes. */
export async function restore(stage: Stage, state: SavedState): Promise<void> {
  const [worker] = await Promise.all([startWorker(stage, `restore-${state}`), stage.lab.restore(state)]);
  await stage.client.preparePrimary(PRIMARY);
  await worker.kill();
}

/** @param holdAt points at which it stands still until it is released */
export const startWorker = (
  { lab, temporal }: Pick<Stage, 'lab' | 'temporal'>,
  name: string,
  holdAt: readonly string[] = [],
): Promise<LabWorker> =>
  LabWorker.start(lab, name, {
    temporal: temporal.insideAddress,
    ...(holdAt.length === 0 ? {} : { holdAt: holdAt.join(',') }),
  });
