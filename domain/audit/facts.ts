import type { ClockOffset } from '../clock.ts';
import type { ClusterDescription, HostName } from '../cluster.ts';
import type { ServerStatus } from '../observation.ts';
import type { KeepalivedConfiguration } from './keepalived-facts.ts';

/** What was looked at. What could not be seen says why, and is never taken for good. */
export type Seen<T> =
  { readonly kind: 'seen'; readonly value: T } | { readonly kind: 'not-seen'; readonly why: string };

export const seen = <T>(value: T): Seen<T> => ({ kind: 'seen', value });
export const notSeen = (why: string): { readonly kind: 'not-seen'; readonly why: string } => ({
  kind: 'not-seen',
  why,
});

/** The first names, in order, and how many there are. */
export interface Listed {
  readonly count: number;
  readonly names: readonly string[];
}

export interface AccountFacts {
  /** `user@host`. */
  readonly name: string;
  readonly user: string;
  readonly from: string;
  /** Nobody can log in with it. */
  readonly locked: boolean;
  /** It needs a password, or another proof. */
  readonly proves: boolean;
  /** Global privileges that it has when it logs in, by itself or by roles, as the server names them. */
  readonly privileges: readonly string[];
  /** The same, and those of every role that it may take. */
  readonly withinReach: readonly string[];
  /** Connections that it may have at a time; 0: as many as any account. */
  readonly mostConnections: number;
}

/** Settings by the names that the server's own files use. `ON` and `OFF` for switches. */
export type Settings = Readonly<Record<string, string>>;

export interface ServerFacts {
  readonly status: ServerStatus;
  /** What the server takes for its identity besides its ID; empty: it knows none. */
  readonly uid: string;
  readonly settings: Settings;
  readonly binlogFilters: { readonly onlyDatabases: string; readonly ignoredDatabases: string };
  readonly connection: {
    /** Seconds between two tries of the receiver; null: it replicates from nobody. */
    readonly retrySeconds: number | null;
    readonly encrypted: boolean | null;
  };
  readonly offersTls: boolean;
  readonly accounts: readonly AccountFacts[];
  readonly tables: { readonly withoutPrimaryKey: Listed; readonly nonTransactional: Listed };
  /** Events that this server would run with its scheduler on. */
  readonly enabledEvents: Listed;
  /** Bytes that its binary log grew by in a second, over the time of the audit; null: it has none. */
  readonly binlogBytesPerSecond: number | null;
}

/** What a server that is started now would have. */
export interface NextStart {
  readonly settings: Settings;
  readonly filters: readonly string[];
  /** What its program does not accept in its files: it would not start. */
  readonly errors: readonly string[];
}

export interface FileMode {
  readonly path: string;
  /** Octal digits, such as `640`. */
  readonly mode: string;
  readonly owner: string;
}

export interface MachineFacts {
  readonly machineId: string;
  /** When its kernel booted: seconds since 1970. */
  readonly bootedAtSeconds: number;
  /** Mbit/s of the card that the VIP belongs on; null: it does not say. */
  readonly linkMbits: number | null;
  /** `mariadbd` or `mysqld`; empty: none runs. */
  readonly serverProgram: string;
  readonly keepalivedRuns: boolean;
  readonly addresses: readonly string[];
  /** To this worker's clock. */
  readonly clock: ClockOffset;
  /** What the account of Standfast may run as root, as sudo lists it; empty: sudo does not say. */
  readonly sudo: readonly string[];
  /** Keys that let it in without `restrict`; null: the list cannot be read. */
  readonly unrestrictedKeys: number | null;
  /** How sshd lets people in; null: it does not say. */
  readonly sshd: Readonly<Record<string, string>> | null;
  readonly modes: readonly FileMode[];
  readonly helperVersion: string;
}

export interface BackupFacts {
  /** Null: nothing is there. */
  readonly newest: { readonly ageSeconds: number; readonly bytes: number; readonly file: string } | null;
}

export interface HostFacts {
  readonly host: HostName;
  /** False: a witness, which has only the helper. */
  readonly isDatabase: boolean;
  readonly machine: Seen<MachineFacts>;
  readonly server: Seen<ServerFacts>;
  readonly nextStart: Seen<NextStart>;
  readonly keepalived: Seen<KeepalivedConfiguration>;
  readonly backup: Seen<BackupFacts>;
  readonly pinnedKeys: Seen<number>;
}

export interface RoundTrip {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly samples: number;
}

/** From one host to another, measured on the first. */
export interface LinkFacts {
  readonly from: HostName;
  readonly to: HostName;
  readonly roundTrip: Seen<RoundTrip>;
}

/** What the inventory says beyond {@link ClusterDescription}, as far as an audit compares it with what is there. */
export interface Declared {
  readonly vip: { readonly address: string; readonly interface: string; readonly driver: 'keepalived' | 'direct' };
  /** Address of every database host. */
  readonly addresses: Readonly<Record<HostName, string>>;
  readonly accounts: { readonly operation: string; readonly replication: string };
  /** Whether the primary runs events. */
  readonly events: boolean;
  readonly backup: { readonly path: string; readonly withinSeconds: number } | null;
  /** How long a replica may be away and still catch up by itself. */
  readonly outageSeconds: number;
  readonly verifiedWithinSeconds: number;
  readonly failedOverWithinSeconds: number;
}

/** When something was last proven: ISO 8601; null: never, as far as Temporal remembers. */
export interface Proof {
  readonly verifiedAt: string | null;
  readonly failedOverAt: string | null;
}

export interface AuditFacts {
  readonly cluster: ClusterDescription;
  readonly declared: Declared;
  /** ISO 8601, the worker's clock. */
  readonly at: string;
  readonly helperVersion: string;
  /** By the records of the members; where nothing is recorded yet, the one server that accepts writes and follows nobody. */
  readonly primary: Seen<HostName>;
  readonly isRecorded: boolean;
  readonly hosts: readonly HostFacts[];
  readonly links: readonly LinkFacts[];
  readonly proof: Seen<Proof>;
}
