import type { Connection } from '@temporalio/client';
import { Client } from '@temporalio/client';
import { watchId } from '../../domain/addresses.ts';
import type { Transition } from '../../domain/watch.ts';
import { transitionsOf } from '../../lab/transitions.ts';

export interface Length {
  readonly runId: string;
  readonly events: number;
}

/** The run that watches the simulated clusters. */
export class WatchRun {
  readonly #client: Client;

  constructor(connection: Connection) {
    this.#client = new Client({ connection });
  }

  async told(): Promise<readonly Transition[]> {
    return transitionsOf(this.#handle());
  }

  async length(runId?: string): Promise<Length> {
    const { runId: described, historyLength } = await this.#handle(runId).describe();
    return { runId: described, events: historyLength };
  }

  /** Events since then, also when the run has gone on as a new one. */
  async eventsSince(before: Length): Promise<number> {
    const now = await this.length();
    if (now.runId === before.runId) return now.events - before.events;
    const ended = await this.length(before.runId);
    return ended.events - before.events + now.events;
  }

  #handle(runId?: string) {
    return this.#client.workflow.getHandle(watchId('main'), runId);
  }
}

export const HEALTHY = { primary: 'PrimaryServes', replica: 'Replicates' } as const;

/** The last word about every host, by `CLUSTER/HOST`. */
export const lastWords = (told: readonly Transition[]): ReadonlyMap<string, string> =>
  new Map(told.map(({ cluster, host, code }) => [`${cluster}/${host}`, code]));
