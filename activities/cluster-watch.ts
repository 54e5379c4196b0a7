import { log } from '@temporalio/activity';
import type { ClusterPorts, RunsPort, Started } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { diagnose } from '../domain/diagnosis.ts';
import type { ListedDelay } from '../domain/lag.ts';
import type { Recorded } from '../domain/room.ts';
import { triedAt } from '../domain/room.ts';
import { Settled } from '../domain/settled.ts';
import type { Reaction, Transition, WatchMemory } from '../domain/watch.ts';
import { react, restarted } from '../domain/watch.ts';
import { judgeLag, judgeThreads } from '../domain/watched-replica.ts';
import type { News } from './lockout.ts';
import { seeLockout } from './lockout.ts';
import { Sights } from './sights.ts';

/** What is different for so long is told. */
const SETTLE_MS = 150;
const BUSY_REST_MS = 1_000;
const REFUSED_REST_MS = 30_000;
const TELL_AGAIN_MS = 500;

type Act = 'failOver' | 'reopen' | 'makeRoom';

export interface Watching {
  readonly cluster: ClusterPorts;
  readonly primary: HostName;
  readonly runs: RunsPort;
  readonly tell: (transition: Transition) => void;
  /** What was recorded last. */
  readonly recorded: () => Recorded;
  /** What an earlier watch of the cluster knew. */
  readonly memory: WatchMemory;
  /** Something that is no answer of a host, a server or Temporal. */
  readonly onFault: (error: unknown) => void;
  /** An operation was seen to end: somebody else may be primary. */
  readonly onOperation: () => void;
}

/** Watches one cluster whose primary is known: diagnoses at every sight, and acts as the policy allows. */
export class ClusterWatch {
  readonly #watching: Watching;
  readonly #sights: Sights;
  readonly #news = new Map<HostName, Settled<News>>();
  /** What was found of a replica's lag last; null: it is on time. */
  readonly #late = new Map<HostName, string | null>();
  /** Replicas that did not answer the last time. */
  readonly #absent = new Set<HostName>();
  #memory: WatchMemory;
  /** What it started and waits for. */
  #acting: Act | null = null;
  /** What it had started of a primary that died meanwhile was told to give way. */
  #gaveWay = false;
  /** Before it that is not told once more: one whose run has not begun yet, or a Temporal that was away, heard nothing. */
  #toldUntilMs = 0;
  #isServing = false;

