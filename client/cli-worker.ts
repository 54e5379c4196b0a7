import { StandfastError } from './errors.ts';

/** Names of the errors that a worker ends with before it works; anything else is a fault of ours and keeps its stack. */
const KNOWN = {
  InventoryError: 'Configuration',
  WorkerConfigError: 'Configuration',
  SecretError: 'Configuration',
  KnownHostsError: 'Configuration',
  TransportError: 'TemporalUnreachable',
} as const;

export async function startWorkerOrExplain(start: () => Promise<number>): Promise<number> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof Error) || !Object.hasOwn(KNOWN, error.name)) throw error;
    const type = KNOWN[error.name as keyof typeof KNOWN];
    throw new StandfastError({ type, message: `no worker was started: ${error.message}`, cause: error });
  }
}
