import type { HostName } from './cluster.ts';
import type { MemberRecords, RefusedAddress } from './records.ts';
import type { ThreadError } from './thread-errors.ts';

export type ThreadState = 'running' | 'connecting' | 'stopped';

/** One replication channel, in neutral words; the dialects stay in the adapters. */
export interface ReplicationStatus {
  /** Inventory name of the source; null when its address is not in the inventory. */
  readonly source: HostName | null;
  readonly receiver: ThreadState;
  readonly applier: ThreadState;
  readonly receiverError: ThreadError | null;
  readonly applierError: ThreadError | null;
  /**
   * What was received into the relay log, as the server prints it. Of a replica with both threads stopped, read while its primary is silent: what
   * it applied and what its relay logs hold, per domain and server. Empty: not known.
   */
  readonly received: string;
  /** Why it is not known, when that was looked into. */
  readonly receivedUnknown?: string;
  /** What the applier has committed, per domain. Absent in answers of earlier versions. */
  readonly applied?: string;
  /** How far the receiver has read its source's log; moves within a transaction. Absent in answers of earlier versions. */
  readonly readUpTo?: string;
  readonly usesGtid: boolean;
  readonly delaySeconds: number;
  readonly filters: readonly string[];
  readonly heartbeatPeriodSeconds: number;
  readonly heartbeatsReceived: number;
}

/** A replication channel beside the one that a cluster replicates through. Standfast makes none that outlasts an operation. */
export interface OtherChannel {
  readonly name: string;
  /** Inventory name of the source; null when its address is not in the inventory: a server elsewhere, or a member by another address, such as the VIP. */
  readonly source: HostName | null;
  readonly receiver: ThreadState;
  readonly applier: ThreadState;
}

export interface SemiSyncStatus {
  readonly primaryEnabled: boolean;
  /** The server really waits: MariaDB reports OFF after a timeout although it is enabled. */
  readonly primaryActive: boolean;
  readonly clients: number;
  /** IDs of the servers that replicate from this one, as they registered, whether they acknowledge or not. Absent in answers of earlier versions. */
  readonly attached?: readonly number[];
  readonly waitPoint: string;
  readonly waitsWithoutReplica: boolean;
  /** Milliseconds; 2^63 and more mean "never falls back". As a decimal string: it exceeds a double. */
  readonly timeoutMs: string;
  readonly replicaEnabled: boolean;
  readonly replicaActive: boolean;
}

export interface ServerStatus {
  readonly version: string;
  readonly serverId: number;
  readonly uptimeSeconds: number;
  readonly readOnly: boolean;
  readonly eventScheduler: boolean;
  readonly binlog: {
    readonly enabled: boolean;
    readonly format: string;
    readonly logsReplicated: boolean;
    readonly sync: number;
    /** Its logs, those of its receiver as well, can be read by nobody but itself. Absent in answers of earlier versions. */
    readonly encrypted?: boolean;
  };
  readonly flushLogAtCommit: number;
  readonly gtidStrictMode: boolean;
  readonly lowerCaseTableNames: number;
  readonly timeZone: string;
  /** `gtid_binlog_state`: everything in the binlog, per (domain, server). */
  readonly binlogState: string;
  /** `gtid_binlog_pos`: the last transaction per domain in the binlog. */
  readonly binlogPosition: string;
  /** `gtid_slave_pos`: what the applier has committed. */
  readonly appliedPosition: string;
  readonly semiSync: SemiSyncStatus;
  readonly replication: ReplicationStatus | null;
  /** Stopped ones as well. Absent in answers of earlier versions. */
  readonly otherChannels?: readonly OtherChannel[];
}

/** Why a server or a helper gave no status. `full` (1040), `denied` and `faulty` (an error of its own) come from a live one; `hung` greets nobody. */
export type Silence = 'refused' | 'silent' | 'hung' | 'denied' | 'full' | 'faulty' | 'lost';

/** Full, refusing a login, or with an error of its own, it is alive. */
export const reachesLiving = (reach: 'answers' | Silence): boolean =>
  ['answers', 'full', 'denied', 'faulty'].includes(reach);

/** A helper with an error of its own is there, and may carry out an order. */
export const isThere = ({ reach }: { readonly reach: 'answers' | Silence }): boolean =>
  reach === 'answers' || reach === 'faulty';

export type ServerAnswer =
  { readonly reach: 'answers'; readonly status: ServerStatus } | { readonly reach: Silence; readonly why: string };

