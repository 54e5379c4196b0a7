import type { HelperAnswerFields } from '../../../adapters/ports.ts';
import type { HostName } from '../../../domain/cluster.ts';
import { VIP } from './address.ts';
import { AUDIT_LOOKS } from './audit.ts';
import type { Database } from './database.ts';
import type { Attempt } from './jobs.ts';
import { JOB_LOOKS, JOB_ORDERS } from './jobs.ts';
import { HelperRefusal } from './refusal.ts';
import { endOfBinlog, exportTail, listTail, LOG_NAME, readTail, saidOfSource, stageTail, writeTail } from './tails.ts';

export type Arguments = Readonly<Record<string, string>>;

export interface MemberWorld {
  /** Ends the sessions of the operation account, and waits until they are gone. */
  readonly endSessions: (host: HostName) => number;
  readonly note: (event: string) => void;
  /** Hardware address that answers ARP for the VIP on the observer's wire; empty when nobody does. */
  readonly arp: (observer: HostName) => string;
  /** Whether a database server greets at the address whoever connects from `host`. */
  readonly greets: (host: HostName, address: string) => boolean;
}

/** One member behind its helper: records, marks and the rules of docs/host-helper.md. A witness has no database. */
export class Member {
  readonly name: HostName;
  readonly mac: string;
  readonly database: Database | null;
  readonly #world: MemberWorld;
  owner = '';
  epoch = { number: 0, run: '' };
  primary = { epoch: 0, host: '', run: '' };
  lineage = '';
  /** The boot of its host, and the one in which an operation confirmed its records. */
  boot = 1;
  confirmedIn = 1;
  /** Whether it was recorded as primary since then: it may have been replaced while it was off. */
  hasLed = false;
  sync = { epoch: 0, mode: '', ackers: '', k: '' };
  /** What its server reads last when it starts: the settings of a member; null: it comes up as its own files say. */
  dropin: string | null = null;
  fenced = false;
  holdsVip = false;
  role = 0;
  diskFreeBytes = 10_000_000_000;
  /** Relay logs that were kept, by epoch: what they hold survives whatever the server does next. */
  readonly kept = new Map<number, readonly string[]>();
  /** Address of a source that its kernel answers for, since its host says nothing any more. */
  goneSource: string | null = null;
  /** The limit of its server before room was made; null: none was. */
  room: number | null = null;
  /** Tails of logs in its quarantine. */
  readonly tails = new Map<string, string>();
  /** Replicas that this server refuses: address and the epoch at which it was told so. */
  readonly refused = new Map<string, number>();
  /** Attempts at the steps of copies, by job. */
  readonly attempts = new Map<string, Attempt>();
  /** Jobs that copied something to it. */
  readonly copies = new Set<string>();
  /** A fence whose proof does not come true: the process stays. */
  isFenceProof = true;

  constructor(name: HostName, parts: { database: Database | null; world: MemberWorld; mac: string }) {
    this.name = name;
    this.mac = parts.mac;
    this.database = parts.database;
    this.#world = parts.world;
  }

  carryOut(verb: string, args: Arguments): HelperAnswerFields {
    const audit = AUDIT_LOOKS[verb];
    if (audit !== undefined) return audit(this.name, this.holdsVip);
    const look = LOOKS[verb];
    if (look !== undefined) return look(this, args, this.#world);
    const order = ORDERS[verb];
    if (order === undefined) throw new Error(`the simulated helper does not know ${verb}; teach it in member.ts`);
    this.#checkOwner(args);
    if (args['epoch'] !== undefined || EPOCH_ORDERS.has(verb)) this.#checkEpoch(verb, args);
    this.owner = args['owner'] ?? '';
    const answer = order(this, args, this.#world);
    this.#world.note(`${this.name} ${verb}${args['host'] === undefined ? '' : ` ${args['host']}`}`);
    return answer;
  }

  #checkOwner(args: Arguments): void {
    if (this.owner !== '' && this.owner !== args['owner'])
      throw new HelperRefusal('Unsafe', `${this.name} obeys "${this.owner}"; nothing was changed`);
  }

  #checkEpoch(verb: string, args: Arguments): void {
    const number = Number(args['epoch']);
    const isSame = this.epoch.number === number && this.epoch.run === args['run'];
    const isNewer = verb === 'claim' && number > this.epoch.number;
    if (!isSame && !isNewer)
      throw new HelperRefusal('Stale', `${this.name} has accepted epoch ${String(this.epoch.number)}`);
  }
}

