import type { StepHooks } from '../activities/index.ts';
import { attemptIsOurs } from './attempts.ts';
import type { WorkerConfig } from './config.ts';

/**
 * Production steps go straight through. A worker that is to be held stops once at each of its points, says so on standard output and goes on beating:
 * a test kills it there, or lets it go on with SIGUSR2.
 */
export function createHooks({ identity, holdAt }: WorkerConfig): StepHooks {
  const hooks = { worker: identity, isOurs: attemptIsOurs };
  if (holdAt.length === 0) return { ...hooks, hold: () => Promise.resolve() };
  const ahead = new Set<string>(holdAt);
  return {
    ...hooks,
    hold: async (point) => {
      if (!ahead.delete(point)) return;
      const released = new Promise((resolve) => process.once('SIGUSR2', resolve));
      process.stdout.write(`held at ${point}\n`);
      await released;
      process.stdout.write(`released at ${point}\n`);
    },
  };
}
