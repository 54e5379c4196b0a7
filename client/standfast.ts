import type {
  AdmitReplicaInput,
  FailoverInput,
  FenceDeposedInput,
  GoAsyncInput,
  PreparePrimaryInput,
  ProvisionReplicaInput,
  RemoveAckerInput,
  RejoinReplicaInput,
  SyncFilesInput,
  VerifyReplicationInput,
} from '../domain/inputs.ts';
import type { FilesResult } from '../domain/filesets.ts';
import type { RejoinResult } from '../domain/rejoin.ts';
import type {
  AdmitResult,
  FailoverResult,
  FenceDeposedResult,
  GoAsyncResult,
  PrepareResult,
  ProvisionResult,
  RemoveAckerResult,
  VerifyResult,
} from '../domain/report.ts';
import type { ClusterRuns } from '../domain/cluster-runs.ts';
import type { ListedDelay } from '../domain/lag.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Acceptance } from '../domain/acceptance.ts';
import type { AcceptInput } from './accepting.ts';
import { acceptRisk } from './accepting.ts';
import type { RunsQuestion } from './cluster-runs.ts';
import { clusterRuns } from './cluster-runs.ts';
import type { ConnectOptions } from './config.ts';
import { loadClientConfig } from './config.ts';
import type { Link } from './connection.ts';
import { openLink } from './connection.ts';
import type { RunningOperation, RunReference } from './errors.ts';
import { StandfastError } from './errors.ts';
import { watchedDelays } from './lag.ts';
import type { Runbook } from './runbooks.ts';
import {
  admitRunbook,
  diffFilesRunbook,
  failoverRunbook,
  fenceDeposedRunbook,
  goAsyncRunbook,
  prepareRunbook,
  provisionRunbook,
  rejoinRunbook,
  removeAckerRunbook,
  syncFilesRunbook,
  verifyRunbook,
} from './runbooks.ts';
import { runningOperation, startRun } from './runs.ts';
import type { AppliedSchedule, VerifySchedule } from './schedules.ts';
import { ensureVerifySchedule, listVerifySchedules } from './schedules.ts';
import { unhealthyVerdict } from './unhealthy.ts';
import type { WaitOptions } from './waiting.ts';
import { waitForRun } from './waiting.ts';

export interface CallOptions extends WaitOptions {
  /** Makes the call idempotent: a second one with the same ID gets the run of the first, and its result. */
  readonly requestId?: string | undefined;
  /** Returns as soon as the run is durable. */
  readonly detach?: boolean | undefined;
}

/** The result of a runbook, or, of a detached call, the run that will have it. */
export type Answer<Options extends CallOptions, Result> = 'detach' extends keyof Options
  ? Options['detach'] extends true
    ? RunReference
    : Options['detach'] extends false | undefined
      ? Result
      : Result | RunReference
  : Result;

export interface StatusReport {
  readonly cluster: string;
  readonly verdict: Verdict;
  /** The operation that holds the cluster now. */
  readonly operation: RunningOperation | null;
}

/** What the command line needs of a client; {@link Standfast} is the one that talks to Temporal. */
export type StandfastApi = Pick<
  Standfast,
  | 'failover'
  | 'accept'
  | 'provisionReplica'
  | 'rejoinReplica'
  | 'preparePrimary'
  | 'admitReplica'
  | 'removeAcker'
  | 'goAsync'
  | 'verify'
  | 'syncFiles'
  | 'diffFiles'
  | 'lag'
  | 'ensureVerifySchedule'
  | 'listVerifySchedules'
  | 'close'
>;

/** Typed access to the runbooks for other services. Every failure is a {@link StandfastError}. */
export class Standfast {
  readonly #link: Link;

  private constructor(link: Link) {
    this.#link = link;
  }

  /** Connects by `TEMPORAL_*` of the environment, or the profile that the `temporal` command uses. */
  static async connect(options: ConnectOptions = {}): Promise<Standfast> {
    return new Standfast(await openLink(loadClientConfig(options)));
  }

  failover<O extends CallOptions = object>(input: FailoverInput, options?: O): Promise<Answer<O, FailoverResult>> {
    return this.#run(failoverRunbook, input, options);
  }

