import { log } from '@temporalio/activity';
import { waitApplied } from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import { containsGtids, parseGtids } from '../domain/gtid.ts';
import { replicatesFrom } from '../domain/observation.ts';
import type { Authority } from './authority.ts';

const CATCH_UP_MS = 5_000;

interface Releasing {
  /** It is open, on record, and has every acknowledged write. */
  readonly primary: HostName;
  readonly hosts: readonly HostName[];
}

/**
 * Relay logs that were kept hold their room for as long as they are kept. They go from every host of `hosts` that needs them no more; where that is not seen in
 * time they stay until the next operation. The operation is done by then, so nothing of this fails it.
 */
export async function releaseRelayLogs(authority: Authority, { primary, hosts }: Releasing): Promise<void> {
  const outcomes = await Promise.allSettled(
    hosts.map(async (host) => {
      if (host === primary || (await hasEverything(authority, { primary, host })))
        await authority.order(host, 'release-relay');
    }),
  );
  for (const one of outcomes)
    if (one.status === 'rejected') log.warn('relay logs were left as they were kept', { why: String(one.reason) });
}

/** What its primary had is applied there, and its receiver, since it runs, has received nothing else. */
async function hasEverything(
  authority: Authority,
  { primary, host }: { readonly primary: HostName; readonly host: HostName },
): Promise<boolean> {
  const { binlogPosition: goal } = await authority.statusOf(primary);
  const status = await authority.withSession(host, async (session) => {
    const { replication } = await authority.statusOn(session);
    if (!replicatesFrom(replication, primary)) return null;
    return (await waitApplied(session, goal, CATCH_UP_MS)) ? authority.statusOn(session) : null;
  });
  if (status === null) return false;
  // Read after the replica: whatever the primary has not got then, it never had.
  const { binlogState } = await authority.statusOf(primary);
  return containsGtids(parseGtids(binlogState), receivedBy(status));
}
