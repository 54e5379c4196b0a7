import { Worker } from 'node:worker_threads';
import type { RunsAnswer } from '../domain/cluster-runs.ts';
import type { RunsApi } from './cli-io.ts';
import type { RunsQuestion } from './cluster-runs.ts';

export interface ThreadQuestion {
  readonly id: number;
  readonly question: RunsQuestion;
}

/** `fault`: a bug, with its stack. */
export type ThreadAnswer = { readonly id: number } & ({ readonly answer: RunsAnswer } | { readonly fault: string });

interface Waiting {
  readonly resolve: (answer: RunsAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Asks Temporal from a thread of its own. What speaks to Temporal takes as long to load as the hosts need to answer, and their answers would wait to be read.
 */
export function runsBeside(): RunsApi {
  const thread = new Worker(new URL('runs-thread.js', import.meta.url));
  const waiting = new Map<number, Waiting>();
  let last = 0;
  thread.on('message', (said: ThreadAnswer) => {
    const asker = waiting.get(said.id);
    waiting.delete(said.id);
    if ('answer' in said) asker?.resolve(said.answer);
    else asker?.reject(new Error(said.fault));
  });
  thread.on('error', (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return {
    runs: (question) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        thread.postMessage({ id: last, question } satisfies ThreadQuestion);
      }),
    close: async () => {
      await thread.terminate();
    },
  };
}
