import { readPrimary, readReplication, readUptimeSeconds } from '../adapters/mariadb-status.ts';
import type { ClusterPorts, Pulse } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Evidence } from '../domain/diagnosis.ts';
import { diagnose } from '../domain/diagnosis.ts';
import type { Hearing } from '../domain/hearing.ts';
import { hearAgain, hears } from '../domain/hearing.ts';
import type { ReplicaDelay } from '../domain/lag.ts';
import type { ReplicationStatus } from '../domain/observation.ts';
import { reachesLiving } from '../domain/observation.ts';
import type { Sight } from './host-watch.ts';
import { HostWatch } from './host-watch.ts';
import { AskedVotes } from './asked-votes.ts';
import { glance, greets, refusesClientsMs } from './asking.ts';
import { reachesFrom } from './elsewhere.ts';
import { LagWatch } from './lag-watch.ts';
import { Pace } from './pace.ts';

export interface PrimarySight {
  readonly isClosed: boolean;
  /** When the server that answered was started, by its own count of whole seconds; on the watcher's monotonic clock. */
  readonly startedAtMs: number;
}

const ASK_HOST_EVERY_MS = 250;
/** A primary that stays dead, and is left to a person, is looked at as often as a living one after that. */
const HURRY_FOR_MS = 2_000;

export interface SightsEvents {
  /** Called with the host that was looked at. */
  readonly onSight: (host: HostName) => void;
  /** Something that is no answer of a host. */
  readonly onFault: (error: unknown) => void;
}

/** All that a watcher sees of a cluster whose primary is known, over connections that last. */
export class Sights {
  readonly #cluster: ClusterPorts;
  readonly #primaryName: HostName;
  readonly #primary: HostWatch<PrimarySight>;
  readonly #replicas: ReadonlyMap<HostName, HostWatch<ReplicationStatus | null>>;
  readonly #lag: LagWatch;
  readonly #pace: Pace;
  /** Workers of other sites, and the hosts of replicas. */
  readonly #sites: AskedVotes;
  readonly #greeted: AskedVotes;
  readonly #onFault: (error: unknown) => void;
  readonly #hearings = new Map<HostName, Hearing>();
  #process: Evidence['process'] = null;
  #askedHostAtMs = Number.NEGATIVE_INFINITY;
  #keptOutUntilMs = Number.NEGATIVE_INFINITY;
  #troubleSinceMs: number | null = null;

