import { endTail } from '../adapters/mariadb-tail.ts';
import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { containsGtids, gtidsBeyond, parseGtids, renderGtids, unionGtids } from '../domain/gtid.ts';
import type { ReplicationStatus, ServerStatus } from '../domain/observation.ts';
import { appliedBy } from '../domain/tail.ts';
import type { Authority } from './authority.ts';
import { applyStaged, tailFrom } from './salvaging.ts';

/** A large relay log takes this long to read; it is only read of a replica that stands still while its primary is silent. */
const READ_MS = 60_000;

export type AtRest =
  | { readonly kind: 'known'; readonly received: string; readonly isApplied: boolean }
  | { readonly kind: 'unknown'; readonly why: string };

export const isAtRest = (replication: ReplicationStatus | null): replication is ReplicationStatus =>
  replication?.receiver === 'stopped' && replication.applier === 'stopped';

/**
 * What a replica with both threads stopped has received, as after a restart: the server no longer says it, its relay logs do. They are read, and
 * nothing is started: any start would delete them.
 */
export async function receivedAtRest(cluster: ClusterPorts, host: HostName, status: ServerStatus): Promise<AtRest> {
  const applied = appliedBy(status);
  const answer = await cluster
    .helper(host)
    .request('tail-list', { logs: 'relay', beyond: renderGtids(applied) }, { timeoutMs: READ_MS });
  const tail = tailFrom(answer);
  if (!tail.complete) return { kind: 'unknown', why: tail.why };
  const received = unionGtids(applied, parseGtids(tail.upTo));
  const said = parseGtids(status.replication?.received ?? '');
  if (!containsGtids(received, said)) {
    const missing = renderGtids(gtidsBeyond(said, received));
    return { kind: 'unknown', why: `it received up to ${missing}, and its relay logs do not hold that` };
  }
  return { kind: 'known', received: renderGtids(received), isApplied: tail.count === 0 };
}

/**
 * Applies what a replica at rest has only in its relay logs, and leaves its threads as they are. Its relay logs are kept before.
 * @returns false when it is not known what it had received
 */
export async function applyAtRest(
  authority: Authority,
  { host, status, signal }: { readonly host: HostName; readonly status: ServerStatus; readonly signal: AbortSignal },
): Promise<boolean> {
  await authority.withSession(host, endTail);
  const found = await receivedAtRest(authority.cluster, host, status);
  if (found.kind === 'unknown') return false;
  if (found.isApplied) return true;
  const beyond = renderGtids(appliedBy(status));
  const tail = tailFrom(await authority.order(host, 'tail-export', { logs: 'relay', beyond }));
  await applyStaged(authority, { host, tail, signal });
  return true;
}

/** @returns the same status with what the relay logs say; a silence of the helper is a reason as well */
export async function withRelayLogs(
  cluster: ClusterPorts,
  host: HostName,
  status: ServerStatus,
): Promise<ServerStatus> {
  const { replication } = status;
  if (!isAtRest(replication)) return status;
  const found = await receivedAtRest(cluster, host, status).catch(unknownBecause);
  const read = found.kind === 'known' ? { received: found.received } : { received: '', receivedUnknown: found.why };
  return { ...status, replication: { ...replication, ...read } };
}

function unknownBecause(error: unknown): AtRest {
  if (error instanceof AdapterFailure) return { kind: 'unknown', why: error.message };
  throw error;
}
