import type { ActivityClient } from '@temporalio/client';
import { ActivityExecutionFailedError, ServiceError } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import type { ObserverActivities, PrimaryReach } from '../activities/observe-contract.ts';
import type { ObserversPort } from '../adapters/ports.ts';
import type { TaskQueues } from '../domain/addresses.ts';

type Asking = Pick<ActivityClient, 'execute'>;
const LOOK: keyof ObserverActivities = 'observePrimary';

/** Asks the workers of other sites, by activities of their own: a watcher is no workflow that could have one carried out. */
export function createObservers(
  activities: Asking,
  queues: Pick<TaskQueues, 'observe'>,
  logger: Pick<Logger, 'warn'>,
): ObserversPort {
  /** Sites that could not say the last time; it is logged once. */
  const mute = new Set<string>();
  return {
    look: async (site, { cluster, host }, withinMs) => {
      const late = new AbortController();
      try {
        const asked = activities.execute<PrimaryReach>(LOOK, {
          id: `observe/${cluster}/${site}/${randomUUID()}`,
          taskQueue: queues.observe(site),
          args: [{ cluster, host }],
          scheduleToCloseTimeout: withinMs,
          retry: { maximumAttempts: 1 },
          summary: `does ${host} of ${cluster} answer at ${site}?`,
        });
        // Temporal itself may be away.
        const { reach } = await Promise.race([asked, lateAfter(withinMs, late.signal)]);
        mute.delete(site);
        return reach;
      } catch (error) {
        const why = whyMute(error);
        if (why === null) throw error;
        if (!mute.has(site)) logger.warn('the worker of another site cannot say', { site, cluster, host, why });
        mute.add(site);
        return null;
      } finally {
        late.abort();
      }
    },
  };
}

class Late extends Error {}

/** Timers come before sockets: in a process that was kept from running, the answer may be there already, and is old. */
const lateAfter = (ms: number, signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const timer = setTimeout(() => {
      reject(new Late(`no answer within ${String(ms)} ms`));
    }, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });

/** Null: it is a fault of ours. */
function whyMute(error: unknown): string | null {
  if (error instanceof ActivityExecutionFailedError) return error.cause?.message ?? error.message;
  return error instanceof ServiceError || error instanceof Late ? error.message : null;
}
