import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from '@temporalio/worker';
import { watchId } from '../domain/addresses.ts';
import type { InventorySource } from './inventory-source.ts';

const LOOK_EVERY_MS = 10_000;
/** At the run of a shard that was started. */
const LOOK_AT_RUN_EVERY_MS = 60_000;
/** What nobody meant: it failed, or Temporal's store was restored to before its start. */
const LOST: readonly string[] = ['NOT_FOUND', 'FAILED', 'TIMED_OUT'];
const ENDED_BY_PERSON: readonly string[] = ['CANCELLED', 'TERMINATED'];

interface Plane {
  readonly taskQueue: string;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Starts the run that watches a shard for every shard that the inventory has, or gets, and again when that run is lost. One that a person ended stays ended until
 * a worker is started.
 */
export class WatchedShards {
  readonly #client: Client;
  readonly #plane: Plane;
  readonly #inventory: InventorySource;
  /** When its run was started or looked at last. */
  readonly #seenAtMs = new Map<string, number>();
  /** A person ended it, which was said. */
  readonly #ended = new Set<string>();
  /** Why the shards could not be looked at, as it was logged; empty: they could. */
  #fault = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Client, plane: Plane, inventory: InventorySource) {
    this.#client = client;
    this.#plane = plane;
    this.#inventory = inventory;
  }

  /** @throws what keeps the first runs from being started; later ones are tried again */
  async follow(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => {
      this.#look().then(
        () => (this.#fault = ''),
        (error: unknown) => {
          this.#warnOnce(String(error));
        },
      );
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { clusters } = await this.#inventory.current();
    for (const shard of new Set(clusters.map((cluster) => cluster.policy.watch.shard))) {
      const seenAtMs = this.#seenAtMs.get(shard);
      if (seenAtMs !== undefined && performance.now() - seenAtMs < LOOK_AT_RUN_EVERY_MS) continue;
      if (seenAtMs === undefined || (await this.#isLost(shard))) await this.#start(shard);
      this.#seenAtMs.set(shard, performance.now());
    }
  }

  async #start(shard: string): Promise<void> {
    await this.#client.workflow.start('watchClusters', {
      workflowId: watchId(shard),
      taskQueue: this.#plane.taskQueue,
      args: [{ shard }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `watch the clusters of shard ${shard}`,
    });
  }

  async #isLost(shard: string): Promise<boolean> {
    const status = await this.#statusOf(shard);
    const { logger } = this.#plane;
    if (!ENDED_BY_PERSON.includes(status)) this.#ended.delete(shard);
    else if (!this.#ended.has(shard)) {
      this.#ended.add(shard);
      logger.warn('the run that watches a shard was ended by a person, so nobody watches its clusters', {
        shard,
        status,
      });
    }
    const isLost = LOST.includes(status);
    if (isLost) logger.warn('the run that watches a shard is lost and is started again', { shard, status });
    return isLost;
  }

  async #statusOf(shard: string): Promise<string> {
    try {
      return (await this.#client.workflow.getHandle(watchId(shard)).describe()).status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'NOT_FOUND';
      throw error;
    }
  }

  #warnOnce(why: string): void {
    if (why !== this.#fault) this.#plane.logger.warn('the shards of the inventory were not looked at', { why });
    this.#fault = why;
  }
}