type Verb = (member: Member, args: Arguments, world: MemberWorld) => HelperAnswerFields;

const EPOCH_ORDERS = new Set([
  'claim',
  'record-primary',
  'record-sync',
  'keep-relay',
  'refuse-replica',
  'make-room',
  'end-room',
  'release-relay',
  'confirm',
  'tail-export',
  'tail-write',
  'tail-stage',
  'fence',
  'unfence',
  'vip-take',
  'vip-drop',
]);

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
const orEmpty = (value: number): string => (value === 0 ? '' : String(value));
const runs = (member: Member): boolean => member.database !== null && member.database.process !== 'stopped';

const refusedOn = ({ refused }: Member): string =>
  [...refused].map(([address, epoch]) => `${address}@${String(epoch)}`).join(',');

/** Writes the newest records here, never an older one over a newer, and the member counts again. */
function confirm(member: Member, args: Arguments): HelperAnswerFields {
  if (args['boot'] !== String(member.boot)) throw new HelperRefusal('Stale', `${member.name} has booted since`);
  const { primary, primary_run: run = '', lineage = '', mode, ackers = '', k = '' } = args;
  const epochs = { primary: Number(args['primary_epoch']), sync: Number(args['sync_epoch']) };
  if (primary !== undefined && epochs.primary >= member.primary.epoch) {
    member.primary = { epoch: epochs.primary, host: primary, run };
    member.lineage = lineage;
    member.hasLed = primary === member.name;
  }
  if (mode !== undefined && epochs.sync >= member.sync.epoch) member.sync = { epoch: epochs.sync, mode, ackers, k };
  member.confirmedIn = member.boot;
  return {};
}

const recordsOf = (member: Member): HelperAnswerFields => {
  const { owner, epoch, primary, sync, fenced, lineage, boot, confirmedIn, hasLed } = member;
  return {
    owner,
    epoch: orEmpty(epoch.number),
    run: epoch.run,
    primary: primary.host,
    primary_epoch: orEmpty(primary.epoch),
    primary_run: primary.run,
    lineage,
    boot: String(boot),
    standing: hasLed && boot !== confirmedIn ? 'booted' : 'sure',
    confirmed: yesNo(boot === confirmedIn),
    mode: sync.mode,
    ackers: sync.ackers,
    k: sync.k,
    sync_epoch: orEmpty(sync.epoch),
    fenced: yesNo(fenced),
    refused: refusedOn(member),
    level: '4',
  };
};

const saidOfRelayLogs = ({ database, diskFreeBytes }: Member): HelperAnswerFields => ({
  ...saidOfSource(database),
  disk_free: String(diskFreeBytes),
});

const LOOKS: Readonly<Record<string, Verb>> = {
  records: (member) => ({
    ...recordsOf(member),
    mysqld: runs(member) ? 'running' : 'stopped',
    keepalived: 'running',
    role: String(member.role),
    addresses: member.holdsVip ? VIP : '',
    ...(member.room === null ? {} : { room: String(member.room) }),
    ...(member.database?.keepsClientsOut === true ? { refuses_clients: '10' } : {}),
  }),
  observe: (member) => ({
    mysqld: runs(member) ? 'running' : 'stopped',
    vip: yesNo(member.holdsVip),
    role: String(member.role),
    keepalived: 'running',
    fenced: yesNo(member.fenced),
    mac: member.mac,
    disk_free: String(member.diskFreeBytes),
    refused: refusedOn(member),
    refusal: 'yes',
  }),
  installed: (member) => ({ dropin: yesNo(member.dropin !== null) }),
  hello: () => ({ version: 'simulated', now: String(1_000 * Date.now()) }),
  assert: (member, args) => {
    if (member.owner !== args['owner']) throw new HelperRefusal('Unsafe', `${member.name} obeys "${member.owner}"`);
    if (member.epoch.number !== Number(args['epoch']) || member.epoch.run !== args['run'])
      throw new HelperRefusal('Stale', `${member.name} has accepted epoch ${String(member.epoch.number)}`);
    return {};
  },
  'binlog-end': (member) => {
    if (runs(member)) throw new HelperRefusal('Unsafe', `mysqld runs on ${member.name}`);
    return endOfBinlog(member);
  },
  'relay-source': (member) => saidOfRelayLogs(member),
  'server-probe': ({ name }, { address = '' }, world) => ({ greets: yesNo(world.greets(name, address)) }),
  ...JOB_LOOKS,
  'tail-list': listTail,
  'tail-read': readTail,
  'vip-probe': (member, _, world) => ({
    vip: yesNo(member.holdsVip),
    mac: member.holdsVip ? member.mac : world.arp(member.name),
  }),
};

