export type { TemporalQuestion } from './examine-temporal.ts';
export type { RunsQuestion } from './cluster-runs.ts';
export type { ConnectOptions } from './config.ts';
export type {
  ClientFailureType,
  Facts,
  RunningOperation,
  RunReference,
  StandfastErrorInit,
  StandfastErrorType,
} from './errors.ts';
export { StandfastError } from './errors.ts';
export type { Progress } from './progress.ts';
export type { ListedSchedule, PauseInput, ScheduledRun } from './schedule-list.ts';
export type { ScheduleChange, ScheduleKind, WantedSchedule } from './schedule-plan.ts';
export { wantedSchedules } from './schedule-plan.ts';
export type { ScheduleOrder } from './schedule-changes.ts';
export type { Schedules } from './schedules.ts';
export type { AcceptInput } from './accepting.ts';
export type { Answer, CallOptions, StatusReport } from './standfast.ts';
export { Standfast } from './standfast.ts';
export { unhealthyVerdict } from './unhealthy.ts';
export type { WaitOptions } from './waiting.ts';
export type { Acceptance, Risk } from '../domain/acceptance.ts';
export type { LatencyClass, LinkCost } from '../domain/audit/latency.ts';
export type { AuditFinding, AuditReport, AuditResult } from '../domain/audit/report.ts';
export type { AuditSeverity } from '../domain/audit/rule.ts';
export type { Check, CheckState } from '../domain/checkup.ts';
export type { ClockOffset } from '../domain/clock.ts';
export type { ClusterRuns, EndedRun, RunningRun } from '../domain/cluster-runs.ts';
export type { Epoch, HostName } from '../domain/cluster.ts';
export type { Coverage } from '../domain/coverage.ts';
export type { Diagnosis } from '../domain/diagnosis.ts';
export type { Vote } from '../domain/election.ts';
export type {
  FileCounts,
  FileName,
  FilesetSync,
  FilesResult,
  SetAside,
  TargetFailure,
  TargetSync,
} from '../domain/filesets.ts';
export type { FailureType } from '../domain/failure.ts';
export type {
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
export type {
  AdmitResult,
  AbandonedWinner,
  FailoverDecision,
  FailoverResult,
  FenceDeposedResult,
  FenceProof,
  GoAsyncResult,
  MakeRoomResult,
  Loss,
  PrepareResult,
  ProvisionResult,
  RemoveAckerResult,
  TimelineEntry,
  VerifyResult,
} from '../domain/report.ts';
export type { FailoverPlan, PlannedRefusal, PlannedStep } from '../domain/plan.ts';
export type { Lag, ListedDelay, ReplicaDelay } from '../domain/lag.ts';
export type { RejoinResult } from '../domain/rejoin.ts';
export type { Tail } from '../domain/tail.ts';
export type { Finding, ReplicaEvidence, Severity, Verdict } from '../domain/verdict.ts';
