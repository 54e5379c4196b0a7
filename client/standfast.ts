import type {
  AdmitReplicaInput,
  AuditClusterInput,
  FailoverInput,
  FenceDeposedInput,
  GoAsyncInput,
  MakeRoomInput,
  PreparePrimaryInput,
  ProvisionReplicaInput,
  RemoveAckerInput,
  RejoinReplicaInput,
  SyncFilesInput,
  VerifyReplicationInput,
} from '../domain/inputs.ts';
import type { AuditResult } from '../domain/audit/report.ts';
import type { FilesResult } from '../domain/filesets.ts';
import type { RejoinResult } from '../domain/rejoin.ts';
import type { FailoverPlan } from '../domain/plan.ts';
import type {
  AdmitResult,
  FailoverResult,
  FenceDeposedResult,
  GoAsyncResult,
  MakeRoomResult,
  PrepareResult,
  ProvisionResult,
  RemoveAckerResult,
  VerifyResult,
} from '../domain/report.ts';
import type { Check } from '../domain/checkup.ts';
import type { ClusterRuns } from '../domain/cluster-runs.ts';
import type { ListedDelay } from '../domain/lag.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Acceptance } from '../domain/acceptance.ts';
import type { Answer, CallOptions } from './call.ts';
import { call } from './call.ts';
import type { AcceptInput } from './accepting.ts';
import { acceptRisk } from './accepting.ts';
import type { RunsQuestion } from './cluster-runs.ts';
import { clusterRuns } from './cluster-runs.ts';
import type { ConnectOptions } from './config.ts';
import { loadClientConfig } from './config.ts';
import type { Link } from './connection.ts';
import { openLink } from './connection.ts';
import type { RunningOperation } from './errors.ts';
import { StandfastError } from './errors.ts';
import type { TemporalQuestion } from './examine-temporal.ts';
import { examineTemporal } from './examine-temporal.ts';
import { lookAtWatch } from './watch.ts';
import {
  admitRunbook,
  auditRunbook,
  diffFilesRunbook,
  failoverRunbook,
  planFailoverRunbook,
  fenceDeposedRunbook,
  goAsyncRunbook,
  makeRoomRunbook,
  prepareRunbook,
  provisionRunbook,
  rejoinRunbook,
  removeAckerRunbook,
  syncFilesRunbook,
  verifyRunbook,
} from './runbooks.ts';
import { runningOperation } from './runs.ts';
import { Schedules } from './schedules.ts';
import { unhealthyVerdict } from './unhealthy.ts';
import type { WaitOptions } from './waiting.ts';

export type { Answer, CallOptions } from './call.ts';

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
  | 'planFailover'
  | 'accept'
  | 'provisionReplica'
  | 'rejoinReplica'
  | 'preparePrimary'
  | 'admitReplica'
  | 'removeAcker'
  | 'goAsync'
  | 'verify'
  | 'audit'
  | 'syncFiles'
  | 'diffFiles'
  | 'lag'
  | 'schedules'
  | 'examine'
  | 'close'
>;

/** Typed access to the runbooks for other services. Every failure is a {@link StandfastError}. */
export class Standfast {
  readonly schedules: Schedules;
  readonly #link: Link;

  private constructor(link: Link) {
    this.#link = link;
    this.schedules = new Schedules(link);
  }

  /** Connects by `TEMPORAL_*` of the environment, or the profile that the `temporal` command uses. */
  static async connect(options: ConnectOptions = {}): Promise<Standfast> {
    return new Standfast(await openLink(loadClientConfig(options)));
  }

