import { AdapterFailure } from '../adapters/ports.ts';
import { acknowledgeNothing, waitForAcknowledgement } from '../adapters/mariadb.ts';
import { connectedHosts, faultsOfWaiting, judgeAttachment } from '../domain/acknowledgement.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import { containsGtids, parseGtids } from '../domain/gtid.ts';
import type { ServerAnswer, ServerStatus } from '../domain/observation.ts';
import { isAnswering } from '../domain/observation.ts';
import type { Authority, SyncArguments } from './authority.ts';
import { askServer, askServers } from './asking.ts';
import type { Steps } from './steps.ts';
import { until } from './steps.ts';

const ATTACH_MS = 10_000;
const POLL_MS = 10;

export interface Acknowledgement {
  readonly mode: 'lossless' | 'async';
  readonly ackers: readonly HostName[];
}

export const syncRecord = ({ mode, ackers }: Acknowledgement): SyncArguments => ({
  mode,
  ackers: ackers.join(','),
  k: ackers.length > 0 ? '1' : '0',
});

const recordSync = (authority: Authority, acknowledgement: Acknowledgement): Promise<void> =>
  authority.recordSync(syncRecord(acknowledgement));

/** Claims nothing, so it may be said of any primary; `ackers` are the ones who might acknowledge. */
export const recordAsync = (authority: Authority, ackers: readonly HostName[]): Promise<void> =>
  recordSync(authority, { mode: 'async', ackers });

/** What is about to be promised: every write of `primary` from now on is acknowledged by one of `ackers` first. */
export interface LosslessClaim {
  readonly primary: HostName;
  readonly ackers: readonly HostName[];
  /**
   * Committed before the primary waited, or perhaps acknowledged by somebody who is no acker any more: one of the ackers has to hold it.
   * Null: all of that is covered by a claim on record, which this one repeats or widens.
   */
  readonly goal: string | null;
}

/**
 * Every commit of `primary` waits from here on, and the server itself was seen to say so.
 * @returns what it said then: what was committed before it waited is in it
 */
export async function makeWait(authority: Authority, primary: HostName): Promise<ServerStatus> {
  const status = await authority.withSession(primary, async (session) => {
    await waitForAcknowledgement(session);
    return authority.statusOn(session);
  });
  const faults = faultsOfWaiting(status.semiSync);
  if (faults.length > 0)
    throw new AdapterFailure({
      type: 'Unverified',
      host: primary,
      message: `${primary} was told to wait for an acknowledgement of every write, but ${faults.join('; ')}`,
    });
  return status;
}

/** `async` is on record by then: from here on writes are acknowledged by the primary alone, and those that wait go on. */
export async function stopWaiting(authority: Authority, primary: HostName): Promise<void> {
  await authority.withSession(primary, acknowledgeNothing);
  const { semiSync } = await authority.statusOf(primary);
  if (semiSync.primaryEnabled)
    throw new AdapterFailure({
      type: 'Unverified',
      host: primary,
      message: `${primary} was told to wait for nobody, and semi-sync is still switched on`,
    });
}

/** Reads the servers back, and says what is not true of the claim; null: it is true. */
export async function whyNotLossless(authority: Authority, claim: LosslessClaim): Promise<string | null> {
  const { primary, ackers } = claim;
  const statuses = await statusesFor(authority, claim);
  const own = statuses.get(primary);
  if (own === undefined) return `${primary} does not answer`;
  const [fault] = faultsOfWaiting(own.semiSync);
  if (fault !== undefined) return `${primary} does not wait for an acknowledgement: ${fault}`;
  const attachment = judgeAttachment({ hosts: authority.cluster.description.hosts, statuses, primary, ackers });
  if (attachment === null) return `${primary} does not say who is connected to it`;
  if (attachment.unrecorded.length > 0)
    return `${attachment.unrecorded.join(', ')} may acknowledge writes of ${primary} without being on record`;
  if (claim.goal === null) return null;
  if (attachment.acknowledging.length === 0)
    return `nobody of ${ackers.join(', ')} is connected to ${primary} and acknowledges`;
  const goal = parseGtids(claim.goal);
  const holds = attachment.acknowledging.some((acker) => {
    const status = statuses.get(acker);
    return status !== undefined && containsGtids(receivedBy(status), goal);
  });
  return holds ? null : `${attachment.acknowledging.join(', ')} has not received ${claim.goal} yet`;
}

/** Who of `ackers` is connected to `primary` and acknowledges, now. */
export async function acknowledgingNow(
  authority: Authority,
  work: Pick<LosslessClaim, 'primary' | 'ackers'>,
): Promise<readonly HostName[]> {
  const { hosts } = authority.cluster.description;
  const statuses = await statusesFor(authority, work);
  return judgeAttachment({ hosts, statuses, ...work })?.acknowledging ?? [];
}

/**
 * The primary, the ackers, and whoever else is connected to it: a host that is gone would be waited for at each look. Where more acknowledge than those who are known, an
 * ID that is nobody's so far may be that of anybody who was not asked.
 */
