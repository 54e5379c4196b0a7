import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import { isClaimOf, majorityOf, memberNames } from '../domain/cluster.ts';
import { newestEpoch } from '../domain/records.ts';
import { Authority, claimArguments, ORDER_MS } from './authority.ts';
import { lacking, overtaken, tooFew } from './claim-refusals.ts';
import type { RecordsByMember } from './confirming.ts';
import { askRecords, confirmMembers, isAt, knows, newestOf, readRecords } from './confirming.ts';
import { isStale, onEach } from './overtaken.ts';
import { recordsFrom } from './records-answer.ts';
import type { Claimant } from './steps.ts';

/** A server that said nothing when it was looked at, and is about to be killed, is not waited for as another one is (1 s). Milliseconds, as the helper takes them. */
const HUNG_AFTER_MS = '80';

export interface ClaimInput {
  readonly run: string;
  readonly claimant: Claimant;
  /** Members without which the claim is worth nothing: the host that is about to be opened. */
  readonly include: readonly HostName[];
  /** Does not answer, and is waited for no longer. */
  readonly leaveOut?: HostName | null;
  /** What the members that answer recorded a moment ago. They are asked again when somebody has claimed since then. */
  readonly before?: RecordsByMember;
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

/** Makes a majority of the members accept a new epoch of `run`, and the sessions and orders of older ones disappear. */
export async function claimEpoch(cluster: ClusterPorts, input: ClaimInput): Promise<Authority> {
  const { before: known, ...afresh } = input;
  const all = memberNames(cluster.description);
  const asked = all.filter((member) => member !== input.leaveOut);
  const before = known ?? (await recordsOf(cluster, asked));
  const newestClaim = newestEpoch([...before.values()]);
  if (input.continues === true && newestClaim !== null && !isClaimOf(newestClaim, input.run))
    throw overtaken(cluster, newestClaim);
  const epoch: Epoch = { number: (newestClaim?.number ?? 0) + 1, run: `${input.run}/${input.claimant.name}` };
  // Asked when the number stands: whoever is frozen from here on finds it taken, by a claim that is not his.
  await input.claimant.requireOurs();
  const claimed = await claimAll(cluster, epoch, { before, mayHang: input.mayHang }).catch(
    known === undefined ? undefined : unlessStale,
  );
  if (claimed === null) return claimEpoch(cluster, afresh);
  const { obeying, members } = claimed;
  const short = members.length < majorityOf(all.length);
  if (short && (input.proveOff === undefined || claimed.refusal !== null))
    throw claimed.refusal ?? tooFew(cluster, epoch, claimed);
  const missing = input.include.filter((host) => !members.includes(host));
  if (missing.length > 0) throw claimed.refusal ?? lacking(epoch, missing, claimed);
  const unsaid = obeying.filter((member) => !claimed.records.has(member));
  const answers = [...claimed.records, ...(await readRecords(cluster, unsaid))];
  const under = new Map(answers.filter(([, records]) => isAt(records, epoch)));
  const newest = newestOf(cluster, under);
  if (input.primary !== undefined && newest.primary?.host !== input.primary)
    throw new AdapterFailure({
      type: 'Stale',
      host: input.primary,
      message: `${newest.primary?.host ?? 'nobody'} is recorded as primary by now, not ${input.primary}; nothing more was done`,
    });
  const provenOff = short ? ((await input.proveOff?.()) ?? []).filter((host) => !members.includes(host)) : [];
  if (members.length + provenOff.length < majorityOf(all.length)) throw tooFew(cluster, epoch, claimed);
  const records = await confirmMembers(cluster, { epoch, newest, before, under, members });
  return new Authority(cluster, epoch, { members, provenOff, records });
}

/** @throws AdapterFailure `BadInput` when nobody could be asked, for a reason on this side: too few would not say why */
async function recordsOf(cluster: ClusterPorts, asked: readonly HostName[]): Promise<RecordsByMember> {
  const { records, fault } = await askRecords(cluster, asked);
  if (fault !== null) throw fault;
  return records;
}

/** The number was taken meanwhile. */
function unlessStale(error: unknown): null {
  if (isStale(error)) return null;
  throw error;
}

interface Claimed {
  readonly obeying: readonly HostName[];
  /** Of them, those where older sessions are gone as well: those of a hung server cannot be ended. */
  readonly members: readonly HostName[];
  /** Of the others, those whose server lets its root in no more. */
  readonly denying: readonly HostName[];
  /** As each of them said under the new epoch. One whose helper is of an earlier version has to be asked. */
  readonly records: RecordsByMember;
  /** Of one that takes no part, since it obeys another control plane or its records are damaged. A majority can do without it. */
  readonly refusal: AdapterFailure | null;
}

interface Asked {
  /** Who answered, and what was recorded there. */
  readonly before: RecordsByMember;
  readonly mayHang: HostName | undefined;
}

async function claimAll(cluster: ClusterPorts, epoch: Epoch, { before, mayHang }: Asked): Promise<Claimed> {
  const answers = await onEach([...before.keys()], async (member) => {
    const isBrief = member === mayHang && knows(before.get(member), 2);
    const args = { ...claimArguments(cluster, epoch), ...(isBrief ? { hung_after: HUNG_AFTER_MS } : {}) };
    const answer = await cluster.helper(member).request('claim', args, { timeoutMs: ORDER_MS });
    const records = answer['level'] === undefined ? null : recordsFrom(member, answer);
    const isDenied = answer['denied'] !== undefined;
    return { member, counts: answer['mysqld'] !== 'hung' || member === mayHang, isDenied, records };
  });
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' && answer.reason instanceof AdapterFailure ? [answer.reason] : [],
  );
  const accepted = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return {
    obeying: accepted.map(({ member }) => member),
    members: accepted.filter(({ counts }) => counts).map(({ member }) => member),
    denying: accepted.filter(({ counts, isDenied }) => isDenied && !counts).map(({ member }) => member),
    records: new Map(accepted.flatMap(({ member, records }) => (records === null ? [] : [[member, records] as const]))),
    refusal: failures.find(({ type }) => type === 'Unsafe') ?? null,
  };
}

/** Continues under an epoch that this run claimed a moment ago. */
export const resumeEpoch = async (cluster: ClusterPorts, epoch: Epoch, off: HostName | null): Promise<Authority> => {
  const asked = memberNames(cluster.description).filter((member) => member !== off);
  const under = new Map([...(await readRecords(cluster, asked))].filter(([, records]) => isAt(records, epoch)));
  return new Authority(cluster, epoch, {
    members: [...under.keys()],
    provenOff: off === null ? [] : [off],
    records: under,
  });
};
