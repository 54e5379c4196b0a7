import type { ClusterDescription, HostName } from '../../../domain/cluster.ts';
import { memberNames } from '../../../domain/cluster.ts';
import type { ClusterPorts, ProofPort, RunbookPorts } from '../../../adapters/ports.ts';
import { AdapterFailure } from '../../../adapters/ports.ts';
import type { Silence } from '../../../domain/observation.ts';
import { SHOP } from '../../domain/shop.ts';
import { provenNow } from './audit.ts';
import { Database } from './database.ts';
import { Member } from './member.ts';
import { addressOf } from './address.ts';
import type { SimulatedSession } from './session.ts';
import { pass } from './session.ts';
import { moveReplication } from './replication.ts';
import { simulatedPorts } from './ports.ts';

/** What a test does in the middle of something: at the first request or statement whose label matches. */
interface Interruption {
  readonly at: 'before' | 'after';
  readonly label: RegExp;
  readonly act: () => void | Promise<void>;
}

/**
 * A cluster in memory that answers as real hosts do: db1 is the primary, db2 and db3 acknowledge. Time is simulated (see `inSimulatedTime`), so deadlines
 * pass at once. `log` has every effect in order, `violations` every moment at which two servers could acknowledge a write.
 */
export class SimulatedShop implements RunbookPorts {
  readonly description: ClusterDescription;
  readonly members = new Map<HostName, Member>();
  readonly databases = new Map<HostName, Database>();
  readonly sessions = new Set<SimulatedSession>();
  readonly acknowledged: string[] = [];
  /** Of whoever watches, with the instant on the simulated clock. */
  readonly looks: { readonly host: HostName; readonly atMs: number }[] = [];
  readonly log: string[] = [];
  /** Every request to a helper, `HOST VERB`, looks among them. */
  readonly asked: string[] = [];
  readonly violations: string[] = [];
  /** Hosts that are off, or that the worker does not reach. */
  readonly off = new Set<HostName>();
  readonly cutFromWorker = new Set<HostName>();
  /** Pairs `a b` of hosts that do not reach each other. */
  readonly cut = new Set<string>();
  /** What the power hook does; by default it switches the host off and confirms. */
  powerHook: (host: HostName) => string;
  owner = 'control-1';
  readonly proofs: ProofPort = { lastProof: () => Promise.resolve(provenNow()) };
  /** Why the password of the replication account cannot be read. */
  secretFault: string | null = null;
  /** How long a host takes to read its logs from their beginning. */
  logReadingMs = 0;
  /** Whoever looks from elsewhere is refused where only members are let in. */
  refusesWatcher = false;
  /** `policy.events`. */
  runsEvents = false;
  /** Where a connection to the VIP ends, when it is not at whoever holds it. */
  vipLeadsTo: HostName | null = null;
  /** How the primary answers the worker of a site; one that is not here has no worker, so that a second passes. */
  readonly seenElsewhere = new Map<string, 'answers' | Silence>();
  /** Every question to a site, with the instant on the simulated clock. */
  readonly askedElsewhere: { readonly site: string; readonly host: HostName; readonly atMs: number }[] = [];
  /** Hosts whose connections come from another address than the one in the inventory. */
  readonly comesFrom = new Map<HostName, string>();
  readonly #interruptions: Interruption[] = [];

  constructor(changes: Partial<ClusterDescription> = {}) {
    this.description = { ...SHOP, ...changes };
    this.powerHook = (host) => {
      this.powerOff(host);
      return `${host} is off`;
    };
    for (const host of this.description.hosts) this.databases.set(host.name, new Database(host));
    for (const [index, name] of memberNames(this.description).entries())
      this.members.set(name, this.#member(name, index));
    this.#adopt();
  }

  #member(name: HostName, index: number): Member {
    return new Member(name, {
      database: this.databases.get(name) ?? null,
      mac: `02:00:00:00:00:0${String(index + 1)}`,
      world: {
        note: (event) => this.log.push(event),
        endSessions: (host) => this.#endSessions(host),
        arp: (observer) => this.holderSeenBy(observer)?.mac ?? '',
        greets: (host, address) => this.#greets(host, address),
      },
    });
  }

