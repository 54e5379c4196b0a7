import { hostname } from 'node:os';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { StandfastError } from './errors.ts';

export const DEFAULT_TASK_QUEUE = 'standfast';
const DEFAULT_ADDRESS = 'localhost:7233';

/** What a program may set instead of the environment. */
export interface ConnectOptions {
  /** `host:port` of Temporal's frontend; `TEMPORAL_ADDRESS` or the profile when absent. */
  readonly address?: string;
  readonly namespace?: string;
  /** The queue that the workers of Standfast poll; `STANDFAST_TASK_QUEUE` or `standfast` when absent. */
  readonly taskQueue?: string;
  /** Of the Temporal UI, for links; `STANDFAST_TEMPORAL_UI` when absent. */
  readonly uiAddress?: string;
  readonly connectTimeoutMs?: number;
  /** Shown in every history as who asked. */
  readonly identity?: string;
}

export interface ClientConfig {
  readonly connection: ClientConnectConfig['connectionOptions'];
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Without a slash at its end; null: no links. */
  readonly uiAddress: string | null;
  readonly connectTimeoutMs: number;
  readonly identity: string;
}

const environmentSchema = z.object({
  STANDFAST_TASK_QUEUE: z
    .string()
    .regex(/^[\w./-]{1,200}$/, 'letters, digits, ". _ / -", at most 200 characters')
    .default(DEFAULT_TASK_QUEUE),
  STANDFAST_TEMPORAL_UI: z
    .url({ protocol: /^https?$/, error: 'an address such as https://temporal.example.com' })
    .optional(),
  USER: z.string().default('unknown'),
});

export function loadClientConfig(options: ConnectOptions = {}, environment = process.env): ClientConfig {
  const own = environmentSchema.safeParse(withoutEmpty(environment));
  if (!own.success)
    throw new StandfastError({
      type: 'Configuration',
      message: `nothing was started: ${own.error.issues.map((issue) => `${issue.path.join('.')} must be ${issue.message}`).join('; ')}`,
    });
  const temporal = loadTemporalProfile(withoutEmpty(environment));
  const address = options.address ?? temporal.connectionOptions.address ?? DEFAULT_ADDRESS;
  return Object.freeze({
    connection: temporal.connectionOptions,
    address,
    namespace: options.namespace ?? temporal.namespace ?? 'default',
    taskQueue: options.taskQueue ?? own.data.STANDFAST_TASK_QUEUE,
    uiAddress: (options.uiAddress ?? own.data.STANDFAST_TEMPORAL_UI)?.replace(/\/+$/, '') ?? null,
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    identity: options.identity ?? `standfast ${own.data.USER}@${hostname()}`,
  });
}

function loadTemporalProfile(environment: Record<string, string>): ClientConnectConfig {
  try {
    return loadClientConnectConfig({ overrideEnvVars: environment });
  } catch (error) {
    throw new StandfastError({
      type: 'Configuration',
      message: `nothing was started: the settings for Temporal cannot be read (${error instanceof Error ? error.message : String(error)}); mend TEMPORAL_* or the file that TEMPORAL_CONFIG_FILE names`,
      cause: error,
    });
  }
}

/** An empty variable means "not set", as it does for the Temporal CLI. */
function withoutEmpty(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
