import type { HostDescription, HostName } from '../../../domain/cluster.ts';
import { nextGtid, positionOf, stateOf } from './positions.ts';

export interface Channel {
  source: HostName;
  receiver: 'running' | 'connecting' | 'stopped';
  applier: 'running' | 'stopped';
  /** Received and not applied: it exists in the relay log alone. */
  relay: string[];
  /** A server that restarted does not show what it had received before. */
  isPositionKnown: boolean;
  /** Whether it acknowledges: the flag as it was when the receiver connected. */
  acknowledges: boolean;
  /** Whether an event of the source is in the relay log: it was reached since the log began. */
  holdsSource: boolean;
  /** Whether what the source sends arrives now. */
  isLinked: boolean;
  /** How many transactions of its source's log it has read. */
  read: number;
  /** `Slave_heartbeat_period`; 0: its source sends none. */
  heartbeatSeconds: number;
  heartbeats: number;
  heardAt: number;
  receiverErrno: number;
  applierErrno: number;
}

export interface SimulatedEvent {
  readonly name: string;
  status: 'ENABLED' | 'DISABLED' | 'SLAVESIDE_DISABLED';
  readonly isOver?: boolean;
  body?: string;
}

export class SqlError extends Error {}

/**
 * A MariaDB server as far as a failover can tell: its log, one channel with a relay log that routine commands delete, semi-sync, sessions.
 * What the rules rest on is measured (docs/decisions, docs/invariants.md), not guessed.
 */
export class Database {
  readonly host: HostDescription;
  process: 'running' | 'stopped' | 'hung' = 'running';
  /** When its server started, on the simulated clock: long before that begins. */
  startedS = -3_600;
  isPortShut = false;
  reach: 'answers' | 'full' | 'denied' = 'answers';
  /** Somebody gave its root a password: the helper cannot log in, and ends no session. */
  deniesRoot = false;
  readOnly = true;
  eventScheduler = false;
  version = '10.11.19-MariaDB-log';
  filters = '';
  /** Nobody but itself can read what it logs, and what it logged. */
  encryptsLogs = false;
  hasEncryptedLogs = false;
  delaySeconds = 0;
  readonly binlog: string[] = [];
  /** What the applier committed, in order: `gtid_slave_pos` is its end. */
  applied: string[] = [];
  channel: Channel | null = null;
  /** Channels that somebody made beside it. */
  otherChannels: { readonly name: string; readonly address: string; receiver: 'running' | 'stopped' }[] = [];
  /** What the helper laid beside the relay logs, and the channel that applies it. */
  staged: { readonly log: string; readonly gtids: readonly string[] } | null = null;
  tail: { readonly gtids: string[]; applier: 'running' | 'stopped'; errno: number } | null = null;
  /** How many transactions the applier commits each time that the world moves; Infinity is "at once". */
  applierPace = Infinity;
  readonly semiSync = {
    waits: false,
    waitPoint: 'AFTER_COMMIT',
    waitsWithoutReplica: false,
    timeoutMs: '10000',
    replicaEnabled: false,
  };
  /** Statements that it answers with OK and does not heed. */
  deafTo: RegExp | null = null;
  /** Replicas that are attached and acknowledge. */
  clients = 0;
  /** Replicas that are connected, whether they acknowledge or not. */
  attached: readonly HostDescription[] = [];
  /** Replicas that were cut off, and whose old connections it still has. */
  ghosts: readonly HostDescription[] = [];
  /** Commits that wait for an acknowledgement. */
  readonly pending = new Set<string>();
  token = '';
  events: SimulatedEvent[] = [];
  /** Its tables, and what `CHECKSUM TABLE` says of each. */
  readonly sums = new Map([
    ['items', '11'],
    ['orders', '12'],
  ]);
  /** What its primary noted of them, as far as it was applied here. */
  notedEvents: string | null = null;
  /** Whether what such a note is kept in was made. */
  keepsEventList = false;
  /** With which it refuses a note. */
  noteFault: string | null = null;
  /** Whether whoever connects as an administrator gets the last place of all. */
  isInReserve = false;
  /** `max_connections`, how many clients want to be connected, by whatever way, and how many of them are. */
  limit = 151;
  readonly crowd = { overNetwork: 0, overSocket: 0 };
  taken = 0;
  /** Whether the kernel of its host refuses whoever is no member. */
  keepsClientsOut = false;
  /** Commits that were acknowledged after they had waited. */
  acknowledgedCommits = 0;
  /** Whether the operation account has the privilege EVENT. */
  maySwitchEvents = true;

