import type { Declared, Proof } from '../domain/audit/facts.ts';
import type { ClusterDescription, HostName } from '../domain/cluster.ts';
import type { Fileset } from '../domain/filesets.ts';
import type { FailureType } from '../domain/failure.ts';
import type { Silence } from '../domain/observation.ts';
import type { Transition } from '../domain/watch.ts';

/** Every adapter fails with this; nothing above classifies a driver's message. */
export class AdapterFailure extends Error {
  readonly type: FailureType;
  readonly host: HostName;
  /** Set when the other side gave no answer. */
  readonly silence: Silence | null;
  /** Small and plain; part of the failure that a run ends with. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(input: {
    type: FailureType;
    message: string;
    host: HostName;
    silence?: Silence | null;
    facts?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super(input.message, { cause: input.cause });
    this.name = 'AdapterFailure';
    this.type = input.type;
    this.host = input.host;
    this.silence = input.silence ?? null;
    this.facts = input.facts ?? {};
  }
}

/** A fault of the inventory, or of what it leads to, on this side: no host can be asked better than this one. */
export const isOfConfiguration = (error: unknown): error is AdapterFailure & { readonly type: 'BadInput' } =>
  error instanceof AdapterFailure && error.type === 'BadInput' && error.facts['about'] === 'configuration';

export interface Deadline {
  readonly timeoutMs?: number;
  /** How long a server whose connections are all taken is tried again; as long as `timeoutMs` unless given. */
  readonly fullMs?: number;
  readonly signal?: AbortSignal;
}

export type HelperAnswerFields = Readonly<Record<string, string>>;

/** The host helper of one member. */
export interface HelperPort {
  request(verb: string, args?: Readonly<Record<string, string>>, deadline?: Deadline): Promise<HelperAnswerFields>;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * One SQL session. It never reconnects. A statement that exceeds its deadline is killed from a side session and seen gone before
 * the failure is reported, since a timed-out statement may still run.
 */
export interface Session {
  readonly host: HostName;
  rows(statement: string, values?: readonly unknown[], deadline?: Deadline): Promise<readonly Row[]>;
  close(): void;
}

/** Of one look at a server, its connection included. */
export interface LookDeadline {
  readonly timeoutMs: number;
}

/**
 * A lasting connection that looks, and writes nothing but heartbeat rows. It is made at the first look, and again at the next one after it was lost. A look without an answer in time takes the
 * connection with it; nothing has to be seen gone, since it changes nothing.
 */
export interface Pulse {
  readonly host: HostName;
  /** How many connections were made so far: another number may mean another server. */
  readonly connections: number;
  /** @throws AdapterFailure with its silence */
  rows(statement: string, deadline: LookDeadline): Promise<readonly Row[]>;
  /** Called whenever the connection ends by itself, at once. */
  onLost(listener: () => void): void;
  close(): void;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface VipPlace {
  readonly address: string;
  readonly prefix: number;
  readonly interface: string;
}

/** Everything about one cluster that has an address, a secret or a connection behind it. */
export interface ClusterPorts {
  readonly description: ClusterDescription;
  /** ID of the control plane that the members obey. */
  readonly owner: string;
  readonly operationAccount: string;
  readonly vip: VipPlace;
  readonly events: boolean;
  /** What an audit compares with what is there. */
  readonly declared: Declared;
  readonly filesets: readonly Fileset[];
  helper(host: HostName): HelperPort;
  session(host: HostName, deadline?: Deadline): Promise<Session>;
  /** The caller closes it. */
  pulse(host: HostName): Pulse;
  /** How the server of `host` answers the worker of another site; null: that one cannot say. Takes a second, or twice `policy.watch.silence`, at most. */
  seenFrom(site: string, host: HostName): Promise<'answers' | Silence | null>;
  vipSession(deadline?: Deadline): Promise<Session>;
  endpoint(host: HostName): Endpoint;
  /** Port of sshd. */
  sshPort(host: HostName): number;
  /** Whether the kernel of a host answers at all, within `timeoutMs`: also one that is too busy for anything else does. */
  isThere(host: HostName, timeoutMs: number): Promise<boolean>;
  /** Inventory name of an address, or null. */
  nameOf(address: string): HostName | null;
  replicationAccount(): Promise<{ readonly name: string; readonly password: string }>;
  /** Null: the host helper alone holds the VIP. */
  keepalivedConfiguration(host: HostName): string | null;
  /** The script of this version and its digest, as `hello` answers it. */
  helperScript(): Promise<{ readonly text: string; readonly version: string; readonly sha256: string }>;
  /** known_hosts lines that pin `host`, for another host that has to reach it. */
  pinnedKeys(host: HostName): Promise<string>;
  sshUser: string;
  /** Runs the inventory's hook; resolves with its output only when it confirms that the host is off. */
  powerOff(host: HostName, deadline?: Deadline): Promise<string>;
}

/** A cluster as a watcher finds it in the inventory. */
export interface WatchListing {
  readonly cluster: string;
  /** `clusterDigest`: another one means that something about it, or about the access to its hosts, may have changed. */
  readonly version: string;
}

/** How a run that the watcher started went. */
export type Attempted =
  | { readonly kind: 'done'; readonly sentence: string; readonly promoted: boolean }
  | { readonly kind: 'failed'; readonly why: string };

/** The runs that a watcher starts; durable before the call returns. */
export interface RunsPort {
  failOver(cluster: string, reason: string): Promise<Started>;
  /** Whatever else holds the cluster's lock gives way: the primary died. @returns whether it was told, now or before, or is a failover itself */
  primaryDied(cluster: string, why: string): Promise<boolean>;
  /** Opens a primary that came back closed. */
  reopen(cluster: string, host: HostName): Promise<Started>;
  /** Lets ackers into a primary whose connections all wait for them, and puts its limit back. */
  makeRoom(cluster: string): Promise<Started>;
  /** Milliseconds since the last failover of the cluster that promoted somebody; null: none of the last `withinMs` is on record. */
  sinceLastFailover(cluster: string, withinMs: number): Promise<number | null>;
  /** Finds out what a failover would do, by a run of its own that changes nothing. */
  rehearse(cluster: string): Promise<Rehearsed>;
  /** Tells the run that watches; its page and its history show it. */
  tell(transitions: readonly Transition[]): Promise<void>;
}

/** `unknown`: Temporal did not take the run, or it did not come to an answer; which is logged. */
export type Rehearsed =
  | { readonly kind: 'planned'; readonly sentence: string }
  /** It would go through while the primary's host lives. */
  | { readonly kind: 'needs-host'; readonly sentence: string; readonly remedy: string }
  | { readonly kind: 'would-refuse'; readonly sentence: string; readonly remedy: string }
  | { readonly kind: 'unknown' };

/** `busy`: another operation holds the cluster. `unreachable`: Temporal did not take the start, or did not say so. */
export type Started =
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'busy' }
  | { readonly kind: 'started'; readonly ended: Promise<Attempted> };

/** Where a worker of another site is to look. */
export interface Spot {
  readonly cluster: string;
  readonly host: HostName;
}

/** The workers of other sites. */
export interface ObserversPort {
  /** @returns null when the site has no worker, when it is late, or when it could not look; which is logged, and never thrown */
  look(site: string, spot: Spot, withinMs: number): Promise<'answers' | Silence | null>;
}

export interface Ports {
  /** @throws AdapterFailure `BadInput` when the inventory has no such cluster */
  cluster(name: string): Promise<ClusterPorts>;
}

/** What Temporal remembers of earlier runs. */
export interface ProofPort {
  lastProof(cluster: string): Promise<Proof>;
}

/** What the runbooks need. */
export interface RunbookPorts extends Ports {
  readonly proofs: ProofPort;
}

/** What a watcher needs beside the clusters themselves. */
export interface WatchPorts extends Ports {
  readonly runs: RunsPort;
  /** The clusters of a shard, by the inventory as it is now. @throws AdapterFailure `BadInput` when it cannot be read */
  watched(shard: string): Promise<readonly WatchListing[]>;
}
