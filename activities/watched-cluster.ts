import { log } from '@temporalio/activity';
import type { AdapterFailure, ClusterPorts, RunsPort } from '../adapters/ports.ts';
import type { Turns } from '../adapters/turns.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { MemberRecords } from '../domain/records.ts';
import { recordedPrimary, recordedSync } from '../domain/records.ts';
import type { Recorded } from '../domain/room.ts';
import type { ListedDelay } from '../domain/lag.ts';
import type { Transition, WatchMemory } from '../domain/watch.ts';
import { FRESH, forAnother } from '../domain/watch.ts';
import { ClusterWatch } from './cluster-watch.ts';
import type { RecordsByMember } from './confirming.ts';
import { askRecords } from './confirming.ts';
import { keepNotingEvents } from './event-watch.ts';
import { pause } from './pause.ts';
import { keepRehearsing } from './rehearsing.ts';

const LEARN_EVERY_MS = 5_000;
/** A turn lasts so long: those that begin must leave time for the looks at those that have begun, and one that does not answer must not keep the others. */
const [LEAST_TURN_MS, LONGEST_TURN_MS] = [200, 500];

const NOTHING_RECORDED: Recorded = { ackers: [], isRoomLeft: false };

/** What the watches of a process share. */
export interface WatchPlane {
  readonly runs: RunsPort;
  readonly tell: (transition: Transition) => void;
  /** To begin: a thousand clusters at once would connect so slowly that every look is late. */
  readonly beginning: Turns;
  /** To rehearse a failover. */
  readonly rehearsing: Turns;
}

/** What was learnt of a cluster, and of whom. */
export interface Known {
  readonly primary: HostName;
  readonly memory: WatchMemory;
}

/** One cluster, watched for as long as it is asked to: finds out who is primary, and anew whenever that may have changed. */
export class WatchedCluster {
  readonly #cluster: ClusterPorts;
  readonly #plane: WatchPlane;
  #known: Known | null;
  #watch: ClusterWatch | null = null;
  #primary: HostName | null = null;
  #recorded: Recorded = NOTHING_RECORDED;

  /** @param known what an earlier watch of it knew; null: nothing */
  constructor(cluster: ClusterPorts, plane: WatchPlane, known: Known | null) {
    this.#cluster = cluster;
    this.#plane = plane;
    this.#known = known;
  }

