import type { StepHooks } from '../activities/index.ts';
import type { WorkerConfig } from './config.ts';

/** Production steps go straight through. A held one says so on standard output and never continues: a test kills the worker there. */
export const createHooks = (config: WorkerConfig): StepHooks => ({
  worker: config.identity,
  hold: async (point) => {
    if (point !== config.holdAt) return;
    process.stdout.write(`held at ${point}\n`);
    await new Promise(() => undefined);
  },
});
