import type { ClusterPorts } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { HelperAnswer, HostObservation, ServerAnswer } from '../domain/observation.ts';
import { isAnswering } from '../domain/observation.ts';
import type { MemberRecords } from '../domain/records.ts';
import { recordedPrimary } from '../domain/records.ts';

/** How long a failover waits for the primary that it was called to; everybody else has the deadline of a look. Milliseconds. */
export interface Patience {
  /** For its server. One that answers later is found alive by the next look, or was as good as hung. */
  readonly serverMs: number;
  /** For its host, also over a new connection: without an answer the fence has to do without it, and may take its power. */
  readonly helperMs: number;
  /** For any packet of its host. One whose kernel does not answer is not waited for any longer. */
  readonly hostMs: number;
  /** So long the replicas listen for it, at the same time. */
  readonly listenMs: number;
}

/** Before anything is done: what looks dead here is looked at again. Heartbeats of the replication protocol come every 100 ms. */
export const FIRST_LOOK: Patience = { serverMs: 150, helperMs: 1_200, hostMs: 300, listenMs: 150 };
/** Under the claim; the fence follows. What was silent in the first look, and what replicas did not hear then, counts. */
export const LAST_LOOK: Patience = { serverMs: 300, helperMs: 1_200, hostMs: 300, listenMs: 300 };

/** For whom a look waits, and how long. */
export interface Waits {
  /** @param ask with how long a full server is tried, in milliseconds */
  forServer(host: HostName, ask: (fullMs?: number) => Promise<ServerAnswer>): Promise<ServerAnswer>;
  forHelper(host: HostName, answer: Promise<HelperAnswer>): Promise<HelperAnswer>;
  /** @param heard `entry`, with what its host can say of a silent primary */
  forHearing(entry: HostObservation, heard: Promise<HostObservation>): Promise<HostObservation>;
}

/** Everybody has the deadline of a look. */
export const FOR_EVERYBODY: Waits = {
  forServer: (_, ask) => ask(),
  forHelper: (_, answer) => answer,
  forHearing: (_, heard) => heard,
};

const MARGIN_MS = 60;

/** Whoever is recorded as primary, as soon as enough members have said so; null when they do not. */
export function recordedSoon(members: number, asked: readonly Promise<HelperAnswer>[]): Promise<HostName | null> {
  return new Promise((resolve, reject) => {
    const records: MemberRecords[] = [];
    const hear = (answer: HelperAnswer): void => {
      if (!isAnswering(answer)) return;
      records.push(answer.records);
      const primary = recordedPrimary(records, members);
      if (primary.kind === 'known') resolve(primary.record.host);
    };
    Promise.all(asked.map((one) => one.then(hear))).then(() => {
      resolve(null);
    }, reject);
  });
}

/** Ends the wait for the primary when its time is over. */
export class Waiting implements Waits {
  readonly #patience: Patience;
  readonly #primary: Promise<HostName | null>;
  readonly #isThere: ClusterPorts['isThere'];
  readonly #startedMs = performance.now();

  constructor({ isThere }: Pick<ClusterPorts, 'isThere'>, patience: Patience, primary: Promise<HostName | null>) {
    this.#isThere = isThere;
    this.#patience = patience;
    this.#primary = primary;
  }

  /**
   * A server whose connections are all taken is tried again and again, and says so only when that is given up: of the primary before the wait is over, since it
   * is a sign of life. Anybody else is tried for as long as a look takes.
   */
  forServer(host: HostName, ask: (fullMs?: number) => Promise<ServerAnswer>): Promise<ServerAnswer> {
    const { serverMs } = this.#patience;
    const answer = ask(serverMs - MARGIN_MS).then(async (first) =>
      first.reach === 'full' && (await this.#primary) !== host ? ask() : first,
    );
    return Promise.race([answer, this.#late(host, serverMs)]);
  }

  forHelper(host: HostName, answer: Promise<HelperAnswer>): Promise<HelperAnswer> {
    return Promise.race([answer, this.#late(host, this.#patience.helperMs), this.#gone(host)]);
  }

  async #gone(host: HostName): Promise<{ readonly reach: 'silent'; readonly why: string }> {
    const { hostMs } = this.#patience;
    if ((await this.#primary) !== host) return new Promise(() => undefined);
    const leftMs = Math.max(hostMs / 2, this.#startedMs + hostMs - performance.now());
    if (await this.#isThere(host, leftMs)) return new Promise(() => undefined);
    return { reach: 'silent', why: `${host}: it does not answer to TCP within ${String(hostMs)} ms` };
  }

  forHearing(_: HostObservation, heard: Promise<HostObservation>): Promise<HostObservation> {
    return heard;
  }

  /** For a host that is not the primary, never. */
  async #late(host: HostName, ms: number): Promise<{ readonly reach: 'silent'; readonly why: string }> {
    if ((await this.#primary) !== host) return new Promise(() => undefined);
    const leftMs = this.#startedMs + ms - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, leftMs)));
    return { reach: 'silent', why: `${host}: no answer within ${String(ms)} ms` };
  }
}