  get known(): Known | null {
    if (this.#watch === null || this.#primary === null) return this.#known;
    return { primary: this.#primary, memory: this.#watch.memory };
  }

  /** Whom it watches; null: nobody is known as primary, or not yet. */
  get primary(): HostName | null {
    return this.#primary;
  }

  /** Of the replicas, while somebody is known as primary. */
  get delays(): readonly ListedDelay[] {
    return this.#watch?.delays ?? [];
  }

  /** How it stands, to somebody who may not have heard it. */
  tellAgain(): void {
    this.#watch?.tellAgain();
  }

  /** Ends when it is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let [isFirst, isTold] = [true, false];
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      const { primary, recorded, fault } = await (isFirst ? this.#learnInTurn(signal) : learn(this.#cluster));
      if (isOver()) return;
      [this.#primary, this.#recorded] = [primary, recorded];
      if (primary === null) {
        if (!isTold) this.#tellUnknown(fault);
        isTold = true;
        await pause(LEARN_EVERY_MS, signal);
        continue;
      }
      [isFirst, isTold] = [false, false];
      const known = this.#known?.memory ?? { ...FRESH, failedOverAtMs: await this.#failedOverAt() };
      const isSame = this.#known === null || this.#known.primary === primary;
      const memory = await this.#turn(primary, isSame ? known : forAnother(known, performance.now()), signal);
      this.#known = { primary, memory };
    }
  }

  /** Over connections that are made now. */
  async #learnInTurn(signal: AbortSignal): Promise<Learnt> {
    const { beginning } = this.#plane;
    await beginning.take();
    const learning = signal.aborted ? Promise.resolve(NOTHING) : learn(this.#cluster);
    const isOver = Promise.race([learning, pause(LONGEST_TURN_MS, signal)]);
    void Promise.allSettled([isOver, pause(LEAST_TURN_MS, signal)]).then(() => {
      beginning.giveBack();
    });
    return learning;
  }

  /** Until somebody else may be primary. @returns what was learnt meanwhile */
  async #turn(primary: HostName, memory: WatchMemory, signal: AbortSignal): Promise<WatchMemory> {
    const turn = new AbortController();
    const either = AbortSignal.any([signal, turn.signal]);
    const end = (): void => {
      turn.abort();
    };
    const faults: unknown[] = [];
    const watch = new ClusterWatch({
      ...{ cluster: this.#cluster, primary, memory, onOperation: end, ...this.#plane },
      recorded: () => this.#recorded,
      onFault: (error) => {
        faults.push(error);
        end();
      },
    });
    this.#watch = watch;
    const { description } = this.#cluster;
    await Promise.all([
      watch.run(either),
      this.#untilDeposed(primary, either).then(end),
      // Of its own, since Node.js warns of more than ten listeners to one signal.
      keepNotingEvents(
        { cluster: this.#cluster, primary, serves: () => watch.isServing },
        AbortSignal.any([signal, turn.signal]),
      ),
      keepRehearsing(
        {
          ...{ cluster: description.cluster, everyMs: description.watch.rehearsalMs, runs: this.#plane.runs },
          ...{ tell: this.#plane.tell, turns: this.#plane.rehearsing, serves: () => watch.isServing },
        },
        either,
      ),
    ]).finally(() => {
      end();
      // Also of one that ends with a fault.
      this.#known = { primary, memory: watch.memory };
    });
    this.#watch = null;
    if (faults.length > 0) throw new Error(`the watch of ${primary} has a fault`, { cause: faults[0] });
    return watch.memory;
  }

  /** An operation that was not ours may have made somebody else primary. */
  async #untilDeposed(primary: HostName, signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    for (;;) {
      await pause(LEARN_EVERY_MS, signal);
      if (isOver()) return;
      const { primary: known, recorded } = await learn(this.#cluster);
      if (known !== null && known !== primary) return;
      if (known !== null) this.#recorded = recorded;
    }
  }

  async #failedOverAt(): Promise<number | null> {
    const { cluster, watch } = this.#cluster.description;
    try {
      const since = await this.#plane.runs.sinceLastFailover(cluster, watch.cooldownMs);
      return since === null ? null : performance.now() - since;
    } catch (error) {
      // The cooldown spares people, it makes nothing safe: a list that Temporal does not give now must not keep the cluster unwatched.
      log.warn('the last failover is not known, so no cooldown is kept', { cluster, why: String(error) });
      return null;
    }
  }

  #tellUnknown(fault: AdapterFailure | null): void {
    const { cluster } = this.#cluster.description;
    this.#plane.tell({
      ...{ cluster, host: '', at: new Date().toISOString(), code: 'PrimaryUnknown' },
      explains: `${fault?.message ?? 'no majority of its members answers and agrees on a primary'}, so nobody is watched`,
      reaction: fault === null ? `standfast prepare ${cluster} HOST, if it was never prepared` : 'standfast doctor',
    });
  }
}

interface Learnt {
  /** By the records of a majority; null: there is none, or too few members answer. */
  readonly primary: HostName | null;
  readonly recorded: Recorded;
  /** Of this side, for which nobody could be asked. */
  readonly fault: AdapterFailure | null;
}

const NOTHING: Learnt = { primary: null, recorded: NOTHING_RECORDED, fault: null };

/** Who does not answer is waited for no longer than this when the others know: it may be the primary, of which nobody would see that it is dead meanwhile. */
const ENOUGH_MS = 400;

async function learn(cluster: ClusterPorts): Promise<Learnt> {
  const members = memberNames(cluster.description);
  const early = new Map<HostName, MemberRecords>();
  const asking = askRecords(cluster, members, (member, records) => early.set(member, records));
  const all = asking.then(({ records, fault }) => ({ ...learnt(records, members.length), fault }));
  const soon = new Promise<Learnt>((resolve) => {
    setTimeout(() => {
      resolve(learnt(early, members.length));
    }, ENOUGH_MS);
  });
  const first = await Promise.race([soon, all]);
  return first.primary === null ? all : first;
}

function learnt(records: RecordsByMember, members: number): Learnt {
  const answers = [...records.values()];
  const known = recordedPrimary(answers, members);
  const primary = known.kind === 'known' ? known.record.host : null;
  const sync = recordedSync(answers, members);
  const isLossless = sync.kind === 'known' && sync.record.mode === 'lossless';
  const recorded = {
    ackers: isLossless ? sync.record.ackers.filter((acker) => acker !== primary) : [],
    isRoomLeft: primary !== null && records.get(primary)?.room !== undefined,
  };
  return { primary, recorded, fault: null };
}
