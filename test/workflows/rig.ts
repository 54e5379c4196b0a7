import { Client, Connection } from '@temporalio/client';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { ensureSearchAttributes } from '../../worker/namespace.ts';
import { TestTemporal } from '../client/temporal.ts';

export interface Running {
  readonly end: () => Promise<void>;
}

/** A Temporal server of one test file, the real workflows, and activities that the test makes up. */
export interface Rig {
  readonly client: Client;
  /** Of the server. */
  readonly address: string;
  /** Workers that run workflows, and workers that run activities, come and go by themselves. */
  readonly runWorkflows: () => Promise<Running>;
  readonly runActivities: (activities: object) => Promise<Running>;
}

export const TASK_QUEUE = 'standfast';

export function useRig(): () => Rig {
  let rig: Rig | undefined;
  let takeDown: () => Promise<void> = () => Promise.resolve();
  beforeAll(async () => {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
    const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
    const [temporal, workflowBundle] = await Promise.all([
      TestTemporal.start(),
      bundleWorkflowCode({ workflowsPath, logger }),
    ]);
    const connection = await NativeConnection.connect({ address: temporal.address });
    await ensureSearchAttributes(connection, 'default');
    const client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    rig = {
      client,
      address: temporal.address,
      runWorkflows: () => run(connection, { workflowBundle }),
      runActivities: (activities) => run(connection, { activities }),
    };
    takeDown = async () => {
      await client.connection.close();
      await connection.close();
      await temporal.stop();
    };
  }, 60_000);
  afterAll(() => takeDown());
  return () => {
    if (rig === undefined) throw new Error('the rig is there from beforeAll on');
    return rig;
  };
}

async function run(
  connection: NativeConnection,
  work: { readonly activities: object } | { readonly workflowBundle: WorkflowBundleWithSourceMap },
): Promise<Running> {
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    maxHeartbeatThrottleInterval: '50ms',
    maxCachedWorkflows: 0,
    ...work,
  });
  const ended = worker.run();
  return {
    end: async () => {
      worker.shutdown();
      await ended;
    },
  };
}
