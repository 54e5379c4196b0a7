import { Context } from '@temporalio/activity';
import { AsyncLocalStorage } from 'node:async_hooks';
import { failure } from '../workflows/failures.ts';
import { beat, keepBeating } from './beats.ts';
import { pause } from './pause.ts';
import type { Attempt, Shard, Shards } from './shard.ts';
import type { WatchActivities } from './watch-contract.ts';

const RELOAD_EVERY_MS = 1_000;

/** @param shards of this process */
export const watchActivities = (shards: Shards): WatchActivities => ({
  watchShard: ({ shard: name }) =>
    keepBeating(async () => {
      const { cancellationSignal: signal, info } = Context.current();
      const attempt = { scheduledAtMs: info.currentAttemptScheduledTimestampMs, as: AsyncLocalStorage.snapshot() };
      const shard = shards.take(name, attempt);
      if (shard === null) throw overtaken(name);
      try {
        await keepFollowing(shard, attempt, signal);
      } finally {
        if (isLeft()) shard.leave(attempt);
        else await shard.end(attempt);
      }
      signal.throwIfAborted();
      throw overtaken(name);
    }),
});

async function keepFollowing(shard: Shard, attempt: Attempt, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && shard.isOf(attempt)) {
    await shard.follow();
    beat(shard.details);
    await pause(RELOAD_EVERY_MS, signal);
  }
}

/**
 * Another attempt may follow: its heartbeats came too late, its run is over or goes on as a new one, or a person paused it. Who cancelled it is not said, so a person's
 * cancel is one too. Not when this worker is shut down.
 */
function isLeft(): boolean {
  const said = Context.current().cancellationDetails;
  return [said?.notFound, said?.timedOut, said?.cancelRequested, said?.paused, said?.reset].includes(true);
}

/** Temporal has given up what is overtaken, so it does not hear of this; if it has not, it tries again. */
const overtaken = (shard: string): Error => failure('NotYet', `a later attempt watches the shard ${shard}`);
