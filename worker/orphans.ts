import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ActivityNotFoundError, Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { EventEmitter } from 'node:events';

/** What a worker tells the process that started it: the task token of an activity, in base64. */
type Word = { readonly begun: string } | { readonly ended: string };

/** In a worker of a pair: tells which activities it runs, so that none of them has to wait for a timeout when it dies. */
export const announceActivities: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute: async (input, next) => {
      const say = (word: Word): void => void process.send?.(word);
      say({ begun: info.base64TaskToken });
      try {
        return await next(input);
      } finally {
        say({ ended: info.base64TaskToken });
      }
    },
  },
});

/**
 * What workers leave behind that die while their host lives. Whoever started them knows that at once; Temporal would wait for a heartbeat.
 * Source: asynchronous activity completion by task token.
 */
export class Orphans {
  readonly #running = new Map<EventEmitter, Set<string>>();
  #client: Promise<Client> | null = null;

  /** Listens to a worker for as long as it lives. */
  adopt(worker: EventEmitter): void {
    const running = new Set<string>();
    this.#running.set(worker, running);
    worker.on('message', (word: Word) => {
      if ('begun' in word) running.add(word.begun);
      else running.delete(word.ended);
      // Made before somebody dies. One that could not be made is tried again with the next word.
      this.#connected().catch(() => undefined);
    });
  }

  /** The worker has died: what it ran is tried again now, by whoever is there. */
  async release(worker: EventEmitter): Promise<void> {
    const tokens = [...(this.#running.get(worker) ?? [])];
    this.#running.delete(worker);
    if (tokens.length === 0) return;
    try {
      const { activity } = await this.#connected();
      await Promise.all(tokens.map((token) => activity.fail(Buffer.from(token, 'base64'), died()).catch(alreadyOver)));
    } catch (error) {
      process.stderr.write(`what it ran is tried again when its heartbeats are missed: ${String(error)}\n`);
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null); // what was never connected is not closed
    await client?.connection.close();
  }

  async #connected(): Promise<Client> {
    this.#client ??= connect();
    const connecting = this.#client;
    try {
      return await connecting;
    } catch (error) {
      if (this.#client === connecting) this.#client = null;
      throw error;
    }
  }
}

async function connect(): Promise<Client> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  return new Client({ connection: await Connection.connect(connectionOptions), namespace });
}

/** `Unverified`: nobody knows how far it came, so whoever tries again looks first. */
const died = (): ApplicationFailure =>
  ApplicationFailure.create({ type: 'Unverified', message: 'its worker died', nextRetryDelay: '1ms' });

function alreadyOver(error: unknown): void {
  if (!(error instanceof ActivityNotFoundError)) throw error;
}
