import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { observerActivities } from '../activities/observing-alone.ts';
import type { Inventory } from '../inventory/config.ts';
import { didYouMean } from '../inventory/did-you-mean.ts';
import { readWorkerConfig, WorkerConfigError } from './config.ts';
import { InventorySource } from './inventory-source.ts';
import { createLogger } from './logger.ts';
import { createLookingPorts } from './ports.ts';

/** Runs the worker of one site, which only looks, until it is told to stop (SIGINT, SIGTERM). */
export async function runObserver(site: string): Promise<void> {
  const config = readWorkerConfig(process.env);
  Runtime.install({ logger: createLogger(config), shutdownSignals: ['SIGINT', 'SIGTERM'] });
  const inventory = new InventorySource(config.inventoryPath);
  requireObserver(await inventory.current(), site);
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  const ports = createLookingPorts(inventory);
  try {
    const worker = await Worker.create({
      ...{ connection, namespace, identity: config.identity, taskQueue: config.queues.observe(site) },
      activities: observerActivities(ports),
      shutdownGraceTime: '1s',
    });
    await worker.run();
  } finally {
    ports.close();
    await connection.close();
  }
}

/** Nobody would ever ask it. @throws WorkerConfigError */
export function requireObserver({ clusters }: Inventory, site: string): void {
  const known = [...new Set(clusters.flatMap((cluster) => cluster.policy.watch.observers))];
  if (known.includes(site)) return;
  const hint = didYouMean(site, known) || '.';
  const others = known.length === 0 ? 'none' : known.join(', ');
  throw new WorkerConfigError(
    `no cluster of the inventory has "${site}" in policy.watch.observers (there: ${others})${hint} Add it there, here and for the worker that watches, then start again`,
  );
}
