import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { RunReference } from '../client/index.ts';
import { until } from '../lab/run.ts';

/** One activity of a run, as the server's history tells it. */
export interface ActivityRecord {
  readonly name: string;
  readonly completed: boolean;
  /** Of the attempt that completed it. */
  readonly attempt: number;
  readonly worker: string;
}

/** What Temporal says about runs, asked of its server and not of the product. */
export class Runs {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static on(connection: Connection): Runs {
    return new Runs(new Client({ connection }));
  }

  static async connect(address: string): Promise<Runs> {
    return Runs.on(await Connection.connect({ address }));
  }

  async close(): Promise<void> {
    await this.#client.connection.close();
  }

  async activities(run: Pick<RunReference, 'workflowId' | 'runId'>): Promise<readonly ActivityRecord[]> {
    const { events } = await this.#client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    const all = events ?? [];
    return all.flatMap((event) => {
      const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (name === undefined || name === null) return [];
      const id = String(event.eventId);
      const started = all.findLast(
        (one) => String(one.activityTaskStartedEventAttributes?.scheduledEventId) === id,
      )?.activityTaskStartedEventAttributes;
      const completed = all.some((one) => String(one.activityTaskCompletedEventAttributes?.scheduledEventId) === id);
      return [{ name, completed, attempt: started?.attempt ?? 0, worker: started?.identity ?? '' }];
    });
  }

  /** How many activities of that name are completed in these runs, one number for all. */
  async countCompleted(runs: readonly RunReference[], name: string): Promise<number> {
    const lists = await Promise.all(runs.map((run) => this.activities(run)));
    return lists.flat().filter((one) => one.name === name && one.completed).length;
  }

  /** Runs that this one started. Their activities come later than this entry of its history. */
  async startedBy(run: RunReference): Promise<readonly RunReference[]> {
    const { events } = await this.#client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    return (events ?? []).flatMap(({ childWorkflowExecutionStartedEventAttributes: child }) => {
      const { workflowId, runId } = child?.workflowExecution ?? {};
      if (typeof workflowId !== 'string' || typeof runId !== 'string') return [];
      return [{ workflowId, runId, type: child?.workflowType?.name ?? '' }];
    });
  }

  /** Cancels the run at an address, and waits until its workflow has taken notice. */
  async cancel(workflowId: string): Promise<void> {
    const handle = this.#client.workflow.getHandle(workflowId);
    await handle.cancel();
    await until(`${workflowId} knows that it is cancelled`, async () => {
      const { events } = await handle.fetchHistory();
      const asked = events?.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes) ?? -1;
      const heard = asked >= 0 && events?.slice(asked).some((event) => event.workflowTaskCompletedEventAttributes);
      return heard === true ? true : undefined;
    });
  }

  /** Every run that has not ended, with what its pending activities last failed with; a watch is not meant to end. */
  async left(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { workflowId, runId, type } of this.#client.workflow.list({
      query: 'ExecutionStatus = "Running" AND WorkflowType != "watchClusters"',
    })) {
      const { raw, status } = await this.#client.workflow.getHandle(workflowId, runId).describe();
      if (status.name !== 'RUNNING') continue; // what is listed may be a second old
      const pending = (raw.pendingActivities ?? []).map(
        (one) =>
          `${one.activityType?.name ?? ''} attempt ${String(one.attempt)}: ${one.lastFailure?.message ?? 'runs'}`,
      );
      found.push(`${type} at ${workflowId} (${pending.join('; ')})`);
    }
    return found;
  }

  async terminateAll(why: string): Promise<void> {
    for await (const { workflowId, runId } of this.#client.workflow.list({ query: 'ExecutionStatus = "Running"' }))
      await this.#client.workflow
        .getHandle(workflowId, runId)
        .terminate(why)
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
  }
}