  /** As `standfast prepare` and two admissions leave it, with some acknowledged writes. */
  #adopt(): void {
    const [primary, ...replicas] = this.description.hosts.map((host) => this.database(host.name));
    if (primary === undefined) throw new Error('a shop has a primary');
    const { name } = primary.host;
    const isLossless = this.description.mode === 'semisync' && replicas.length > 0;
    const ackers = isLossless ? replicas.map((replica) => replica.host.name) : [];
    primary.readOnly = false;
    Object.assign(primary.semiSync, WAITING, { waits: isLossless });
    for (const replica of replicas) {
      replica.semiSync.replicaEnabled = isLossless;
      replica.follow(name);
      replica.start('applier');
      replica.start('receiver');
    }
    for (const member of this.members.values()) {
      member.owner = this.owner;
      member.epoch = { number: 4, run: 'run-4' };
      member.primary = { epoch: 4, host: name, run: 'run-4' };
      member.lineage = `4:${String(primary.host.serverId)}:`;
      member.hasLed = member.name === name;
      member.sync = {
        epoch: 4,
        mode: isLossless ? 'lossless' : 'async',
        ackers: ackers.join(','),
        k: isLossless ? '1' : '0',
      };
    }
    this.member(name).holdsVip = true;
    this.member(name).role = 1;
    for (let row = 0; row < 5; row += 1) this.write(name);
  }

  member(name: HostName): Member {
    const found = this.members.get(name);
    if (found === undefined) throw new Error(`there is no member ${name}`);
    return found;
  }

  database(name: HostName): Database {
    const found = this.databases.get(name);
    if (found === undefined) throw new Error(`there is no database on ${name}`);
    return found;
  }

  cluster(name: string): Promise<ClusterPorts> {
    if (name === this.description.cluster) return Promise.resolve(simulatedPorts(this));
    return Promise.reject(new AdapterFailure({ type: 'BadInput', host: name, message: `there is no cluster ${name}` }));
  }

  /** Runs `act` once, before the first request that matches is carried out, or after it and before it is answered. */
  interrupt(at: Interruption['at'], label: RegExp, act: Interruption['act']): void {
    this.#interruptions.push({ at, label, act });
  }

  async reached(at: Interruption['at'], label: string): Promise<void> {
    if (at === 'before') this.asked.push(label);
    const index = this.#interruptions.findIndex((one) => one.at === at && one.label.test(label));
    const [found] = index === -1 ? [] : this.#interruptions.splice(index, 1);
    await found?.act();
  }

  clientAddressOf(host: HostName): string {
    return this.comesFrom.get(host) ?? addressOf(host);
  }

  async seenFrom(site: string, host: HostName): Promise<'answers' | Silence | null> {
    this.askedElsewhere.push({ site, host, atMs: performance.now() });
    const reach = this.seenElsewhere.get(site);
    await pass(reach === undefined ? 1_000 : reach === 'silent' ? this.description.watch.silenceMs : 20);
    return this.seenElsewhere.get(site) ?? null;
  }

  isReachable(host: HostName): boolean {
    return !this.off.has(host) && !this.cutFromWorker.has(host);
  }

  /** Replication moves, and whoever could acknowledge a write now is counted. */
  move(): void {
    moveReplication({
      databases: this.databases,
      connects: (from, to) => this.#connects(from, to),
    });
    const writers = [...this.databases.values()].filter((one) => this.#acknowledgesWrites(one));
    if (writers.length > 1) this.violations.push(`two writers: ${writers.map((one) => one.host.name).join(', ')}`);
  }

  #connects(from: HostName, to: HostName): boolean {
    const isCut = this.cut.has(`${from} ${to}`) || this.cut.has(`${to} ${from}`);
    const isRefused = this.member(to).refused.has(this.clientAddressOf(from));
    return !isRefused && !this.off.has(from) && !this.off.has(to) && !isCut;
  }

  #greets(from: HostName, address: string): boolean {
    const database = [...this.databases.values()].find(({ host }) => addressOf(host.name) === address);
    return database !== undefined && this.#connects(from, database.host.name) && isGreeting(database);
  }

  #acknowledgesWrites(database: Database): boolean {
    const { host, readOnly, semiSync, clients } = database;
    return !this.off.has(host.name) && database.serves && !readOnly && (!semiSync.waits || clients > 0);
  }

  /** A client's write on the server itself. */
  write(host: HostName): 'acknowledged' | 'waits' | 'refused' {
    const database = this.database(host);
    if (this.off.has(host) || !database.serves || database.readOnly) return 'refused';
    const gtid = database.commit();
    this.move();
    if (database.pending.has(gtid)) return 'waits';
    this.acknowledged.push(gtid);
    return 'acknowledged';
  }

  /** Acknowledged writes that `host` does not hold. */
  lostOn(host: HostName): readonly string[] {
    const own = this.database(host);
    return this.acknowledged.filter((gtid) => !own.has(gtid));
  }

  kill(host: HostName): void {
    this.database(host).die();
    this.#endSessions(host);
    this.move();
  }

  hang(host: HostName): void {
    this.database(host).process = 'hung';
  }

  powerOff(host: HostName): void {
    this.off.add(host);
    this.databases.get(host)?.die();
    this.member(host).holdsVip = false;
    this.member(host).role = 0;
    this.move();
  }

  powerOn(host: HostName): void {
    this.off.delete(host);
    this.member(host).boot += 1;
    const database = this.database(host);
    database.isPortShut = false; // the rule is the kernel's, and gone with it; the mark stays
    if (!this.member(host).fenced) database.boot();
    this.move();
  }

  /** Another run claims a higher epoch on the members that it reaches. */
  claimByOther(run: string, on: readonly HostName[] = [...this.members.keys()]): void {
    const number = Math.max(...[...this.members.values()].map((member) => member.epoch.number)) + 1;
    for (const host of on)
      this.member(host).carryOut('claim', { owner: this.owner, epoch: String(number), run, account: 'standfast' });
  }

  /** Whoever answers for the VIP; of two, the one that should not have it. */
  holderSeenBy(observer: HostName | null): Member | null {
    const holders = [...this.members.values()].filter(
      (member) => member.holdsVip && member.name !== observer && !this.off.has(member.name),
    );
    return holders.find((member) => member.database?.readOnly !== false) ?? holders[0] ?? null;
  }

  #endSessions(host: HostName): number {
    const ended = [...this.sessions].filter((session) => session.host === host);
    for (const session of ended) session.kill();
    return ended.length;
  }
}

const isGreeting = ({ process, isPortShut }: Database): boolean => process === 'running' && !isPortShut;

const WAITING = { waitPoint: 'AFTER_SYNC', waitsWithoutReplica: true, timeoutMs: '18446744073709551615' };
