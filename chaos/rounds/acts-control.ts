import { runningActivity } from '../../lab/activity.ts';
import { LabError, until } from '../../lab/run.ts';
import type { LabWorker } from '../../lab/workers.ts';
import type { Act } from './acts.ts';
import type { Scene } from './scene.ts';
import { CLUSTER, hireWorker } from './stage.ts';

const LOOK_MS = 3_000;

/** The worker that runs a step for the cluster at this moment. */
const busyWorker = ({ stage }: Scene): Promise<LabWorker> =>
  until(
    'a worker at work',
    async () => {
      const running = await runningActivity(stage.connection, `operation/${CLUSTER}`);
      return stage.workers.find((worker) => worker.isRunning() && worker.isCalled(running?.identity));
    },
    LOOK_MS,
  );

export const controlActs = {
  'worker-kill': {
    make: async (scene) => {
      const worker = await busyWorker(scene);
      await worker.kill();
      scene.stage.workers.push(await hireWorker(scene.stage, worker.role));
    },
  },
  'worker-zombie': {
    make: async (scene, fault) => {
      const worker = await busyWorker(scene);
      worker.signal('SIGSTOP');
      scene.frozenWorkers.set(fault, worker);
    },
    heal: (scene, fault) => {
      scene.frozenWorkers.get(fault)?.signal('SIGCONT');
      return Promise.resolve();
    },
  },
  'temporal-kill': {
    make: async ({ stage }) => {
      if (!stage.temporal.isRunning()) throw new LabError('the Temporal server is down already');
      await stage.temporal.kill();
    },
    heal: ({ stage }) => stage.temporal.startAgain(),
  },
} as const satisfies Readonly<Record<string, Act>>;