async function statusesFor(
  authority: Authority,
  { primary, ackers }: Pick<LosslessClaim, 'primary' | 'ackers'>,
): Promise<ReadonlyMap<HostName, ServerStatus>> {
  const { cluster } = authority;
  const expected = [primary, ...ackers];
  const known = await askServers(cluster, expected);
  const { hosts } = cluster.description;
  const { attached = [], clients = 0 } = known.get(primary)?.semiSync ?? {};
  const connected = (ids: readonly number[]): readonly HostName[] => connectedHosts({ hosts, statuses: known }, ids);
  const acknowledging = connected(attached).filter((host) => known.get(host)?.semiSync.replicaActive === true);
  const isEachKnown = clients <= acknowledging.length || attached.every((id) => connected([id]).length > 0);
  const others = isEachKnown ? connected(attached) : hosts.map(({ name }) => name);
  return new Map([
    ...known,
    ...(await askServers(
      cluster,
      others.filter((host) => !expected.includes(host)),
    )),
  ]);
}

/**
 * The only way in which `lossless` gets on record: the claim has to be true of the servers themselves, within `forMs`.
 * @returns null when it is on record on a majority; otherwise what is not true, and nothing was recorded
 */
export async function recordLossless(
  authority: Authority,
  claim: LosslessClaim,
  bounds: { readonly signal: AbortSignal; readonly forMs: number },
): Promise<string | null> {
  const why = await untilLossless(authority, claim, bounds);
  if (why === null) await recordSync(authority, { mode: 'lossless', ackers: claim.ackers });
  return why;
}

/** @returns null when the claim is true of the servers within `forMs`; otherwise what is not */
async function untilLossless(
  authority: Authority,
  claim: LosslessClaim,
  bounds: { readonly signal: AbortSignal; readonly forMs: number },
): Promise<string | null> {
  let why: string | null = '';
  const look = async (): Promise<true | null> => {
    why = await whyNotLossless(authority, claim);
    return why === null ? true : null;
  };
  await until(look, { ...bounds, everyMs: POLL_MS });
  return why;
}

/** A new primary is still closed then; one that is opened again is open already, and only clients of the VIP are kept from it. */
async function nobodyInTime(
  authority: Authority,
  { primary, ackers, why }: Pick<LosslessClaim, 'primary' | 'ackers'> & { readonly why: string },
): Promise<AdapterFailure> {
  const state = stateOf(primary, await askServer(authority.cluster, primary));
  const missing = ackers.length === 0 ? 'a replica' : ackers.join(' or ');
  return new AdapterFailure({
    type: 'NotYet',
    host: primary,
    message: `${state} (policy.alone is stop): ${why}. Bring back ${missing}, or set policy.alone to async`,
  });
}

function stateOf(primary: HostName, answer: ServerAnswer): string {
  if (!isAnswering(answer) || answer.status.readOnly) return `${primary} stays closed until a replica acknowledges`;
  return answer.status.semiSync.primaryEnabled
    ? `${primary} is open, and its writes wait until a replica acknowledges; the VIP was left as it is`
    : `${primary} is open and acknowledges its writes alone; the VIP was left as it is`;
}

interface Securing {
  readonly primary: HostName;
  readonly ackers: readonly HostName[];
  readonly steps: Steps;
  /** This operation has recorded it already, with everybody who might acknowledge. */
  readonly isAsyncRecorded?: boolean;
  /** What the primary said when it had been made to wait, by this operation. */
  readonly waiting?: ServerStatus | null;
}

/**
 * Makes `primary` wait for `ackers`, who were told to acknowledge. `lossless` is recorded only when one of them is attached and holds everything
 * that the primary has; until then the record says `async`. Nobody in time: the policy for a primary alone.
 * @throws AdapterFailure `NotYet` when the policy is to stop
 */
export async function secureAcknowledgement(authority: Authority, work: Securing): Promise<Acknowledgement> {
  const found = await findAcknowledgement(authority, work);
  await confirmAcknowledgement(authority, found);
  return found;
}

/** What {@link secureAcknowledgement} found to be true goes on record. `async` is there by then: it claims nothing. */
export const confirmAcknowledgement = async (authority: Authority, found: Acknowledgement): Promise<void> => {
  if (found.mode === 'lossless') await recordSync(authority, found);
};

/**
 * {@link secureAcknowledgement} up to what it puts on record last. `primary` may be opened before that: its writes wait as they will, and a record that says less than is true
 * only makes the next failover ask for more.
 */
export async function findAcknowledgement(authority: Authority, work: Securing): Promise<Acknowledgement> {
  const { primary, steps } = work;
  // Who was an acker before it became the primary vouches for nothing of its own: on record it would make the next failover wait for the dead.
  const ackers = work.ackers.filter((acker) => acker !== primary);
  const { mode, alone } = authority.cluster.description;
  // The record stays as it is: the next attempt has to know whom it is waiting for.
  const waits = mode === 'semisync' && alone === 'stop';
  let why: string | null = `no recorded acker follows ${primary}`;
  if (waits && ackers.length === 0) throw await nobodyInTime(authority, { primary, ackers, why });
  if (work.isAsyncRecorded !== true) await recordAsync(authority, ackers);
  if (ackers.length > 0) {
    // What was committed before it waited is the goal; what comes now waits.
    const goal = (work.waiting ?? (await makeWait(authority, primary))).binlogPosition;
    const bounds = { signal: steps.signal, forMs: ATTACH_MS };
    why = await untilLossless(authority, { primary, ackers, goal }, bounds);
    if (why === null) return { mode: 'lossless', ackers };
  }
  if (waits) throw await nobodyInTime(authority, { primary, ackers, why });
  if (work.isAsyncRecorded === true) await recordAsync(authority, ackers);
  await stopWaiting(authority, primary);
  return { mode: 'async', ackers };
}
