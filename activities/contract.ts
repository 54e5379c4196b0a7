import type { ClusterDescription, HostName } from '../domain/cluster.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import type { Return } from '../domain/rejoin.ts';
import type { AdmitResult, GoAsyncResult, MakeRoomResult, PrepareResult, RemoveAckerResult } from '../domain/report.ts';
import type { LagMeasurement } from '../domain/verdict.ts';
import type { AuditActivities } from './audit-contract.ts';
import type { OfCluster, OfOperation, Undone } from './contract-shapes.ts';
import type { FailoverActivities } from './failover-contract.ts';
import type { FileActivities } from './files-contract.ts';

export type { OfCluster, OfOperation, Undone } from './contract-shapes.ts';
export type { FilesErrand, FilesPlan } from './files-contract.ts';
export type { DeposedFence, Fenced, Promoted, Settled } from './failover-contract.ts';

export interface Transfer extends OfCluster {
  readonly donor: HostName;
  readonly target: HostName;
  /** Names the copy on both hosts; valid for cleaning up at any epoch. */
  readonly job: string;
}

export interface ProvisionPlan {
  readonly primary: HostName;
  readonly donor: HostName;
  readonly target: HostName;
  /** Bytes in the donor's tables and logs, for the space check. */
  readonly estimatedBytes: number;
}

export interface Snapshot {
  readonly bytes: number;
  /** GTID position at which the snapshot is consistent. */
  readonly position: string;
}

export interface ChecksumProof {
  readonly tables: number;
  /** GTID position of the last snapshot in which tables were compared. */
  readonly position: string;
}

/** Every step that touches the world. All are idempotent: look, act if needed, look again. */
export interface Activities extends AuditActivities, FailoverActivities, FileActivities {
  /**
   * Reads the cluster's entry of the inventory, without addresses or secrets.
   * @throws `BadInput` when the inventory has no such cluster, or cannot be read
   */
  describeCluster(input: OfCluster): Promise<ClusterDescription>;

  /**
   * Asks every member at once, each with a deadline of 2 s; silence is an answer.
   * When the recorded primary is silent, replicas listen once more for its heartbeats (0.4 s).
   */
  observeCluster(input: OfCluster): Promise<ClusterObservation>;

  /**
   * Commits one heartbeat row (in `standfast.heartbeat`) on `primary` and waits until every replica shows it, for the `lag.fail` limit and 2 s at most.
   * @returns for each replica its lag, by how much the true one may differ, and how far its clock is ahead; a null lag with the reason when nothing can be said
   */
  measureLag(input: OfCluster & { readonly primary: HostName }): Promise<readonly LagMeasurement[]>;

  /**
   * Brings the host helper of every reachable member to this version, writes the drop-in that makes it boot closed, and keepalived's configuration.
   * Before the first of these, a `host` that nobody has recorded yet is judged as `openPrimary` judges it.
   * @throws `Unsafe` when that refuses it, another control plane owns a member, or a helper is missing; `Unreachable` when no majority answers
   */
  equipMembers(
    input: OfCluster & { readonly host: HostName },
  ): Promise<{ readonly equipped: readonly HostName[]; readonly unreachable: readonly string[] }>;

  /**
   * Claims an epoch, checks settings, records `host` as primary on a majority, opens it, starts its replicas, and puts the VIP on it.
   * @throws `Unsafe` when another host is recorded as primary, another server accepts writes, or settings are missing (each is named)
   */
  openPrimary(input: OfOperation & { readonly host: HostName }): Promise<PrepareResult>;

  /**
   * Decides whether `host` may become a replica, before a byte moves or a key is made: placement, versions, settings, emptiness, space.
   * @throws `Unsafe` with every obstacle named
   */
  planProvision(input: OfCluster & { readonly host: HostName; readonly from: HostName | null }): Promise<ProvisionPlan>;

  /**
   * Makes a key for this copy on the donor and lets it in on the target, for receiving this copy only.
   * @throws `Unsafe` when the target holds data, runs a server or lacks space (estimated bytes × 1.3)
   */
  openTransfer(input: Transfer & { readonly estimatedBytes: number }): Promise<void>;

  /**
   * Starts the copy on the donor, or attaches to it, and follows it to its end. The bytes go from host to host; this worker may die without
   * one being sent again. Heartbeats the bytes sent.
   * @throws `Unsafe` with the tail of the log when the copy failed: it is not begun again by itself
   */
  copySnapshot(input: Transfer): Promise<{ readonly bytes: number }>;

  /** Prepares the received snapshot on the target and moves it into place. @throws `Unverified` when it is not complete */
  installSnapshot(input: Transfer & { readonly bytes: number }): Promise<Snapshot>;

