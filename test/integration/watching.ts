import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { transitionsOf } from '../../lab/transitions.ts';
import type { Transition } from '../../domain/watch.ts';
import { until } from '../../lab/run.ts';

const TELLS_MS = 60_000;

export interface Watch {
  /** "HOST CODE" of all that it told, oldest first. */
  told(): Promise<readonly string[]>;
  /** What it did about what it told, in words. */
  reactions(): Promise<readonly string[]>;
  /** Waits until the watcher has told "HOST CODE" so many times. */
  tells(what: string, times?: number): Promise<void>;
  /** Runs of failovers that are there, by their IDs. */
  failovers(): Promise<readonly string[]>;
  /** Identity of the worker that watches now. */
  watcher(): Promise<string | undefined>;
  /** Whether its last task was meant for the process that keeps it in memory, and not for whoever reads the whole history first. */
  isKept(): Promise<boolean>;
}

/** What the run that watches the lab's shard was told. */
export function useWatch(temporal: () => Client): Watch {
  const run = () => temporal().workflow.getHandle('watch/main');
  const told = (): Promise<readonly Transition[]> => transitionsOf(run());
  const codes = async (): Promise<readonly string[]> => (await told()).map(({ host, code }) => `${host} ${code}`);
  return {
    told: codes,
    reactions: async () => (await told()).map(({ reaction }) => reaction),
    tells: async (what, times = 1) => {
      let last: readonly string[] = [];
      const heard = async (): Promise<true | undefined> => {
        try {
          last = await codes();
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }
        return last.filter((one) => one === what).length >= times ? true : undefined;
      };
      await until(`"${what}" from the watcher`, heard, TELLS_MS).catch((error: unknown) => {
        throw new Error(`it told ${last.join(', ') || 'nothing'}`, { cause: error });
      });
    },
    failovers: async () => {
      const found: string[] = [];
      const { startTime } = await run().describe();
      for await (const { workflowId, startTime: at } of temporal().workflow.list({
        query: 'WorkflowType = "failover" AND WorkflowId STARTS_WITH "operation/"',
      }))
        if (at >= startTime) found.push(workflowId);
      return found;
    },
    watcher: async () => {
      const { raw } = await run().describe();
      return raw.pendingActivities?.[0]?.lastWorkerIdentity ?? undefined;
    },
    isKept: async () => {
      const { events } = await run().fetchHistory();
      const task = events?.findLast(
        (event) => event.workflowTaskScheduledEventAttributes,
      )?.workflowTaskScheduledEventAttributes;
      // Only a queue of one process stands for another queue.
      return (task?.taskQueue?.normalName ?? '') !== '';
    },
  };
}