const ORDERS: Readonly<Record<string, Verb>> = {
  claim: (member, args, world) => {
    member.epoch = { number: Number(args['epoch']), run: args['run'] ?? '' };
    const state = member.database?.process ?? 'stopped';
    if (member.database?.deniesRoot === true)
      return { ...recordsOf(member), sessions: '0', mysqld: 'hung', denied: 'ERROR 1045 (28000): Access denied' };
    const sessions = state === 'running' ? world.endSessions(member.name) : 0;
    return { ...recordsOf(member), sessions: String(sessions), mysqld: state };
  },
  configure: (member, { server_id: id = '', settings = '' }) => {
    const before = member.dropin;
    member.dropin = `server_id=${id}\n${settings}`;
    return { changed: yesNo(member.dropin !== before) };
  },
  'configure-vip': () => ({ changed: 'no' }),
  confirm,
  ...JOB_ORDERS,
  'record-primary': (member, args) => {
    member.primary = { epoch: member.epoch.number, host: args['host'] ?? '', run: member.epoch.run };
    member.lineage = args['lineage'] ?? member.lineage;
    if (args['host'] === member.name) member.hasLed = true;
    const { mode, ackers = '', k = '' } = args;
    if (mode !== undefined) member.sync = { epoch: member.epoch.number, mode, ackers, k };
    return {};
  },
  'record-sync': (member, args) => {
    const { mode = '', ackers = '', k = '' } = args;
    member.sync = { epoch: member.epoch.number, mode, ackers, k };
    return {};
  },
  'refuse-replica': (member, args) => {
    if (args['address'] !== undefined) member.refused.set(args['address'], member.epoch.number);
    return { refused: refusedOn(member) };
  },
  'make-room': (member, { limit, addresses }) => {
    member.room ??= Number(limit);
    if (member.database !== null) member.database.keepsClientsOut = addresses !== undefined;
    return { limit: String(member.room), refuses: yesNo(addresses !== undefined) };
  },
  'end-room': (member) => {
    member.room = null;
    if (member.database !== null) member.database.keepsClientsOut = false;
    return { room: 'ended' };
  },
  'admit-replica': (member, args) => {
    const { address = '', refused_at: at = '' } = args;
    if (member.refused.has(address) && member.refused.get(address) !== Number(at))
      throw new HelperRefusal('Stale', `${member.name} refuses ${address} since another epoch than ${at}`);
    member.refused.delete(address);
    return { refused: refusedOn(member) };
  },
  'keep-relay': (member, { address }) => {
    member.goneSource = address ?? null;
    member.kept.set(member.epoch.number, [...(member.database?.channel?.relay ?? [])]);
    return { path: '/kept', files: '1', ...saidOfRelayLogs(member) };
  },
  'release-relay': (member) => {
    member.kept.clear();
    return { released: '1' };
  },
  'tail-export': exportTail,
  'tail-write': writeTail,
  'tail-stage': stageTail,
  fence: (member, { logs }) => {
    member.fenced = true;
    member.role = 0;
    if (!member.isFenceProof) throw new HelperRefusal('Unverified', 'fence is not proven: process=present');
    member.database?.die();
    if (member.database !== null) member.database.isPortShut = true;
    member.holdsVip = false;
    const end = `${LOG_NAME}:${String(member.database?.binlog.length)}`;
    return {
      process: 'gone',
      supervisor: 'gone',
      port: 'closed',
      vip: 'no',
      ...(logs === undefined ? {} : { log_end: end }),
    };
  },
  unfence: (member) => {
    member.fenced = false;
    if (member.database !== null) member.database.isPortShut = false;
    return { fenced: 'no' };
  },
  'service-start': (member) => {
    if (member.fenced) throw new HelperRefusal('Unsafe', `${member.name} is fenced; mysqld was not started`);
    member.database?.boot();
    return { mysqld: 'running', read_only: '1' };
  },
  'vip-take': (member, args) => {
    if (member.fenced) throw new HelperRefusal('Unsafe', `${member.name} is fenced; it may not hold the VIP`);
    member.holdsVip = true;
    member.role = Number(args['n']);
    return { vip: 'yes', role: args['n'] ?? '', mac: member.mac };
  },
  'vip-drop': (member) => {
    member.holdsVip = false;
    member.role = 0;
    return { vip: 'no', role: '0' };
  },
};