  /** Starts the target's server (closed) and its replication from `primary` at the snapshot's position. */
  startReplica(input: Transfer & { readonly primary: HostName; readonly position: string }): Promise<void>;

  /**
   * Waits until the replica has applied what the primary had, then compares the rows of every table at one GTID position.
   * @throws `NotYet` while it catches up; `Unsafe` when a table differs
   */
  proveReplica(input: Transfer & { readonly primary: HostName }): Promise<ChecksumProof>;

  /** Keeps what was provisioned: keys, job files and what was set aside are removed from both hosts. */
  keepSnapshot(input: Transfer): Promise<void>;

  /**
   * Undo of everything between `openTransfer` and `keepSnapshot`; safe when nothing happened.
   * @throws `Unreachable`, `Unverified`, `NotYet` for some minutes, while a host may come back; after that it is not undone, and the order for a person is told
   */
  cleanTransfer(input: Transfer): Promise<Undone>;

  /**
   * Makes a proven replica count: the `sync` record on a majority first, then semi-sync on the replica, then waiting on the primary. One that was removed
   * before is let in again. `lossless` is recorded when the servers themselves are seen to keep it. Steps inside: see `ADMIT_STEPS`.
   * @throws `Unsafe` when `host` does not replicate from the recorded primary, or has transactions of its own
   */
  admitReplica(input: OfOperation & { readonly host: HostName }): Promise<AdmitResult>;

  /** Undo of an admission that did not end: the replica is taken out in the order of a removal, the record and the primary are as before. */
  undoAdmission(input: OfOperation & { readonly host: HostName }): Promise<Undone>;

  /**
   * Makes `host` count no more, dead, frozen, cut off or alive: the primary's host refuses it and its connection is seen gone, another acker holds all that it may have
   * acknowledged alone, the record shrinks on a majority; then it is told, and let in again if it is seen to obey. The last one: as `goAsync`.
   * Steps inside: see `REMOVE_STEPS`.
   * @throws `Unsafe` when nobody else is connected and acknowledges, or `host` is the last one and the policy is to stop; nothing is changed then
   * Source: MariaDB KB, semi-synchronous replication; SHOW REPLICA HOSTS
   */
  removeAcker(input: OfOperation & { readonly host: HostName }): Promise<RemoveAckerResult>;

  /**
   * Undo of a removal: while the record names `host`, it may connect again. From the record on the removal stands. Nothing happened: nothing is done.
   * @param input.wasAcker  the record named `host` when the removal began
   */
  undoRemoval(input: OfOperation & { readonly host: HostName; readonly wasAcker: boolean }): Promise<Undone>;

  /**
   * `async` on a majority first; then the primary waits for nobody, and commits that hang go on; then every other host is told to acknowledge nothing, or
   * refused. Each step leaves what is on record true, so there is no undo. Steps inside: see `ASYNC_STEPS`.
   * @throws `Unsafe` when the policy is to stop
   */
  goAsync(input: OfOperation): Promise<GoAsyncResult>;

  /**
   * Of a primary whose connections all wait for its ackers, which are back and are refused (1040): its kernel refuses the new connections of everybody but the
   * members and whoever administrates its host, for seconds; `max_connections` is raised, within bounds, until an acker is attached and commits go on, and put back when
   * fewer are connected. No connection is ended. Comes in by the connection that a full server keeps for an administrator. Idempotent: the host notes the limit that is to be put back.
   * Steps inside: see `ROOM_STEPS`.
   * @throws `Unsafe` when nobody came in time, the limit being as before; when the primary does not answer
   * Source: MariaDB KB, max_connections; nftables, sets with a timeout
   */
  makeRoom(input: OfOperation): Promise<MakeRoomResult>;

  /**
   * Looks only. `follows`: the host replicates from the primary with both threads already.
   * @throws `Unsafe` as `rejoinHost` does
   */
  planRejoin(input: OfCluster & { readonly host: HostName }): Promise<{ readonly follows: boolean }>;

  /**
   * A host that was primary or replica before and holds nothing that the primary lacks is started closed and replicates from the primary; it acknowledges
   * nothing yet. What another one has alone is exported into its quarantine, and its server stays down. Steps inside: see `REJOIN_STEPS`.
   * @throws `Unsafe` when it is the primary, accepts writes, or never belonged to the cluster; when the primary does not serve
   */
  rejoinHost(input: OfOperation & { readonly host: HostName }): Promise<Return>;

  /** Undo of `rejoinHost` and of a proof after it: a host that does not count yet follows nobody again, and stays closed; one that followed before goes on. */
  undoRejoin(input: OfCluster & { readonly host: HostName; readonly followedBefore: boolean }): Promise<Undone>;
}