  failover<O extends CallOptions = object>(input: FailoverInput, options?: O): Promise<Answer<O, FailoverResult>> {
    return call(this.#link, { runbook: failoverRunbook, input }, options);
  }

  /** What a failover would do if the primary were dead now. Changes nothing, and needs no lock. */
  planFailover<O extends CallOptions = object>(
    input: Pick<FailoverInput, 'cluster' | 'candidate'>,
    options?: O,
  ): Promise<Answer<O, FailoverPlan>> {
    return call(this.#link, { runbook: planFailoverRunbook, input: { ...input, dryRun: true } }, options);
  }

  /** Answers for what the running failover cannot prove, and asks a person about. */
  accept(input: AcceptInput): Promise<Acceptance> {
    return acceptRisk(this.#link, input);
  }

  provisionReplica<O extends CallOptions = object>(
    input: ProvisionReplicaInput,
    options?: O,
  ): Promise<Answer<O, ProvisionResult>> {
    return call(this.#link, { runbook: provisionRunbook, input }, options);
  }

  rejoinReplica<O extends CallOptions = object>(
    input: RejoinReplicaInput,
    options?: O,
  ): Promise<Answer<O, RejoinResult>> {
    return call(this.#link, { runbook: rejoinRunbook, input }, options);
  }

  preparePrimary<O extends CallOptions = object>(
    input: PreparePrimaryInput,
    options?: O,
  ): Promise<Answer<O, PrepareResult>> {
    return call(this.#link, { runbook: prepareRunbook, input }, options);
  }

  /** Makes a replica that replicates count for losslessness, also one that was removed before. */
  admitReplica<O extends CallOptions = object>(input: AdmitReplicaInput, options?: O): Promise<Answer<O, AdmitResult>> {
    return call(this.#link, { runbook: admitRunbook, input }, options);
  }

  /** A replica that is gone for long counts no more, so that the others cover a failover. */
  removeAcker<O extends CallOptions = object>(
    input: RemoveAckerInput,
    options?: O,
  ): Promise<Answer<O, RemoveAckerResult>> {
    return call(this.#link, { runbook: removeAckerRunbook, input }, options);
  }

  /** The primary goes on without acknowledgements, and writers that hang go on; nothing claims losslessness from then on. */
  goAsync<O extends CallOptions = object>(input: GoAsyncInput, options?: O): Promise<Answer<O, GoAsyncResult>> {
    return call(this.#link, { runbook: goAsyncRunbook, input }, options);
  }

  /** Lets ackers that were away into a primary whose connections all wait for them; a watcher starts it by itself. */
  makeRoom<O extends CallOptions = object>(input: MakeRoomInput, options?: O): Promise<Answer<O, MakeRoomResult>> {
    return call(this.#link, { runbook: makeRoomRunbook, input }, options);
  }

  /** Shuts off a deposed primary that a failover could not reach, as soon as it answers; a failover starts it by itself. */
  fenceDeposed<O extends CallOptions = object>(
    input: FenceDeposedInput,
    options?: O,
  ): Promise<Answer<O, FenceDeposedResult>> {
    return call(this.#link, { runbook: fenceDeposedRunbook, input }, options);
  }

  /** Fails with `Unhealthy`, whose facts are the verdict, when the verdict is bad. */
  verify<O extends CallOptions = object>(input: VerifyReplicationInput, options?: O): Promise<Answer<O, VerifyResult>> {
    return call(this.#link, { runbook: verifyRunbook, input }, options);
  }

  /** Judges the set-up by every rule of docs/audit.md. Does not fail for what it finds. */
  audit<O extends CallOptions = object>(input: AuditClusterInput, options?: O): Promise<Answer<O, AuditResult>> {
    return call(this.#link, { runbook: auditRunbook, input }, options);
  }

  /** Brings the filesets of a cluster, or one, in step on every host. */
  syncFiles<O extends CallOptions = object>(input: SyncFilesInput, options?: O): Promise<Answer<O, FilesResult>> {
    return call(this.#link, { runbook: syncFilesRunbook, input }, options);
  }

  /** What {@link syncFiles} would change. Changes no file. */
  diffFiles<O extends CallOptions = object>(input: SyncFilesInput, options?: O): Promise<Answer<O, FilesResult>> {
    return call(this.#link, { runbook: diffFilesRunbook, input }, options);
  }

  /**
   * How far the replicas of a shard's clusters are behind, as its watcher said at most two seconds ago: the fifty that are the furthest. Asks no worker.
   * @returns nothing when nobody watches the shard
   */
  async lag(shard = 'main'): Promise<readonly ListedDelay[]> {
    return (await lookAtWatch(this.#link, { shard })).details?.delays ?? [];
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

  /** What Standfast needs of Temporal, each with what mends it. Changes nothing. */
  examine(question: TemporalQuestion): Promise<readonly Check[]> {
    return examineTemporal(this.#link, question);
  }

  async close(): Promise<void> {
    await this.#link.connection.close();
  }
}

function verdictOfUnhealthy(error: unknown): Verdict {
  const verdict = error instanceof StandfastError ? unhealthyVerdict(error) : null;
  if (verdict === null) throw error;
  return verdict;
}
