import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createActivities } from '../activities/index.ts';
import { readWorkerConfig } from './config.ts';
import type { WorkerConfig } from './config.ts';
import { createHooks } from './hold.ts';
import { InventorySource } from './inventory-source.ts';
import { createLogger } from './logger.ts';
import { controlPlaneId, ensureSearchAttributes } from './namespace.ts';
import { createPorts } from './ports.ts';

/** Runs one worker until it is told to stop (SIGINT, SIGTERM); running activities get 10 s to end. */
export async function runWorker(): Promise<void> {
  const config = readWorkerConfig(process.env);
  Runtime.install({ logger: createLogger(config), shutdownSignals: ['SIGINT', 'SIGTERM'] });
  const inventory = new InventorySource(config.inventoryPath);
  await inventory.current();
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    await ensureSearchAttributes(connection, namespace);
    const owner = await controlPlaneId(connection, namespace);
    const ports = createPorts(inventory, owner);
    const worker = await createWorker(config, {
      connection,
      namespace,
      activities: createActivities(ports, createHooks(config)),
    });
    await worker.run();
    ports.close();
  } finally {
    await connection.close();
  }
}

function createWorker(
  config: WorkerConfig,
  wiring: { connection: NativeConnection; namespace: string; activities: object },
): Promise<Worker> {
  return Worker.create({
    ...wiring,
    ...workflowCode(),
    taskQueue: config.taskQueue,
    identity: config.identity,
    // A run whose worker died is picked up by another one from its history, without waiting for a sticky queue to expire.
    maxCachedWorkflows: 0,
    maxHeartbeatThrottleInterval: '200ms',
    defaultHeartbeatThrottleInterval: '200ms',
    shutdownGraceTime: '10s',
  });
}

/** The bundle that the build made; from a source tree without one, the SDK bundles at start. */
function workflowCode(): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  return { workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)) };
}