  /** Answers for what the running failover cannot prove, and asks a person about. */
  accept(input: AcceptInput): Promise<Acceptance> {
    return acceptRisk(this.#link, input);
  }

  provisionReplica<O extends CallOptions = object>(
    input: ProvisionReplicaInput,
    options?: O,
  ): Promise<Answer<O, ProvisionResult>> {
    return this.#run(provisionRunbook, input, options);
  }

  rejoinReplica<O extends CallOptions = object>(
    input: RejoinReplicaInput,
    options?: O,
  ): Promise<Answer<O, RejoinResult>> {
    return this.#run(rejoinRunbook, input, options);
  }

  preparePrimary<O extends CallOptions = object>(
    input: PreparePrimaryInput,
    options?: O,
  ): Promise<Answer<O, PrepareResult>> {
    return this.#run(prepareRunbook, input, options);
  }

  /** Makes a replica that replicates count for losslessness, also one that was removed before. */
  admitReplica<O extends CallOptions = object>(input: AdmitReplicaInput, options?: O): Promise<Answer<O, AdmitResult>> {
    return this.#run(admitRunbook, input, options);
  }

  /** A replica that is gone for long counts no more, so that the others cover a failover. */
  removeAcker<O extends CallOptions = object>(
    input: RemoveAckerInput,
    options?: O,
  ): Promise<Answer<O, RemoveAckerResult>> {
    return this.#run(removeAckerRunbook, input, options);
  }

  /** The primary goes on without acknowledgements, and writers that hang go on; nothing claims losslessness from then on. */
  goAsync<O extends CallOptions = object>(input: GoAsyncInput, options?: O): Promise<Answer<O, GoAsyncResult>> {
    return this.#run(goAsyncRunbook, input, options);
  }

  /** Shuts off a deposed primary that a failover could not reach, as soon as it answers; a failover starts it by itself. */
  fenceDeposed<O extends CallOptions = object>(
    input: FenceDeposedInput,
    options?: O,
  ): Promise<Answer<O, FenceDeposedResult>> {
    return this.#run(fenceDeposedRunbook, input, options);
  }

  /** Fails with `Unhealthy`, whose facts are the verdict, when the verdict is bad. */
  verify<O extends CallOptions = object>(input: VerifyReplicationInput, options?: O): Promise<Answer<O, VerifyResult>> {
    return this.#run(verifyRunbook, input, options);
  }

  /** Brings the filesets of a cluster, or one, in step on every host. */
  syncFiles<O extends CallOptions = object>(input: SyncFilesInput, options?: O): Promise<Answer<O, FilesResult>> {
    return this.#run(syncFilesRunbook, input, options);
  }

  diffFiles<O extends CallOptions = object>(input: SyncFilesInput, options?: O): Promise<Answer<O, FilesResult>> {
    return this.#run(diffFilesRunbook, input, options);
  }

  /**
   * How far the replicas of a shard's clusters are behind, as its watcher said at most two seconds ago: the fifty that are the furthest. Asks no worker.
   * @returns nothing when nobody watches the shard
   */
  lag(shard = 'main'): Promise<readonly ListedDelay[]> {
    return watchedDelays(this.#link, shard);
  }

  /** Runs of the cluster, its last verification and failover, and who watches it, as Temporal knows it. Asks no worker. */
  clusterRuns(question: RunsQuestion): Promise<ClusterRuns> {
    return clusterRuns(this.#link, question);
  }

  /** The verdict of a verification, good or bad, and whatever holds the cluster at this moment. */
  async status(cluster: string, options: WaitOptions = {}): Promise<StatusReport> {
    const [verdict, operation] = await Promise.all([
      this.verify({ cluster }, options).then(({ verdict }) => verdict, verdictOfUnhealthy),
      runningOperation(this.#link, cluster),
    ]);
    return { cluster, verdict, operation };
  }

  /** Creates or updates the Temporal schedule that verifies the cluster every minute. */
  ensureVerifySchedule(cluster: string): Promise<AppliedSchedule> {
    return ensureVerifySchedule(this.#link, cluster);
  }

  listVerifySchedules(cluster?: string): Promise<readonly VerifySchedule[]> {
    return listVerifySchedules(this.#link, cluster);
  }

  async close(): Promise<void> {
    await this.#link.connection.close();
  }

  async #run<Input extends { readonly cluster: string }, Result, O extends CallOptions>(
    runbook: Runbook<Input, Result>,
    input: Input,
    options: O | undefined,
  ): Promise<Answer<O, Result>> {
    const run = await startRun(this.#link, { runbook, input, requestId: options?.requestId });
    const { attached, ...reference } = run;
    options?.onProgress?.({ kind: 'started', run: reference, attached });
    if (options?.detach === true) return reference as Answer<O, Result>;
    const value = await waitForRun(this.#link, run, options ?? {}).catch((error: unknown) =>
      this.#nameHolder(error, input.cluster),
    );
    return runbook.resultOf(value) as Answer<O, Result>;
  }

  /** A run that lost the cluster to another inside its workflow says so; the client adds who holds it now. */
  async #nameHolder(error: unknown, cluster: string): Promise<never> {
    if (!(error instanceof StandfastError) || error.type !== 'Busy') throw error;
    const { type, message, facts, run } = error;
    const holder = await runningOperation(this.#link, cluster);
    throw new StandfastError({ type, message, facts, run, runningOperation: holder ?? undefined, cause: error });
  }
}

function verdictOfUnhealthy(error: unknown): Verdict {
  const verdict = error instanceof StandfastError ? unhealthyVerdict(error) : null;
  if (verdict === null) throw error;
  return verdict;
}
