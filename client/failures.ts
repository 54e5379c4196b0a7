import {
  ApplicationFailure,
  CancelledFailure,
  isGrpcServiceError,
  TerminatedFailure,
  WorkflowFailedError,
} from '@temporalio/client';
import { isFailureType } from '../domain/failure.ts';
import type { ClientConfig } from './config.ts';
import type { Facts, RunReference } from './errors.ts';
import { StandfastError } from './errors.ts';

/** Codes of gRPC; the package that names them is not a dependency of ours. */
const GRPC = {
  cancelled: 1,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  aborted: 10,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The error and its causes, outermost first. */
export function causesOf(error: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let current = error; current instanceof Error && found.length < 20; current = current.cause) found.push(current);
  return found;
}

export const grpcCode = (error: unknown): number | undefined => {
  const service = causesOf(error).find(isGrpcServiceError);
  return service?.code;
};

const SILENT: readonly (number | undefined)[] = [GRPC.unavailable, GRPC.deadlineExceeded, GRPC.cancelled];
const PASSING: readonly (number | undefined)[] = [...SILENT, GRPC.resourceExhausted, GRPC.aborted, GRPC.internal];

/** Asking again may help: Temporal is away, or a stream to it broke. */
export const isPassing = (error: unknown): boolean => PASSING.includes(grpcCode(error));

/** A run that ended without a result, as the failure that its runbook named. */
export function failureOfRun(error: unknown, run: RunReference): StandfastError | null {
  if (!(error instanceof WorkflowFailedError)) return null;
  const causes = causesOf(error.cause);
  const named = causes.find((cause) => cause instanceof ApplicationFailure && isFailureType(cause.type));
  if (named instanceof ApplicationFailure && isFailureType(named.type))
    return new StandfastError({ type: named.type, message: named.message, facts: factsOf(named), run, cause: error });
  if (causes.some((cause) => cause instanceof CancelledFailure))
    return new StandfastError({
      type: 'Cancelled',
      message: `${run.type} was cancelled before its end; what it had done is in the history of ${run.workflowId}`,
      run,
      cause: error,
    });
  if (causes.some((cause) => cause instanceof TerminatedFailure))
    return new StandfastError({
      type: 'Terminated',
      message: `${run.type} was terminated, so nothing that it had done was undone; a person must look at the hosts`,
      run,
      cause: error,
    });
  return new StandfastError({
    type: 'Internal',
    message: `${run.type} failed: ${causes.at(-1)?.message ?? error.message}; its history is ${run.workflowId}, run ${run.runId}`,
    run,
    cause: error,
  });
}

function factsOf(failure: ApplicationFailure): Facts {
  const first: unknown = failure.details?.[0];
  return typeof first === 'object' && first !== null && !Array.isArray(first) ? (first as Facts) : {};
}

/** A call to Temporal that gave no answer, or was refused by Temporal. */
export function failureOfCall(error: unknown, config: ClientConfig): StandfastError {
  if (error instanceof StandfastError) return error;
  const what = causesOf(error).at(-1)?.message ?? String(error);
  const code = grpcCode(error);
  if (SILENT.includes(code))
    return unreachable(config, { cause: error, consequence: 'whether it took the order is not known' });
  if (code === GRPC.unauthenticated || code === GRPC.permissionDenied)
    return new StandfastError({
      type: 'Configuration',
      message: `Temporal at ${config.address} refuses this client (${what}); mend TEMPORAL_API_KEY or the TEMPORAL_TLS_* settings`,
      cause: error,
    });
  if (causesOf(error).some((cause) => cause.name === 'NamespaceNotFoundError'))
    return new StandfastError({
      type: 'Configuration',
      message: `Temporal at ${config.address} has no namespace "${config.namespace}"; nothing was started. Set TEMPORAL_NAMESPACE, or create it`,
      cause: error,
    });
  return new StandfastError({
    type: 'Internal',
    message: `Temporal at ${config.address} answered with an error: ${what}`,
    cause: error,
  });
}

interface Unanswered {
  readonly cause: unknown;
  readonly consequence: string;
}

export const unreachable = (config: ClientConfig, { cause, consequence }: Unanswered): StandfastError =>
  new StandfastError({
    type: 'TemporalUnreachable',
    message: `Temporal does not answer at ${config.address} (namespace ${config.namespace}); ${consequence}. Start it, or set TEMPORAL_ADDRESS to where it is`,
    cause,
  });