  constructor(cluster: ClusterPorts, primary: HostName, { onSight, onFault }: SightsEvents) {
    this.#cluster = cluster;
    this.#onFault = onFault;
    this.#primaryName = primary;
    const { watch: policy } = cluster.description;
    const pace = new Pace(policy);
    this.#pace = pace;
    this.#lag = new LagWatch(cluster, primary, pace);
    const { silenceMs, observers } = policy;
    const others = cluster.description.hosts.map((host) => host.name).filter((host) => host !== primary);
    this.#sites = new AskedVotes({
      ...{ voters: observers, silenceMs, onFault },
      ask: (site) => reachesFrom(cluster, site, primary),
    });
    this.#greeted = new AskedVotes({
      ...{ voters: others, silenceMs, onFault },
      ask: (host) => greets(cluster, { primary, host }),
    });
    const watch = <T>(
      host: HostName,
      look: (pulse: Pulse, timeoutMs: number) => Promise<T>,
      hear = (): void => undefined,
    ) =>
      new HostWatch({
        ...{ pulse: cluster.pulse(host), look, pace, silenceMs },
        onSight: () => {
          hear();
          onSight(host);
        },
      });
    this.#primary = watch(primary, primaryLook(this.#lag));
    const look = (pulse: Pulse, timeoutMs: number): Promise<ReplicationStatus | null> =>
      readReplication(pulse, (address) => cluster.nameOf(address), { timeoutMs });
    this.#replicas = new Map(
      others.map((host) => [
        host,
        watch(host, look, () => {
          this.#hear(host);
        }),
      ]),
    );
  }

  /** Ends when it is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#primary, ...this.#replicas.values(), this.#lag].map((one) => one.run(signal)));
  }

  get primary(): Sight<PrimarySight> | null {
    return this.#primary.latest;
  }

  replica(host: HostName): Sight<ReplicationStatus | null> | null {
    return this.#replicas.get(host)?.latest ?? null;
  }

  /** Null: it was not looked at yet. */
  delayOf(host: HostName): ReplicaDelay | null {
    return this.#lag.delayOf(host);
  }

  /**
   * @param mayRefuse room may be made on the primary now, so that its kernel refuses this watcher: its host is asked before that is taken for a sign of death
   * @returns null: nothing is known of the primary; it was not looked at for too long, as in a process that was frozen, or its host, the other sites or the hosts of replicas were not asked yet
   */
  evidence(nowMs: number, mayRefuse: boolean): Evidence | null {
    const sight = this.#primary.latest;
    const { hosts, watch } = this.#cluster.description;
    if (sight === null || nowMs - sight.atMs > 2 * watch.silenceMs) return null;
    const isKeptOut = this.#isKeptOut(sight);
    // Its server may die meanwhile: only its host would say so.
    if (isKeptOut) this.#askHostInTurn(nowMs);
    else if (sight.reach === 'refused' && mayRefuse && this.#process === null) {
      this.hurry(nowMs);
      if (nowMs - (this.#troubleSinceMs ?? nowMs) < watch.silenceMs) return null;
    }
    const server = isKeptOut ? 'full' : serverOf(sight);
    if (isAlive(server)) for (const votes of [this.#sites, this.#greeted]) votes.calm();
    const { hearing, deaf } = this.#hearing(nowMs);
    const elsewhere = watch.observers.map((site) => this.#sites.voteOf(site, nowMs));
    const expectedObservers = hosts.length + elsewhere.length;
    const evidence: Evidence = { server, process: this.#process, hearing, elsewhere, expectedObservers };
    // That no server runs is known without them.
    if (isAlive(server) || this.#process === 'stopped') return evidence;
    if (this.#haveOthersSaid(evidence, deaf, nowMs)) return evidence;
    this.hurry(nowMs);
    return null;
  }

  /** For a replica that cannot say, its host does. */
  #hearing(nowMs: number): { readonly hearing: Evidence['hearing']; readonly deaf: readonly HostName[] } {
    const { silenceMs } = this.#cluster.description.watch;
    const own = [...this.#hearings.values()]
      .filter(({ source }) => source === this.#primaryName)
      .map((one) => ({ host: one.host, vote: hears(one, nowMs, silenceMs) }));
    return {
      hearing: own.map(({ host, vote }) => vote ?? this.#greeted.voteOf(host, nowMs)),
      deaf: own.filter(({ vote }) => vote === null).map(({ host }) => host),
    };
  }

  /** Other sites are heard before anything is made of a silence here, and the hosts of replicas before it is called uncertain. */
  #haveOthersSaid(evidence: Evidence, deaf: readonly HostName[], nowMs: number): boolean {
    const haveSites = this.#sites.ask(nowMs, this.#cluster.description.watch.observers);
    // A run that the watcher started stops the receivers, and needs their hosts.
    const haveHosts = this.#pace.isResting || this.#greeted.ask(nowMs, deaf);
    return haveSites && (haveHosts || diagnose(evidence).code !== 'PrimaryUncertain');
  }

  /** What the host said holds for as long as it said: a failover must not begin between two questions. */
  #isKeptOut({ reach, atMs }: Sight<PrimarySight>): boolean {
    return reach === 'refused' && atMs < this.#keptOutUntilMs;
  }

  /** Something seems wrong: everybody is asked at once, and the primary's host what has become of its server. */
  hurry(nowMs: number): void {
    this.#troubleSinceMs ??= nowMs;
    if (nowMs - this.#troubleSinceMs < HURRY_FOR_MS)
      for (const host of [this.#primary, ...this.#replicas.values()]) host.hurry();
    this.#askHostInTurn(nowMs);
  }

  #askHostInTurn(nowMs: number): void {
    if (nowMs - this.#askedHostAtMs < ASK_HOST_EVERY_MS) return;
    this.#askedHostAtMs = nowMs;
    this.#askHost().catch(this.#onFault);
  }

  /** A run that the watcher started has the cluster. */
  rest(): void {
    this.#pace.rest();
  }

  /** The primary answers: what its host said while it did not is out of date. */
  calm(): void {
    this.#process = null;
    this.#troubleSinceMs = null;
  }

  #hear(host: HostName): void {
    const sight = this.replica(host);
    const status = sight?.reach === 'answers' ? sight.value : null;
    this.#lag.seeReplica(host, status?.applied ?? '');
    if (sight === null || status === null) this.#hearings.delete(host);
    else this.#hearings.set(host, hearAgain(this.#hearings.get(host) ?? null, { host, status, nowMs: sight.atMs }));
  }

  async #askHost(): Promise<void> {
    const { silenceMs } = this.#cluster.description.watch;
    try {
      const facts = await glance(this.#cluster, this.#primaryName, silenceMs);
      this.#process = facts['mysqld'] === 'running' ? 'running' : 'stopped';
      const refusesMs = this.#process === 'running' ? refusesClientsMs(facts) : 0;
      this.#keptOutUntilMs = refusesMs > 0 ? performance.now() + refusesMs : Number.NEGATIVE_INFINITY;
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      this.#process = null;
    }
  }
}

const isAlive = (server: Evidence['server']): boolean =>
  server === 'open' || server === 'closed' || (server !== 'unasked' && reachesLiving(server));

function serverOf(sight: Sight<PrimarySight>): Evidence['server'] {
  if (sight.reach !== 'answers') return sight.reach;
  return sight.value.isClosed ? 'closed' : 'open';
}

/** Asks when the server started once a connection; a server that restarts ends it. */
function primaryLook(lag: LagWatch): (pulse: Pulse, timeoutMs: number) => Promise<PrimarySight> {
  let asked = 0;
  let startedAtMs = 0;
  return async (pulse, timeoutMs) => {
    const askedAtMs = performance.now();
    const look = await readPrimary(pulse, { timeoutMs });
    lag.seePrimary(look, { startedAtMs: askedAtMs, endedAtMs: performance.now() });
    if (pulse.connections !== asked) {
      startedAtMs = performance.now() - 1_000 * (await readUptimeSeconds(pulse, { timeoutMs }));
      asked = pulse.connections;
    }
    return { isClosed: look.isClosed, startedAtMs };
  };
}
