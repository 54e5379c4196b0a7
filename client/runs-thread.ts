import { parentPort } from 'node:worker_threads';
import { RunsAside } from './runs-aside.ts';
import type { ThreadAnswer, ThreadQuestion } from './runs-beside.ts';

/** Answers one question after the other comes, several at once. */
const aside = new RunsAside();

async function answer({ id, question }: ThreadQuestion): Promise<ThreadAnswer> {
  try {
    return { id, answer: await aside.runs(question) };
  } catch (error) {
    return { id, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on('message', (asked: ThreadQuestion) => {
  void answer(asked).then((said) => parentPort?.postMessage(said));
});
