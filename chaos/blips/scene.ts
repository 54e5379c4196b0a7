import { Client, Connection } from '@temporalio/client';
import type { Lab } from '../../lab/lab.ts';
import { childrenOf } from '../../lab/children.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { LabError } from '../../lab/run.ts';
import { WallClock } from '../../lab/wall-clock.ts';
import { LabWorker } from '../../lab/workers.ts';
import { Runs } from '../runs.ts';
import type { Stage } from '../stage.ts';
import { CLUSTER, restore } from '../stage.ts';
import { PRIMARY } from './catalogue.ts';
import { untilWhole } from './whole.ts';

/** A cluster under the watch of what a user starts: one process that watches and one for the runbooks. */
export interface Scene {
  readonly stage: Stage;
  /** For what the client does not tell: runs, and what the watcher said. */
  readonly temporal: Client;
  readonly connection: Connection;
  readonly worker: LabWorker;
  readonly clock: WallClock;
}

/** Its failovers are automatic and nothing spares the cluster one: there is no grace and no cooldown. */
export async function openScene(stage: Stage): Promise<Scene> {
  const { lab, temporal: server } = stage;
  const connection = await Connection.connect({ address: server.address });
  await Runs.on(connection).terminateAll('the cluster is made anew');
  await restore(stage, 'cluster');
  lab.configure({ automatic: true, cooldown: '0s' });
  const clock = new WallClock(lab);
  const worker = await LabWorker.start(lab, 'watched', {
    ...{ temporal: server.insideAddress, role: 'both', environment: clock.environment },
  });
  const scene = { stage, temporal: new Client({ connection }), connection, worker, clock };
  const lacking = await untilWhole(scene);
  if (lacking !== null) throw new LabError(`${CLUSTER} is not whole before the first blip: ${lacking}`);
  return scene;
}

export async function closeScene({ worker, clock, connection }: Scene): Promise<void> {
  if (worker.isRunning()) await worker.kill();
  clock.forget(worker.pid);
  await connection.close();
}

/** The process that watches; its number changes when it is started again. */
export function watcherOf({ worker }: Scene): number {
  const pid = childrenOf(worker.pid).get('watch');
  if (pid === undefined) throw new LabError('the process that watches is not there');
  return pid;
}

/** Writers at every door, for as long as some dozen rounds take: not so fast that their books become a load of their own. */
export const startWriters = async (lab: Lab): Promise<Ledger> => {
  const ledger = Ledger.start(lab, { periodMs: 20 });
  await ledger.acknowledged(20);
  return ledger;
};

export const hostOf = ({ stage }: Scene, host: string | null) => stage.lab.host(host ?? PRIMARY);

/** As the inventory of the lab numbers them. */
export const serverIdOf = ({ stage }: Scene, host: string): number =>
  stage.lab.hosts.findIndex(({ name }) => name === host) + 1;
