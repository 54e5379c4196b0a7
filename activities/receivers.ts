import type { Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { startReplication, stopReceiver } from '../adapters/mariadb.ts';
import { readStatus } from '../adapters/mariadb-status.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import { containsGtids, parseGtids, unionGtids } from '../domain/gtid.ts';
import type { ServerStatus } from '../domain/observation.ts';
import type { Authority } from './authority.ts';
import { followersOf } from './electing.ts';
import { observe } from './observing.ts';

/**
 * Keeps the relay logs of every follower, then makes its received set stand still without losing any of it.
 * @returns the followers whose received set is known; one that dies here, or whose relay log cannot be read without being thrown away, is not among them
 */
export async function stopReceivers(authority: Authority, primary: HostName): Promise<readonly HostName[]> {
  const followers = followersOf(await observe(authority.cluster, primary), primary);
  const stopped = await Promise.allSettled(followers.map((host) => standStill(authority, host)));
  const stale = stopped.find(
    (one) => one.status === 'rejected' && one.reason instanceof AdapterFailure && one.reason.type === 'Stale',
  );
  if (stale?.status === 'rejected') throw stale.reason;
  return stopped.flatMap((one) =>
    one.status === 'fulfilled' && one.value ? [followers[stopped.indexOf(one)] ?? ''] : [],
  );
}

async function standStill(authority: Authority, host: HostName): Promise<boolean> {
  await authority.order(host, 'keep-relay');
  return authority.withSession(host, async (session) => {
    const before = await statusOn(authority, session);
    // With both threads stopped, any start deletes the relay log: what is not applied yet stays where it is, and counts for nothing.
    if (areBothStopped(before)) return hasAppliedAll(before);
    await stopReceiver(session);
    return containsGtids(receivedBy(await statusOn(authority, session)), receivedBy(before));
  });
}

/** The undo: both threads run again, unless that would throw away what was received and never applied. */
export async function startReceiver(authority: Authority, host: HostName): Promise<void> {
  await authority.withSession(host, async (session) => {
    const status = await statusOn(authority, session);
    if (areBothStopped(status) && !hasAppliedAll(status))
      throw new AdapterFailure({
        type: 'Unsafe',
        host,
        message: `${host} has received transactions that it has not applied, and starting its threads would delete them; its relay logs are kept`,
      });
    await startReplication(session);
  });
}

const statusOn = (authority: Authority, session: Session): Promise<ServerStatus> =>
  readStatus(session, (address) => authority.cluster.nameOf(address));

const areBothStopped = ({ replication }: ServerStatus): boolean =>
  replication?.receiver === 'stopped' && replication.applier === 'stopped';

function hasAppliedAll({ replication, binlogState, appliedPosition }: ServerStatus): boolean {
  const applied = unionGtids(parseGtids(binlogState), parseGtids(appliedPosition));
  return containsGtids(applied, parseGtids(replication?.received ?? ''));
}