/** A replica that this host's server accepts no connection of, until whoever refused it, or a later operation, lets it in. */
export interface Refusal extends RefusedAddress {
  /** Inventory name; null when its address is not in the inventory any more. */
  readonly host: HostName | null;
}

export interface HostFacts {
  readonly mysqld: 'running' | 'stopped';
  readonly holdsVip: boolean;
  readonly role: number;
  readonly keepalived: 'running' | 'stopped';
  /** Empty: not asked. */
  readonly mac: string;
  /** Null: not asked. */
  readonly diskFreeBytes: number | null;
  readonly records: MemberRecords;
  /** Absent in answers of earlier versions. */
  readonly refusals?: readonly Refusal[];
  /** False: the kernel does not enforce every refusal, as after a firewall reload. */
  readonly enforcesRefusals?: boolean;
  /** For a moment its kernel refuses the new connections of everybody but the members (`makeRoom`). Absent: it does not. */
  readonly refusesClients?: true;
}

export type HelperAnswer =
  ({ readonly reach: 'answers' } & HostFacts) | { readonly reach: Silence; readonly why: string };

export interface HostObservation {
  readonly host: HostName;
  readonly helper: HelperAnswer;
  /** Null for a witness: it runs no database. */
  readonly server: ServerAnswer | null;
  /**
   * A replica's own evidence about its source in this observation: heartbeats or events arrived while we looked; of one whose receiver stands still,
   * or was due no heartbeat yet, whether the primary greeted its host. Null: none.
   */
  readonly hearsSource: boolean | null;
}

/** What the worker of another site says of the primary. */
export interface SiteSight {
  readonly site: string;
  readonly host: HostName;
  /** Whether it reaches it, alive; null: it cannot say. */
  readonly reaches: boolean | null;
}

export interface ClusterObservation {
  readonly cluster: string;
  /** ISO 8601, the worker's clock. */
  readonly at: string;
  readonly hosts: readonly HostObservation[];
  /** Of every site that observes. Absent: no other site is expected to, or the primary answers here, or nobody knows who that is. */
  readonly elsewhere?: readonly SiteSight[];
}

export const isAnswering = <T extends { readonly reach: string }>(
  answer: T | null,
): answer is Extract<T, { reach: 'answers' }> => answer !== null && answer.reach === 'answers';

export const runsBothThreads = (replication: ReplicationStatus | null): boolean =>
  replication?.receiver === 'running' && replication.applier === 'running';

/** From that host, with both threads. */
export const replicatesFrom = (replication: ReplicationStatus | null, source: HostName): boolean =>
  replication?.source === source && runsBothThreads(replication);

export function observationOf(observation: ClusterObservation, host: HostName): HostObservation {
  const found = observation.hosts.find((entry) => entry.host === host);
  if (found === undefined) throw new Error(`${host} was not observed in ${observation.cluster}`);
  return found;
}

export const recordsByMember = (observation: ClusterObservation): ReadonlyMap<HostName, MemberRecords> =>
  new Map(
    observation.hosts.flatMap(({ host, helper }) => (isAnswering(helper) ? [[host, helper.records] as const] : [])),
  );

/** The same, with what some servers said since then. */
export const withStatuses = (
  observation: ClusterObservation,
  statuses: ReadonlyMap<HostName, ServerStatus>,
): ClusterObservation => ({
  ...observation,
  hosts: observation.hosts.map((entry) => {
    const status = statuses.get(entry.host);
    return status === undefined ? entry : { ...entry, server: { reach: 'answers', status } };
  }),
});

/** With what the members said of their records since then. */
export const withRecords = (
  observation: ClusterObservation,
  records: ReadonlyMap<HostName, MemberRecords>,
): ClusterObservation => ({
  ...observation,
  hosts: observation.hosts.map((entry) => {
    const said = records.get(entry.host);
    return said === undefined || !isAnswering(entry.helper)
      ? entry
      : { ...entry, helper: { ...entry.helper, records: said } };
  }),
});

export const answeredStatuses = ({ hosts }: ClusterObservation): ReadonlyMap<HostName, ServerStatus> =>
  new Map(hosts.flatMap(({ host, server }) => (isAnswering(server) ? [[host, server.status] as const] : [])));

export const answeredRecords = (observation: ClusterObservation): readonly MemberRecords[] => [
  ...recordsByMember(observation).values(),
];
