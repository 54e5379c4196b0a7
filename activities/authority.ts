import type { Epoch, HostName } from '../domain/cluster.ts';
import { majorityOf, memberNames } from '../domain/cluster.ts';
import type { MemberRecords } from '../domain/records.ts';
import { highestEpoch } from '../domain/records.ts';
import type { ClusterPorts, HelperAnswerFields, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { recordsFrom } from './records-answer.ts';

const ORDER_MS = 15_000;
/** InnoDB's recovery is part of a start. */
const SLOW_VERBS: Readonly<Record<string, number>> = { 'service-start': 120_000, fence: 30_000 };
const LOOK_MS = 2_000;

export interface ClaimInput {
  readonly run: string;
  /** Members without which the claim is worth nothing: the host that is about to be opened. */
  readonly include: readonly HostName[];
  /** Does not answer, and is waited for no longer. */
  readonly leaveOut?: HostName | null;
  /** Its server is about to be killed, so it may be one that answers nobody. */
  readonly mayHang?: HostName;
  /** Asked only when the claims fall short of a majority: hosts that are proven off count as well. */
  readonly proveOff?: () => Promise<readonly HostName[]>;
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
  readonly #joined: Set<HostName>;

  constructor(cluster: ClusterPorts, epoch: Epoch, held: Pick<Authority, 'members' | 'provenOff'>) {
    this.cluster = cluster;
    this.epoch = epoch;
    this.members = held.members;
    this.provenOff = held.provenOff;
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

  /** Writes a record on every claimed member and insists on a majority. */
  async record(verb: 'record-primary' | 'record-sync', args: Readonly<Record<string, string>>): Promise<void> {
    const outcomes = await Promise.allSettled(this.members.map((member) => this.order(member, verb, args)));
    const written = outcomes.filter((outcome) => outcome.status === 'fulfilled').length + this.provenOff.length;
    const all = memberNames(this.cluster.description).length;
    if (written >= majorityOf(all)) return;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    throw failed?.reason instanceof AdapterFailure && failed.reason.type === 'Stale'
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
  const known = await readRecords(cluster, input.leaveOut ?? null);
  const epoch: Epoch = { number: highestEpoch([...known.values()]) + 1, run: input.run };
  const answers = await Promise.allSettled(
    [...known.keys()].map(async (member) => {
      const answer = await cluster
        .helper(member)
        .request('claim', claimArguments(cluster, epoch), { timeoutMs: ORDER_MS });
      // Sessions of a hung server cannot be ended: it only counts where it is the one to be fenced.
      return answer['mysqld'] === 'hung' && member !== input.mayHang ? [] : [member];
    }),
  );
  const refusal = answers.find(
    (answer) => answer.status === 'rejected' && answer.reason instanceof AdapterFailure && isRefusal(answer.reason),
  );
  if (refusal?.status === 'rejected') throw refusal.reason;
  const members = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const short = members.length < majorityOf(all.length);
  const provenOff = short ? ((await input.proveOff?.()) ?? []).filter((host) => !members.includes(host)) : [];
  if (members.length + provenOff.length < majorityOf(all.length))
    throw new AdapterFailure({
      type: 'Unsafe',
      host: cluster.description.cluster,
      message: `${String(members.length)} of ${String(all.length)} members of ${cluster.description.cluster} accepted epoch ${String(epoch.number)} (${members.join(', ') || 'none'}): not a majority, so nothing more was done`,
    });
  const missing = input.include.filter((host) => !members.includes(host));
  if (missing.length > 0)
    throw new AdapterFailure({
      type: 'Unreachable',
      host: missing.join(', '),
      message: `${missing.join(', ')} did not accept epoch ${String(epoch.number)}, and the operation needs it`,
    });
  return new Authority(cluster, epoch, { members, provenOff });
}

/** Continues under an epoch that this run claimed a moment ago. */
export const resumeEpoch = async (cluster: ClusterPorts, epoch: Epoch, off: HostName | null): Promise<Authority> => {
  const known = await readRecords(cluster, off);
  const members = [...known].flatMap(([host, records]) =>
    records.epoch?.number === epoch.number && records.epoch.run === epoch.run ? [host] : [],
  );
  return new Authority(cluster, epoch, { members, provenOff: off === null ? [] : [off] });
};

const isRefusal = (failure: AdapterFailure): boolean => failure.type === 'Stale' || failure.type === 'Unsafe';

const claimArguments = (cluster: ClusterPorts, epoch: Epoch): Record<string, string> => ({
  owner: cluster.owner,
  epoch: String(epoch.number),
  run: epoch.run,
  account: cluster.operationAccount,
});

async function readRecords(
  cluster: ClusterPorts,
  leaveOut: HostName | null,
): Promise<ReadonlyMap<HostName, MemberRecords>> {
  const answers = await Promise.allSettled(
    memberNames(cluster.description)
      .filter((member) => member !== leaveOut)
      .map(
        async (member) =>
          [member, recordsFrom(await cluster.helper(member).request('records', {}, { timeoutMs: LOOK_MS }))] as const,
      ),
  );
  return new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
}
