import type { WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { watchId } from '../domain/addresses.ts';
import type { ListedDelay } from '../domain/lag.ts';
import type { WatchDetails } from '../domain/watch.ts';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';

/** What the run that watches the shard told Temporal with its last heartbeat. */
export async function watchedDelays(link: Link, shard: string): Promise<readonly ListedDelay[]> {
  const handle = link.client.workflow.getHandle(watchId(shard));
  const described = await ask(link, () =>
    handle.describe().catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }),
  );
  return described === null ? [] : watchedDelaysIn(described);
}

export function watchedDelaysIn(watch: WorkflowExecutionDescription): readonly ListedDelay[] {
  const data = watch.raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0]?.data;
  if (data === undefined || data === null) return [];
  return (JSON.parse(new TextDecoder().decode(data)) as WatchDetails).delays;
}
