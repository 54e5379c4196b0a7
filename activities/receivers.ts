import { startReplication, stopReceiver } from '../adapters/mariadb.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import type { GtidSet } from '../domain/gtid.ts';
import { containsGtids } from '../domain/gtid.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { diskFreeBytes } from './asking.ts';
import type { Authority } from './authority.ts';
import { knows } from './confirming.ts';
import { onEach } from './overtaken.ts';
import { applyAtRest, isAtRest, withRelayLogs } from './relay-logs.ts';

/** A follower whose relay logs were kept. */
export interface Kept {
  readonly host: HostName;
  /** Of it, what is certainly in what was kept. */
  readonly received: GtidSet;
  /** False: somebody started it with nobody to receive from. Whatever it had acknowledged and not applied is gone, and it does not know. */
  readonly isWhole: boolean;
  /** Null: its helper did not say. */
  readonly diskFreeBytes: number | null;
}

/** What the followers say whose received set stands still. */
export type Followers = ReadonlyMap<HostName, ServerStatus>;

interface Keeping {
  readonly followers: readonly HostName[];
  /** Their source, when its host says nothing any more: they would be slow to stop. */
  readonly gone: HostName | null;
}

/** Takes nothing from the followers, so it may go on while the old primary is being fenced. @returns without the ones that could not do it */
export async function keepRelayLogs(authority: Authority, { followers, gone }: Keeping): Promise<readonly Kept[]> {
  const kept = await onEach(followers, async (host) => {
    const received = receivedBy(await authority.statusOf(host));
    const answer = await authority.order(host, 'keep-relay', ofGoneSource(authority, { host, gone }));
    return { host, received, isWhole: answer['source'] === 'yes', diskFreeBytes: diskFreeBytes(answer) };
  });
  return kept.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function ofGoneSource(
  { cluster, records }: Authority,
  { host, gone }: { readonly host: HostName; readonly gone: HostName | null },
): Readonly<Record<string, string>> {
  if (gone === null || !knows(records.get(host), 3)) return {};
  const { address, port } = cluster.endpoint(gone);
  return { address, target_port: String(port) };
}

/**
 * Makes the received set of every follower stand still without losing any of it. One that stood still already, as after a restart, applies what only its relay
 * logs hold.
 * @returns what the followers say then whose received set is known; one that dies here, or whose relay logs are damaged or were thrown away, is not among them
 */
export async function stopReceivers(
  authority: Authority,
  kept: readonly Kept[],
  signal: AbortSignal,
): Promise<Followers> {
  const stopped = await onEach(
    kept.filter((one) => one.isWhole),
    async (one) => ({ host: one.host, status: await standStill(authority, one, signal) }),
  );
  return new Map(
    stopped.flatMap((one) => {
      const known = one.status === 'fulfilled' ? one.value : null;
      return known === null || known.status === null ? [] : [[known.host, known.status] as const];
    }),
  );
}

/** Null: it is not known what it has received. */
async function standStill(authority: Authority, kept: Kept, signal: AbortSignal): Promise<ServerStatus | null> {
  const { host } = kept;
  const { before, after } = await authority.withSession(host, async (session) => {
    const status = await authority.statusOn(session);
    if (isAtRest(status.replication)) return { before: status, after: null };
    await stopReceiver(session);
    return { before: status, after: await authority.statusOn(session) };
  });
  if (after === null) {
    if (!(await applyAtRest(authority, { host, status: before, signal }))) return null;
    return withRelayLogs(authority.cluster, host, await authority.statusOf(host));
  }
  const received = receivedBy(after);
  if (!containsGtids(received, receivedBy(before))) return null;
  if (!containsGtids(kept.received, received)) await authority.order(host, 'keep-relay');
  return after;
}

/** The undo: both threads run again, from what is applied, by GTID. What was received and not applied yet is applied before. */
export async function startReceiver(authority: Authority, host: HostName, signal: AbortSignal): Promise<void> {
  const status = await authority.statusOf(host);
  if (isAtRest(status.replication)) {
    const { path = '' } = await authority.order(host, 'keep-relay');
    if (!(await applyAtRest(authority, { host, status, signal })))
      throw new AdapterFailure({
        type: 'Unsafe',
        host,
        message: `it is not known what ${host} had received, and starting its threads would delete its relay logs; they are kept in ${path}; those outside the data directory beside themselves, where the file "elsewhere" there says`,
      });
  }
  await authority.withSession(host, startReplication);
}