  constructor(watching: Watching) {
    this.#watching = watching;
    this.#memory = watching.memory;
    this.#sights = new Sights(watching.cluster, watching.primary, {
      onSight: (host) => {
        this.#see(host);
      },
      onFault: watching.onFault,
    });
  }

  get memory(): WatchMemory {
    return this.#memory;
  }

  /** Of its replicas, as far as they were looked at. */
  get delays(): readonly ListedDelay[] {
    const { cluster, hosts } = this.#watching.cluster.description;
    const toWallMs = Date.now() - performance.now();
    return hosts.flatMap(({ name: host }) => {
      const delay = this.#sights.delayOf(host);
      if (delay === null) return [];
      const { atMs, ...known } = delay;
      return [{ cluster, host, at: new Date(toWallMs + atMs).toISOString(), ...known }];
    });
  }

  /** The primary served when it was last looked at, and nothing is being done about it. */
  get isServing(): boolean {
    return this.#isServing && this.#acting === null;
  }

  tellAgain(): void {
    this.#news.clear();
  }

  /** Ends when it is aborted. */
  run(signal: AbortSignal): Promise<void> {
    return this.#sights.run(signal);
  }

  #see(host: HostName): void {
    const nowMs = performance.now();
    if (host !== this.#watching.primary) {
      this.#hearReturn(host, nowMs);
      this.#tell(host, this.#newsOfReplica(host), nowMs);
    }
    this.#judge(nowMs);
  }

  /** What a failover was refused for may have been this replica's absence. A claim ends connections: one that is lost says nothing of its host. */
  #hearReturn(host: HostName, nowMs: number): void {
    const reach = this.#sights.replica(host)?.reach;
    if (reach === undefined || reach === 'lost') return;
    if (reach !== 'answers') this.#absent.add(host);
    else if (this.#absent.delete(host)) {
      const refusedUntilMs = Math.min(this.#memory.refusedUntilMs, nowMs + BUSY_REST_MS);
      this.#memory = { ...this.#memory, refusedUntilMs };
    }
  }

  #judge(nowMs: number): void {
    const { primary, cluster, recorded } = this.#watching;
    const mayRefuse = this.#memory.lockedOutSinceMs !== null || recorded().isRoomLeft || this.#acting === 'makeRoom';
    const evidence = this.#sights.evidence(nowMs, mayRefuse);
    if (evidence === null) return;
    const sight = this.#sights.primary;
    if (sight?.reach === 'answers') this.#memory = restarted(this.#memory, sight.value.startedAtMs);
    const diagnosis = diagnose(evidence);
    this.#isServing = diagnosis.code === 'PrimaryServes';
    const { memory, reaction } = react(diagnosis, { memory: this.#memory, policy: cluster.description.watch, nowMs });
    this.#memory = memory;
    if (diagnosis.consequence === 'leave') this.#sights.calm();
    else if (this.#acting === null) this.#sights.hurry(nowMs);
    const lockout = seeLockout({ ...this.#watching, diagnosis, sights: this.#sights, memory, nowMs });
    this.#memory = { ...memory, lockedOutSinceMs: lockout.sinceMs };
    const { code, explains } = diagnosis;
    const news = lockout.tellOf(this.#acting === 'makeRoom') ?? { code, explains, reaction: inWords(reaction) };
    this.#tell(primary, news, nowMs);
    const act = reaction.kind === 'failOver' || reaction.kind === 'reopen' ? reaction.kind : lockout.act;
    if (act === null) return;
    if (this.#acting !== null) {
      if (reaction.kind === 'failOver') this.#giveWay(diagnosis);
      return;
    }
    this.#acting = act;
    this.#sights.rest();
    this.#act(act, diagnosis).catch(this.#watching.onFault);
  }

  /** The operation that it waits for would go on trying: the primary that it is about died. */
  #giveWay({ explains }: Diagnosis): void {
    const isOther = (): boolean => this.#acting === 'reopen' || this.#acting === 'makeRoom';
    if (!isOther() || this.#gaveWay || performance.now() < this.#toldUntilMs) return;
    this.#toldUntilMs = performance.now() + TELL_AGAIN_MS;
    const { cluster, runs, onFault } = this.#watching;
    const told = runs.primaryDied(cluster.description.cluster, `watched: ${explains}`);
    told.then((isTold) => (this.#gaveWay ||= isTold && isOther())).catch(onFault);
  }

  async #act(kind: Act, { explains }: Diagnosis): Promise<void> {
    const { cluster, primary, runs } = this.#watching;
    const name = cluster.description.cluster;
    const starts = {
      failOver: () => runs.failOver(name, `watched: ${explains}`),
      reopen: () => runs.reopen(name, primary),
      makeRoom: () => runs.makeRoom(name),
    };
    const started = await starts[kind]();
    // Another operation holds the cluster, and would hold it for as long as it tries.
    if (kind === 'failOver' && started.kind === 'busy') await runs.primaryDied(name, `watched: ${explains}`);
    const restMs = await this.#outcome(kind, started);
    if (kind === 'makeRoom')
      this.#memory = { ...this.#memory, madeRoomAtMs: triedAt(performance.now(), started.kind === 'started') };
    this.#memory = { ...this.#memory, restUntilMs: performance.now() + (this.#gaveWay ? 0 : restMs) };
    [this.#acting, this.#gaveWay] = [null, false];
    // Room that another operation was in the way of is asked for again soon; nobody became primary by it.
    if (kind !== 'makeRoom' || started.kind === 'started') this.#watching.onOperation();
  }

  /** @returns for how long nothing is tried again, in milliseconds */
  async #outcome(kind: Act, started: Started): Promise<number> {
    // One that Temporal did not answer to may have been started all the same.
    if (started.kind !== 'busy') this.#memory = { ...this.#memory, isFailingOver: kind === 'failOver' };
    if (started.kind !== 'started') {
      if (started.kind === 'unreachable') log.warn('Temporal did not take a run that the watcher starts', started);
      return kind === 'makeRoom' ? 0 : BUSY_REST_MS;
    }
    const attempted = await started.ended;
    this.#memory = { ...this.#memory, isFailingOver: false };
    if (attempted.kind === 'failed') {
      this.#say('AttemptFailed', attempted.why);
      const { reopenFailed } = this.#memory;
      if (kind !== 'makeRoom') this.#memory = { ...this.#memory, reopenFailed: kind === 'reopen' };
      if (kind === 'reopen') return reopenFailed ? REFUSED_REST_MS : BUSY_REST_MS;
      if (kind === 'makeRoom') return 0;
      this.#memory = { ...this.#memory, refusedUntilMs: performance.now() + REFUSED_REST_MS };
      return 0;
    }
    this.#say('AttemptDone', attempted.sentence);
    if (attempted.promoted) this.#memory = { ...this.#memory, failedOverAtMs: performance.now() };
    return 0;
  }

  #newsOfReplica(host: HostName): News {
    const sight = this.#sights.replica(host);
    if (sight === null || sight.reach !== 'answers')
      return { code: 'ReplicaSilent', explains: sight?.why ?? 'it was not asked yet', reaction: '' };
    const threads = judgeThreads(sight.value);
    const late = this.#judgeLag(host);
    return { ...(threads.code === 'Replicates' ? (late ?? threads) : threads), reaction: '' };
  }

  #judgeLag(host: HostName): ReturnType<typeof judgeLag> {
    const { lag } = this.#watching.cluster.description;
    const late = judgeLag(this.#sights.delayOf(host), { limits: lag, before: this.#late.get(host) ?? null });
    this.#late.set(host, late?.code ?? null);
    return late;
  }

  #tell(host: HostName, news: News, nowMs: number): void {
    const settled = this.#news.get(host) ?? new Settled<News>(SETTLE_MS);
    this.#news.set(host, settled);
    const told = settled.hear(`${news.code} ${news.reaction}`, news, nowMs);
    if (told !== null) this.#report(host, told);
  }

  #say(code: string, explains: string): void {
    this.#report(this.#watching.primary, { code, explains, reaction: '' });
  }

  #report(host: HostName, news: News): void {
    const { cluster, tell } = this.#watching;
    tell({ cluster: cluster.description.cluster, host, at: new Date().toISOString(), ...news });
  }
}

const WORDS = { watch: '', failOver: 'it is failed over', reopen: 'it is opened again' } as const;
const inWords = (reaction: Reaction): string => (reaction.kind === 'tell' ? reaction.why : WORDS[reaction.kind]);
