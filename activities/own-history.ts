import type { HostName } from '../domain/cluster.ts';
import type { GtidSet } from '../domain/gtid.ts';
import { renderGtids } from '../domain/gtid.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { ServerStatus } from '../domain/observation.ts';
import { lostOwn } from '../domain/own-transactions.ts';
import { PROVISION_AGAIN, remedyFor } from '../domain/remedies.ts';
import { unsafe } from './refusal.ts';

/** A server that is about to replicate from a primary, and what that has. */
export interface Followed {
  readonly cluster: string;
  readonly host: HostName;
  readonly primary: HostName;
  readonly primaryHolds: GtidSet;
  readonly lineage: Lineage;
}

type Logged = Pick<ServerStatus, 'serverId' | 'binlogState' | 'appliedPosition'>;

/** @throws AdapterFailure `Unsafe` when replication from the primary would pass over what the host has lost, and nobody would see it */
export function requireOwn(followed: Followed, status: Logged): void {
  const { cluster, host, primary, primaryHolds, lineage } = followed;
  const lost = renderGtids(lostOwn(status, primaryHolds, lineage));
  if (lost === '') return;
  throw unsafe(
    host,
    `the log of ${host} lacks transactions that it wrote itself and ${primary} has, up to ${lost}; replication passes over a server's own transactions and would not bring them back. Nothing was pointed or started there. Make it anew: ${remedyFor(PROVISION_AGAIN, { cluster, host })}`,
  );
}
