import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ClusterObservation, HelperAnswer, HostObservation, ServerAnswer } from '../domain/observation.ts';
import { answeredRecords, isAnswering } from '../domain/observation.ts';
import { recordedLineage, recordedPrimary } from '../domain/records.ts';
import { lacking } from '../domain/takeover.ts';
import { askHelper, askServer } from './asking.ts';
import { look } from './observing.ts';
import type { Waits } from './patience.ts';

/** The rest are waited for as long again as most of them needed: where all are slow, nobody is called silent for it. */
const PATIENCE = 2;
/** As a failover listens at first. */
const LISTEN_MS = 150;
/** For what replicas are asked about a silent primary, the listening included. */
const HEARING_MS = 400;
/** For a replica that is read again; it has just answered. */
const AGAIN_MS = 200;

/**
 * For whoever only wants to be told: everybody is asked, whoever says nothing for `silentMs`, and for twice as long as most needed, is silent, and whatever keeps one host
 * from answering is that host's answer. Changes nothing.
 */
export async function observeSoon(cluster: ClusterPorts, silentMs: number): Promise<ClusterObservation> {
  const { seen } = await look(cluster, {
    leaveOut: null,
    waits: () => new Stragglers(silentMs),
    listenMs: LISTEN_MS,
    sitesAtOnce: false,
    helperOf: (host) => askHelper(cluster, host).catch(asSilence),
  });
  return withLateReceivers(cluster, seen);
}

/**
 * Replicas were read beside their primary, perhaps before it: one that lacks what the primary had is read again, now after it. What it lacks then it had not received.
 */
async function withLateReceivers(cluster: ClusterPorts, seen: ClusterObservation): Promise<ClusterObservation> {
  const members = seen.hosts.length;
  const primary = recordedPrimary(answeredRecords(seen), members);
  const server = primary.kind === 'known' ? seen.hosts.find(({ host }) => host === primary.record.host)?.server : null;
  if (server === null || server === undefined || !isAnswering(server)) return seen;
  const lineage = recordedLineage(answeredRecords(seen), members);
  const hosts = await Promise.all(
    seen.hosts.map(async (entry): Promise<HostObservation> => {
      if (!isAnswering(entry.server) || entry.server === server) return entry;
      if (lacking(server.status, entry.server.status, lineage) === 0) return entry;
      const asked = askServer(cluster, entry.host, AGAIN_MS).catch(asSilence);
      const again = await Promise.race([asked, pass(AGAIN_MS).then(() => null)]);
      return isAnswering(again) ? { ...entry, server: again } : entry;
    }),
  );
  return { ...seen, hosts };
}

type Silent = Exclude<HelperAnswer, { reach: 'answers' }>;

/** A fault of one host, or of what is needed to ask it, must not keep the others from being told of. */
function asSilence(error: unknown): Silent {
  if (error instanceof AdapterFailure) return { reach: error.silence ?? 'lost', why: error.message };
  throw error;
}

/** Of one kind of question: who was asked, and when enough had answered to tell who is slow. */
class Round {
  readonly #silentMs: number;
  readonly #startedMs = performance.now();
  readonly #enough: Promise<number>;
  #asked = 0;
  #answered = 0;
  #tellEnough: (ms: number) => void = () => undefined;

  constructor(silentMs: number) {
    this.#silentMs = silentMs;
    this.#enough = new Promise((resolve) => {
      this.#tellEnough = resolve;
    });
  }

  /** The answer, or silence when its time is over; with only few that answer at all, the question's own deadline is the end. */
  wait<T extends HelperAnswer | ServerAnswer>(host: HostName, answer: Promise<T>): Promise<T | Silent> {
    this.#asked += 1;
    const heard = answer.then((said) => {
      this.#answered += isAnswering(said) ? 1 : 0;
      if (this.#answered * 2 >= this.#asked) this.#tellEnough(performance.now() - this.#startedMs);
      return said;
    });
    return Promise.race([heard, this.#silence(host)]);
  }

  async #silence(host: HostName): Promise<Silent> {
    const waitMs = Math.max(this.#silentMs, PATIENCE * (await this.#enough));
    await pass(Math.max(0, this.#startedMs + waitMs - performance.now()));
    return {
      reach: 'silent',
      why: `${host}: no answer within ${String(Math.round(performance.now() - this.#startedMs))} ms`,
    };
  }
}

/** Waits until most have answered, and for the rest as long again, `silentMs` in any case. */
export class Stragglers implements Waits {
  readonly #silentMs: number;
  readonly #helpers: Round;
  readonly #servers: Round;

  constructor(silentMs: number) {
    this.#silentMs = silentMs;
    this.#helpers = new Round(silentMs);
    this.#servers = new Round(silentMs);
  }

  forServer(host: HostName, ask: (fullMs?: number) => Promise<ServerAnswer>): Promise<ServerAnswer> {
    return this.#servers.wait(host, ask(this.#silentMs).catch(asSilence));
  }

  forHelper(host: HostName, answer: Promise<HelperAnswer>): Promise<HelperAnswer> {
    return this.#helpers.wait(host, answer);
  }

  async forHearing(entry: HostObservation, heard: Promise<HostObservation>): Promise<HostObservation> {
    const asked = heard.catch((error: unknown) => {
      asSilence(error); // what it would have said of its source is not known; anything but a silence is a fault and goes on
      return entry;
    });
    return Promise.race([asked, pass(HEARING_MS).then(() => entry)]);
  }
}

/** Timers come before sockets: in a process that was kept from running, the answer may be there already when the time is over. */
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), ms));
