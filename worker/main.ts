import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createActivities } from '../activities/index.ts';
import { Shards } from '../activities/shard.ts';
import { watchActivities } from '../activities/watching.ts';
import { readWorkerConfig } from './config.ts';
import type { WorkerConfig, WorkerRole } from './config.ts';
import { createHooks } from './hold.ts';
import { InventorySource } from './inventory-source.ts';
import { createLogger } from './logger.ts';
import { controlPlaneId, ensureSearchAttributes } from './namespace.ts';
import { createObservers } from './observers.ts';
import { announceActivities } from './orphans.ts';
import { createPorts } from './ports.ts';
import { createProofs } from './proofs.ts';
import { createRuns } from './runs.ts';
import { WatchedShards } from './shards.ts';

/** Runs one worker process until it is told to stop (SIGINT, SIGTERM); running activities get 10 s to end. */
export async function runWorker(role: WorkerRole): Promise<void> {
  const config = readWorkerConfig(process.env);
  const logger = createLogger(config);
  Runtime.install({ logger, shutdownSignals: ['SIGINT', 'SIGTERM'] });
  const inventory = new InventorySource(config.inventoryPath);
  await inventory.current();
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    await ensureSearchAttributes(connection, namespace);
    const owner = await controlPlaneId(connection, namespace);
    const client = new Client({ connection, namespace });
    const ports = createPorts(inventory, {
      ...{ owner, runs: createRuns(config.queues), proofs: createProofs() },
      observers: createObservers(client.activity, config.queues, logger),
    });
    const activities = { ...createActivities(ports, createHooks(config)), ...watchActivities(new Shards(ports)) };
    const workers = await Promise.all(
      queuesOf(role, config).map((taskQueue) => createWorker(config, { connection, namespace, activities, taskQueue })),
    );
    const shards = new WatchedShards(client, { taskQueue: config.queues.watch, logger }, inventory);
    if (role === 'watch') await shards.follow();
    await Promise.all(workers.map((worker) => worker.run()));
    shards.stop();
    ports.close();
  } finally {
    await connection.close();
  }
}

const queuesOf = (role: WorkerRole, { queues }: WorkerConfig): readonly string[] => [
  role === 'watch' ? queues.watch : queues.runbooks,
  queues.failover,
];

interface Wiring {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: object;
  readonly taskQueue: string;
}

/**
 * The steps of a failover follow one another at once: it stays in the process that began it, which has its state and its connections. So does a run that watches, which is told
 * the most while a failover needs the processor. When that process is dead, another goes on from the history after the timeout; any other run does so at once, since it is kept nowhere.
 */
const STAYING = { maxCachedWorkflows: 20, stickyQueueScheduleToStartTimeout: '100ms' } as const;

function createWorker(config: WorkerConfig, wiring: Wiring): Promise<Worker> {
  return Worker.create({
    ...wiring,
    ...workflowCode(),
    identity: config.identity,
    interceptors: process.connected ? { activity: [announceActivities] } : {},
    ...(wiring.taskQueue === config.queues.runbooks ? { maxCachedWorkflows: 0 } : STAYING),
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
