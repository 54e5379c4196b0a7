import type { RunsAnswer } from '../domain/cluster-runs.ts';
import type { RunsQuestion } from './cluster-runs.ts';
import type { ConnectOptions } from './config.ts';
import { StandfastError } from './errors.ts';
import { Standfast } from './standfast.ts';

/** For each of the two: a first connection, and the answers over it. */
const TEMPORAL_MS = 700;

/** Temporal, which may be away: then that is the answer, and the next question tries again. */
export class RunsAside {
  readonly #options: ConnectOptions;
  #connecting: Promise<Standfast> | null = null;

  constructor(options: ConnectOptions = {}) {
    this.#options = { connectTimeoutMs: TEMPORAL_MS, ...options };
  }

  async runs(question: RunsQuestion): Promise<RunsAnswer> {
    this.#connecting ??= Standfast.connect(this.#options);
    const connecting = this.#connecting;
    try {
      const client = await connecting;
      return { reach: 'answers', runs: await client.clusterRuns({ deadlineMs: TEMPORAL_MS, ...question }) };
    } catch (error) {
      if (!(error instanceof StandfastError)) throw error;
      await this.#forget(connecting);
      return { reach: 'silent', why: error.message };
    }
  }

  /** Several questions may have failed over the same connection. */
  async #forget(connecting: Promise<Standfast>): Promise<void> {
    if (this.#connecting !== connecting) return;
    this.#connecting = null;
    const client = await connecting.catch(() => null); // why there is none was told
    await client?.close();
  }
}
