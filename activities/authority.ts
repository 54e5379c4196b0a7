import { readStatus } from '../adapters/mariadb-status.ts';
import type { ClusterPorts, HelperAnswerFields, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import { majorityOf, memberNames } from '../domain/cluster.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { recordedLineage, withPromotion } from '../domain/records.ts';
import { LOOK_MS } from './asking.ts';
import type { RecordsByMember } from './confirming.ts';
import { knows } from './confirming.ts';
import { HeldSessions } from './held-sessions.ts';
import { isStale } from './overtaken.ts';
import { renderLineage } from './records-answer.ts';

export const ORDER_MS = 15_000;
/** InnoDB's recovery is part of a start. */
const SLOW_VERBS: Readonly<Record<string, number>> = {
  'service-start': 120_000,
  fence: 30_000,
  'tail-export': 300_000,
  'tail-stage': 300_000,
};

/** The `sync` record, as the helpers take it. */
export type SyncArguments = Readonly<Record<'mode' | 'ackers' | 'k', string>>;

interface Held {
  readonly members: readonly HostName[];
  readonly provenOff: readonly HostName[];
  /** What they record, as it was read under the epoch. */
  readonly records: RecordsByMember;
}

/**
 * The right to change a cluster: one epoch, accepted by a majority of its members. Every order carries it, and every SQL session is
 * opened first and checked against it afterwards, so that a newer claim either refuses the session or has already killed it.
 */
export class Authority {
  readonly cluster: ClusterPorts;
  readonly epoch: Epoch;
  readonly members: readonly HostName[];
  readonly provenOff: readonly HostName[];
  readonly records: RecordsByMember;
  /** When its members had accepted it, on this worker's monotonic clock. */
  readonly sinceMs = performance.now();
  readonly #joined: Set<HostName>;
  readonly #sessions: HeldSessions;

  constructor(cluster: ClusterPorts, epoch: Epoch, held: Held) {
    this.cluster = cluster;
    this.epoch = epoch;
    this.members = held.members;
    this.provenOff = held.provenOff;
    this.records = held.records;
    this.#joined = new Set(held.members);
    this.#sessions = new HeldSessions(cluster);
  }

  /** An order to one host helper; refused there as `Stale` when a newer operation has claimed. */
  async order(host: HostName, verb: string, args: Readonly<Record<string, string>> = {}): Promise<HelperAnswerFields> {
    await this.#join(host);
    const { owner } = this.cluster;
    const epoch = String(this.epoch.number);
    return this.cluster
      .helper(host)
      .request(verb, { owner, epoch, run: this.epoch.run, ...args }, { timeoutMs: SLOW_VERBS[verb] ?? ORDER_MS });
  }

  /** A member that was silent at the claim and came back takes the same epoch first; a newer one refuses it. */
  async #join(host: HostName): Promise<void> {
    if (this.#joined.has(host)) return;
    if (this.provenOff.includes(host))
      throw new AdapterFailure({
        type: 'Stale',
        host,
        message: `${host} was counted as switched off by epoch ${String(this.epoch.number)}; nothing was ordered there`,
      });
    await this.cluster.helper(host).request('claim', claimArguments(this.cluster, this.epoch), { timeoutMs: ORDER_MS });
    this.#joined.add(host);
  }

  /** Acts on one session that is never replaced within `work`. */
  async withSession<T>(host: HostName, work: (session: Session) => Promise<T>): Promise<T> {
    await this.#join(host);
    const session = await this.#sessions.take(host, () => this.#assert(host));
    let result: T;
    try {
      result = await work(session);
    } catch (error) {
      session.close();
      throw error;
    }
    this.#sessions.giveBack(session);
    return result;
  }

  /** What the server says, on a session under the epoch. */
  statusOf(host: HostName): Promise<ServerStatus> {
    return this.withSession(host, (session) => this.statusOn(session));
  }

  statusOn(session: Session): Promise<ServerStatus> {
    return readStatus(session, (address) => this.cluster.nameOf(address));
  }

  async #assert(host: HostName): Promise<void> {
    const { owner } = this.cluster;
    const { number, run } = this.epoch;
    await this.cluster.helper(host).request('assert', { owner, epoch: String(number), run }, { timeoutMs: LOOK_MS });
  }

  /**
   * Records `host` as primary, on itself first: whoever is ever counted as switched off while it was primary must know that it was one.
   * What its history was when it was recorded goes along, so that histories can be compared later.
   * @param sync recorded with it, which saves every member an order
   * @returns whether `sync` is on record as well: helpers of an earlier version take one record an order
   */
  async recordPrimary(host: HostName, sync: SyncArguments | null = null): Promise<boolean> {
    const withSync = sync !== null && [host, ...this.members].every((member) => knows(this.records.get(member), 2));
    const args = { host, ...(await this.#lineageWith(host)), ...(withSync ? sync : {}) };
    await this.order(host, 'record-primary', args);
    await this.#spread('record-primary', args, host);
    return withSync;
  }

  async recordSync(args: SyncArguments): Promise<void> {
    await this.#spread('record-sync', args, null);
  }

  async #lineageWith(host: HostName): Promise<{ readonly lineage?: string }> {
    const lineage = lineageKeptBy(this.records);
    if (lineage === null) return {};
    const { serverId, binlogState: start } = await this.statusOf(host);
    return { lineage: renderLineage(withPromotion(lineage, { epoch: this.epoch.number, serverId, start })) };
  }

  /** Writes a record on every claimed member and insists on a majority. */
  async #spread(verb: string, args: Readonly<Record<string, string>>, done: HostName | null): Promise<void> {
    const others = this.members.filter((member) => member !== done);
    const outcomes = await Promise.allSettled(others.map((member) => this.order(member, verb, args)));
    const has = others.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    const written = new Set([...has, ...this.provenOff, ...(done === null ? [] : [done])]).size;
    const all = memberNames(this.cluster.description).length;
    if (written >= majorityOf(all)) return;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    throw isStale(failed?.reason)
      ? failed.reason
      : new AdapterFailure({
          type: 'Unverified',
          host: this.cluster.description.cluster,
          message: `${verb} reached ${String(written)} of ${String(all)} members of ${this.cluster.description.cluster}, not a majority`,
          cause: failed?.reason,
        });
  }
}

/** What the members that obey this epoch know together: the claim has brought them up to date. */
function lineageKeptBy(under: RecordsByMember): Lineage | null {
  const records = [...under.values()].filter(({ standing }) => standing !== 'blank');
  return records.every(({ lineage }) => lineage !== undefined) ? recordedLineage(records, records.length) : null;
}

export const claimArguments = (cluster: ClusterPorts, epoch: Epoch): Record<string, string> => ({
  owner: cluster.owner,
  epoch: String(epoch.number),
  run: epoch.run,
  account: cluster.operationAccount,
});
