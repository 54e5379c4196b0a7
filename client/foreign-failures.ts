import type { StandfastErrorType } from './errors.ts';
import { StandfastError } from './errors.ts';

/** Names of the errors of a worker that say what to mend; anything else is a fault of ours and keeps its stack. */
const KNOWN: Readonly<Record<string, StandfastErrorType>> = {
  InventoryError: 'Configuration',
  WorkerConfigError: 'Configuration',
  NamespaceError: 'Configuration',
  SecretError: 'Configuration',
  KnownHostsError: 'Configuration',
  AdapterFailure: 'Configuration',
  PlainSshError: 'Unreachable',
  TransportError: 'TemporalUnreachable',
};

/** The same in our words, when it is one that a person can mend. */
export function explained(error: unknown, consequence: string): unknown {
  if (!(error instanceof Error)) return error;
  const type = KNOWN[error.name];
  return type === undefined
    ? error
    : new StandfastError({ type, message: `${consequence}: ${error.message}`, cause: error });
}
