import { hostname } from 'node:os';
import { z } from 'zod';
import type { TaskQueues } from '../domain/addresses.ts';
import { taskQueues } from '../domain/addresses.ts';

export const WORKER_ROLES = ['runbooks', 'watch'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

/** What the worker reads from its environment, once. Temporal's own settings are read by its envconfig library (`TEMPORAL_*`). */
export interface WorkerConfig {
  readonly inventoryPath: string;
  readonly queues: TaskQueues;
  readonly identity: string;
  /** `activity:before|after` and `activity.step:before|after`: this worker stops once at each, for tests that kill it at one instant. */
  readonly holdAt: readonly string[];
  readonly logLevel: string;
}

const HOLD_POINT = /^[A-Za-z]+(\.[a-z-]+)?:(before|after)$/;

const environment = z.object({
  STANDFAST_CONFIG: z.string().min(1).default('/etc/standfast/standfast.yaml'),
  STANDFAST_TASK_QUEUE: z.string().min(1).default('standfast'),
  STANDFAST_HOLD_AT: z
    .string()
    .default('')
    .transform((list) => (list === '' ? [] : list.split(',')))
    .refine(
      (points) => points.every((point) => HOLD_POINT.test(point)),
      'must look like openTransfer:before,fenceAndDrain.fence:after',
    ),
  STANDFAST_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/** The environment does not say how to work. */
export class WorkerConfigError extends Error {
  override readonly name = 'WorkerConfigError';
}

/**
 * Where the inventory is, for whoever needs nothing else of a worker's environment.
 * @throws WorkerConfigError
 */
export const inventoryPathOf = (variables: NodeJS.ProcessEnv): string =>
  read(environment.pick({ STANDFAST_CONFIG: true }), variables).STANDFAST_CONFIG;

/** @throws WorkerConfigError */
export function readWorkerConfig(variables: NodeJS.ProcessEnv): WorkerConfig {
  const { STANDFAST_CONFIG, STANDFAST_TASK_QUEUE, STANDFAST_HOLD_AT, STANDFAST_LOG_LEVEL } = read(
    environment,
    variables,
  );
  return Object.freeze({
    inventoryPath: STANDFAST_CONFIG,
    queues: taskQueues(STANDFAST_TASK_QUEUE),
    identity: `${hostname()}/${String(process.pid)}`,
    holdAt: STANDFAST_HOLD_AT,
    logLevel: STANDFAST_LOG_LEVEL,
  });
}

/** @throws WorkerConfigError with every faulty variable in one sentence */
function read<T>(schema: z.ZodType<T>, variables: NodeJS.ProcessEnv): T {
  const parsed = schema.safeParse(variables);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new WorkerConfigError(`the environment of the worker is not usable: ${faults.join('; ')}`);
}
