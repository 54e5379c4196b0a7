import type { Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { startReplication, stopReceiver } from '../adapters/mariadb.ts';
import { readStatus } from '../adapters/mariadb-status.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import { containsGtids } from '../domain/gtid.ts';
import type { ServerStatus } from '../domain/observation.ts';
import type { Authority } from './authority.ts';
import { followersOf } from './electing.ts';
import { observe } from './observing.ts';
import { onEach } from './overtaken.ts';
import { applyAtRest, isAtRest } from './relay-logs.ts';

/**
 * Keeps the relay logs of every follower, then makes its received set stand still without losing any of it. One that stood still already, as
 * after a restart, applies what only its relay logs hold.
 * @returns the followers whose received set is known; one that dies here, or whose relay logs are damaged or were thrown away, is not among them
 */
export async function stopReceivers(
  authority: Authority,
  primary: HostName,
  signal: AbortSignal,
): Promise<readonly HostName[]> {
  const followers = followersOf(await observe(authority.cluster, primary), primary);
  const stopped = await onEach(followers, async (host) => ({
    host,
    isKnown: await standStill(authority, host, signal),
  }));
  return stopped.flatMap((one) => (one.status === 'fulfilled' && one.value.isKnown ? [one.value.host] : []));
}

async function standStill(authority: Authority, host: HostName, signal: AbortSignal): Promise<boolean> {
  const { source } = await authority.order(host, 'keep-relay');
  // Somebody started it with nobody to receive from: whatever it had acknowledged and not applied is gone, and it does not know.
  if (source !== 'yes') return false;
  const before = await statusOf(authority, host);
  if (isAtRest(before.replication)) return applyAtRest(authority, { host, status: before, signal });
  return authority.withSession(host, async (session) => {
    await stopReceiver(session);
    return containsGtids(receivedBy(await statusOn(authority, session)), receivedBy(before));
  });
}

/** The undo: both threads run again, from what is applied, by GTID. What was received and not applied yet is applied before. */
export async function startReceiver(authority: Authority, host: HostName, signal: AbortSignal): Promise<void> {
  const status = await statusOf(authority, host);
  if (isAtRest(status.replication)) {
    await authority.order(host, 'keep-relay');
    if (!(await applyAtRest(authority, { host, status, signal })))
      throw new AdapterFailure({
        type: 'Unsafe',
        host,
        message: `it is not known what ${host} had received, and starting its threads would delete its relay logs; they are kept in .standfast of its data directory`,
      });
  }
  await authority.withSession(host, startReplication);
}

const statusOf = (authority: Authority, host: HostName): Promise<ServerStatus> =>
  authority.withSession(host, (session) => statusOn(authority, session));

const statusOn = (authority: Authority, session: Session): Promise<ServerStatus> =>
  readStatus(session, (address) => authority.cluster.nameOf(address));