  constructor(host: HostDescription) {
    this.host = host;
  }

  get serves(): boolean {
    return this.process === 'running' && !this.isPortShut;
  }

  get binlogPosition(): string {
    return positionOf(this.binlog);
  }

  get binlogState(): string {
    return stateOf(this.binlog);
  }

  get appliedPosition(): string {
    return positionOf(this.applied);
  }

  get received(): string {
    if (this.channel?.isPositionKnown !== true) return '';
    return positionOf([...this.applied, ...this.channel.relay]);
  }

  /** Clients take what is free as soon as they may; nobody who is connected has to go. */
  letClientsIn(): void {
    const { overNetwork, overSocket } = this.crowd;
    const may = this.keepsClientsOut ? Math.max(this.taken, overSocket) : overNetwork + overSocket;
    const free = Math.max(0, this.limit - this.taken - this.attached.length);
    this.taken = Math.min(may, overNetwork + overSocket, this.taken + free);
  }

  get isFull(): boolean {
    return this.taken + this.attached.length >= this.limit;
  }

  /** Not even an administrator gets in. */
  get isOverfull(): boolean {
    return this.taken + this.attached.length > this.limit;
  }

  has(gtid: string): boolean {
    return this.binlog.includes(gtid);
  }

  /** A commit, perhaps one that nobody acknowledged yet. */
  commit(): string {
    const gtid = nextGtid([...this.binlog, ...this.applied], this.host.serverId);
    this.binlog.push(gtid);
    if (this.semiSync.waits) this.pending.add(gtid);
    return gtid;
  }

  follow(source: HostName): void {
    this.channel = {
      source,
      receiver: 'stopped',
      applier: 'stopped',
      relay: [],
      isPositionKnown: false,
      acknowledges: false,
      holdsSource: false,
      read: 0,
      isLinked: false,
      heartbeatSeconds: 0.1,
      heartbeats: 0,
      heardAt: 0,
      receiverErrno: 0,
      applierErrno: 0,
    };
  }

  /** The first of two stopped threads to start deletes the relay log: only what was applied is left. Source: measured. */
  start(thread: 'receiver' | 'applier'): void {
    const channel = this.needsChannel();
    if (channel.receiver === 'stopped' && channel.applier === 'stopped') {
      channel.relay = [];
      channel.holdsSource = false;
      channel.isPositionKnown = true;
    }
    if (channel[thread] !== 'stopped') return;
    if (thread === 'applier') channel.applier = 'running';
    else {
      channel.receiver = 'connecting';
      channel.acknowledges = this.semiSync.replicaEnabled;
    }
  }

  stop(thread: 'receiver' | 'applier'): void {
    if (this.channel !== null) this.channel[thread] = 'stopped';
  }

  forgetSource(): void {
    if (this.channel !== null && (this.channel.receiver !== 'stopped' || this.channel.applier !== 'stopped'))
      throw new SqlError('1198: This operation cannot be performed as you have a running slave');
    this.channel = null;
  }

  /** Only what the helper staged can be named as the relay log of the second channel. */
  applyTail(log: string): void {
    if (this.tail !== null || this.staged?.log !== log) throw new SqlError(`1201: Could not initialize ${log}`);
    this.tail = { gtids: [...this.staged.gtids], applier: 'stopped', errno: 0 };
  }

  private needsChannel(): Channel {
    if (this.channel === null) throw new SqlError('1200: The server is not configured as slave');
    return this.channel;
  }

  /** Sessions and waiting commits are gone; the log stays, with what was never acknowledged. */
  die(): void {
    this.process = 'stopped';
    this.pending.clear();
    if (this.tail !== null) this.tail.applier = 'stopped';
    if (this.channel === null) return;
    this.channel.receiver = 'stopped';
    this.channel.applier = 'stopped';
    this.channel.isPositionKnown = false;
  }

  /** By the drop-in of a member: closed, threads not started, semi-sync off. */
  boot(): void {
    if (this.process === 'running') return;
    this.process = 'running';
    this.startedS = performance.now() / 1_000;
    this.readOnly = true;
    this.eventScheduler = false;
    this.semiSync.waits = false;
    this.semiSync.replicaEnabled = false;
    this.limit = 151;
  }
}
