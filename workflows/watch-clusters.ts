import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { WatchActivities } from '../activities/watch-contract.ts';
import { watchId } from '../domain/addresses.ts';
import type { WatchClustersInput } from '../domain/inputs.ts';
import { parseWatchClusters } from '../domain/inputs.ts';
import { WatchBoard } from '../domain/watch-board.ts';
import { transitionsSignal } from './messages.ts';
import { accept, atAddress } from './operation.ts';

/** It never ends by itself; silence of two seconds means that its worker is dead, and another one goes on. */
const { watchShard } = proxyActivities<WatchActivities>({
  summary: 'watch the clusters of the shard',
  startToCloseTimeout: '3650 days',
  heartbeatTimeout: '2s',
  retry: { initialInterval: '200ms', backoffCoefficient: 1.5, maximumInterval: '5s' },
});

/** Watches the clusters of a shard for ever. Only what has become different is in its history; it goes on in a new run when that has grown long. */
export async function watchClusters(input: unknown): Promise<void> {
  const order = accept(parseWatchClusters(input));
  upsertSearchAttributes({ StandfastRunbook: ['watchClusters'] });
  return atAddress(watchId(order.shard), order, () => watch(order));
}

async function watch(order: WatchClustersInput): Promise<void> {
  const board = new WatchBoard(order.shard);
  setCurrentDetails(board.render());
  setHandler(
    transitionsSignal,
    (transitions) => {
      for (const transition of transitions) board.note(transition);
      setCurrentDetails(board.render());
    },
    { description: 'sent by the watcher itself when something has become different' },
  );
  const scope = new CancellationScope();
  const watching = scope.run(() => watchShard(order));
  await Promise.race([watching, condition(() => workflowInfo().continueAsNewSuggested)]);
  scope.cancel();
  try {
    await watching;
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  await continueAsNew<typeof watchClusters>(order);
}
