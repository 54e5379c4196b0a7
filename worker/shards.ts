import type { Client } from '@temporalio/client';
import { watchId } from '../domain/addresses.ts';
import type { InventorySource } from './inventory-source.ts';

const LOOK_EVERY_MS = 10_000;

/** Starts the run that watches a shard, once for every shard that the inventory has, or gets. One that a person ended stays ended until a worker is started. */
export class WatchedShards {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #inventory: InventorySource;
  readonly #started = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Client, taskQueue: string, inventory: InventorySource) {
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#inventory = inventory;
  }

  /** @throws what keeps the first runs from being started; later ones are tried again */
  async follow(): Promise<void> {
    await this.#startNew();
    this.#timer = setInterval(() => {
      this.#startNew().catch((error: unknown) => {
        process.stderr.write(`the shards of the inventory were not looked at: ${String(error)}\n`);
      });
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #startNew(): Promise<void> {
    const { clusters } = await this.#inventory.current();
    for (const shard of new Set(clusters.map((cluster) => cluster.policy.watch.shard))) {
      if (this.#started.has(shard)) continue;
      await this.#client.workflow.start('watchClusters', {
        workflowId: watchId(shard),
        taskQueue: this.#taskQueue,
        args: [{ shard }],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `watch the clusters of shard ${shard}`,
      });
      this.#started.add(shard);
    }
  }
}
