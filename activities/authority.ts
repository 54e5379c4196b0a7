import type { Epoch, HostName } from '../domain/cluster.ts';
import { isClaimOf, majorityOf, memberNames } from '../domain/cluster.ts';
import { isAnswering } from '../domain/observation.ts';
import type { Lineage } from '../domain/lineage.ts';
import { newestEpoch, recordedLineage, withPromotion } from '../domain/records.ts';
import type { ClusterPorts, HelperAnswerFields, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { RecordsByMember } from './confirming.ts';
import { lacking, overtaken, tooFew } from './claim-refusals.ts';
import { confirmMembers, isAt, newestOf, readRecords } from './confirming.ts';
import { askServer } from './observing.ts';
import { isStale, onEach } from './overtaken.ts';
import { renderLineage } from './records-answer.ts';
import type { Claimant } from './steps.ts';

const ORDER_MS = 15_000;
/** InnoDB's recovery is part of a start. */
const SLOW_VERBS: Readonly<Record<string, number>> = {
  'service-start': 120_000,
  fence: 30_000,
  'tail-export': 300_000,
  'tail-stage': 300_000,
};
const LOOK_MS = 2_000;

export interface ClaimInput {
  readonly run: string;
  readonly claimant: Claimant;
  /** Members without which the claim is worth nothing: the host that is about to be opened. */
  readonly include: readonly HostName[];
  /** Does not answer, and is waited for no longer. */
  readonly leaveOut?: HostName | null;
  /** Its server is about to be killed, so it may be one that answers nobody. */
  readonly mayHang?: HostName;
  /** The run claimed before. Another one's claim since then means that this one is over: what it decided does not hold any more. */
  readonly continues?: boolean;
  /** The decision to claim rests on this host being the recorded primary; when another is by now, the claim is worth nothing. */
  readonly primary?: HostName;
  /**
   * Asked only when the claims fall short of a majority: the recorded primary counts as well when it is proven off, then and not earlier, since it
   * might have returned and been confirmed by another operation meanwhile.
   */
  readonly proveOff?: () => Promise<readonly HostName[]>;
}

interface Held {
  readonly members: readonly HostName[];
  readonly provenOff: readonly HostName[];
  /** Null when a member's helper is of a version that keeps none. */
  readonly lineage: Lineage | null;
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
  readonly #lineage: Lineage | null;
  readonly #joined: Set<HostName>;

  constructor(cluster: ClusterPorts, epoch: Epoch, held: Held) {
    this.cluster = cluster;
    this.epoch = epoch;
    this.members = held.members;
    this.provenOff = held.provenOff;
    this.#lineage = held.lineage;
    this.#joined = new Set(held.members);
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
    const session = await this.cluster.session(host);
    try {
      const { owner } = this.cluster;
      const { number, run } = this.epoch;
      await this.cluster.helper(host).request('assert', { owner, epoch: String(number), run }, { timeoutMs: LOOK_MS });
      return await work(session);
    } finally {
      session.close();
    }
  }

  /**
   * Records `host` as primary, on itself first: whoever is ever counted as switched off while it was primary must know that it was one.
   * What its history was when it was recorded goes along, so that histories can be compared later.
   */
  async recordPrimary(host: HostName): Promise<void> {
    const args = { host, ...(await this.#lineageWith(host)) };
    await this.order(host, 'record-primary', args);
    await this.#spread('record-primary', args, host);
  }

  async recordSync(args: { readonly mode: string; readonly ackers: string; readonly k: string }): Promise<void> {
    await this.#spread('record-sync', args, null);
  }

  async #lineageWith(host: HostName): Promise<{ readonly lineage?: string }> {
    if (this.#lineage === null) return {};
    const answer = await askServer(this.cluster, host);
    if (!isAnswering(answer))
      throw new AdapterFailure({ type: 'Unreachable', host, silence: answer.reach, message: answer.why });
    const { serverId, binlogState: start } = answer.status;
    return { lineage: renderLineage(withPromotion(this.#lineage, { epoch: this.epoch.number, serverId, start })) };
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

/** Makes a majority of the members accept a new epoch of `run`, and the sessions and orders of older ones disappear. */
export async function claimEpoch(cluster: ClusterPorts, input: ClaimInput): Promise<Authority> {
  const all = memberNames(cluster.description);
  const before = await readRecords(
    cluster,
    all.filter((member) => member !== input.leaveOut),
  );
  const newestClaim = newestEpoch([...before.values()]);
  if (input.continues === true && newestClaim !== null && !isClaimOf(newestClaim, input.run))
    throw overtaken(cluster, newestClaim);
  const epoch: Epoch = { number: (newestClaim?.number ?? 0) + 1, run: `${input.run}/${input.claimant.name}` };
  // Asked when the number stands: whoever is frozen from here on finds it taken, by a claim that is not his.
  await input.claimant.requireOurs();
  const claimed = await claimAll(cluster, epoch, { asked: [...before.keys()], mayHang: input.mayHang });
  const { obeying, members } = claimed;
  const short = members.length < majorityOf(all.length);
  if (short && (input.proveOff === undefined || claimed.refusal !== null))
    throw claimed.refusal ?? tooFew(cluster, epoch, claimed);
  const missing = input.include.filter((host) => !members.includes(host));
  if (missing.length > 0) throw claimed.refusal ?? lacking(epoch, missing);
  const answers = await readRecords(cluster, obeying);
  const under = new Map([...answers].filter(([, records]) => isAt(records, epoch)));
  const newest = newestOf(cluster, under);
  if (input.primary !== undefined && newest.primary?.host !== input.primary)
    throw new AdapterFailure({
      type: 'Stale',
      host: input.primary,
      message: `${newest.primary?.host ?? 'nobody'} is recorded as primary by now, not ${input.primary}; nothing more was done`,
    });
  const provenOff = short ? ((await input.proveOff?.()) ?? []).filter((host) => !members.includes(host)) : [];
  if (members.length + provenOff.length < majorityOf(all.length)) throw tooFew(cluster, epoch, claimed);
  await confirmMembers(cluster, { epoch, newest, before, under, members });
  return new Authority(cluster, epoch, { members, provenOff, lineage: lineageKeptBy(under) });
}

interface Claimed {
  readonly obeying: readonly HostName[];
  /** Of them, those where older sessions are gone as well: those of a hung server cannot be ended. */
  readonly members: readonly HostName[];
  /** Of one that takes no part, since it obeys another control plane or its records are damaged. A majority can do without it. */
  readonly refusal: AdapterFailure | null;
}

interface Asked {
  readonly asked: readonly HostName[];
  readonly mayHang: HostName | undefined;
}

async function claimAll(cluster: ClusterPorts, epoch: Epoch, { asked, mayHang }: Asked): Promise<Claimed> {
  const answers = await onEach(asked, async (member) => {
    const answer = await cluster
      .helper(member)
      .request('claim', claimArguments(cluster, epoch), { timeoutMs: ORDER_MS });
    return { member, counts: answer['mysqld'] !== 'hung' || member === mayHang };
  });
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' && answer.reason instanceof AdapterFailure ? [answer.reason] : [],
  );
  const accepted = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return {
    obeying: accepted.map(({ member }) => member),
    members: accepted.filter(({ counts }) => counts).map(({ member }) => member),
    refusal: failures.find(({ type }) => type === 'Unsafe') ?? null,
  };
}

/** What the members that obey this epoch know together: the claim has brought them up to date. */
function lineageKeptBy(under: RecordsByMember): Lineage | null {
  const records = [...under.values()].filter(({ standing }) => standing !== 'blank');
  return records.every(({ lineage }) => lineage !== undefined) ? recordedLineage(records, records.length) : null;
}

/** Continues under an epoch that this run claimed a moment ago. */
export const resumeEpoch = async (cluster: ClusterPorts, epoch: Epoch, off: HostName | null): Promise<Authority> => {
  const asked = memberNames(cluster.description).filter((member) => member !== off);
  const under = new Map([...(await readRecords(cluster, asked))].filter(([, records]) => isAt(records, epoch)));
  const lineage = lineageKeptBy(under);
  return new Authority(cluster, epoch, { members: [...under.keys()], provenOff: off === null ? [] : [off], lineage });
};

const claimArguments = (cluster: ClusterPorts, epoch: Epoch): Record<string, string> => ({
  owner: cluster.owner,
  epoch: String(epoch.number),
  run: epoch.run,
  account: cluster.operationAccount,
});
