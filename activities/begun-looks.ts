import type { ClusterPorts } from '../adapters/ports.ts';
import { memberNames } from '../domain/cluster.ts';
import type { RelayLogs } from './foreseeing.ts';
import { lookAtRelayLogs } from './foreseeing.ts';
import type { Sampled } from './observing.ts';
import { observeBriefly } from './observing.ts';
import { FIRST_LOOK } from './patience.ts';

/** The first look of a failover, under way, when nothing is claimed yet. */
export interface FirstLook {
  readonly seen: Promise<Sampled>;
  readonly logs: RelayLogs;
}

/** A watcher's is a few milliseconds old when its failover begins; a run that waited for its turn looks anew. */
const FRESH_MS = 500;

interface Begun extends FirstLook {
  readonly inventory: string;
  readonly begun: Instant;
}

/** Time does not pass on a monotonic clock while a virtual machine is suspended; it may pass anyhow on the other one. */
interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

const now = (): Instant => ({ monotonicMs: performance.now(), wallMs: Date.now() });

function isFresh({ monotonicMs, wallMs }: Instant): boolean {
  const at = now();
  return at.monotonicMs - monotonicMs < FRESH_MS && Math.abs(at.wallMs - wallMs) < FRESH_MS;
}

/**
 * First looks that the watcher of this process begins while Temporal takes the failover that it starts. In another process a failover begins its own. Nothing is
 * decided by it alone: everything that it says is looked at again under the claim.
 */
export class BegunLooks {
  readonly #begun = new Map<string, Begun>();

  begin(cluster: ClusterPorts): void {
    const look = firstLook(cluster);
    look.seen.catch(() => undefined); // whoever takes it is told; nobody else asked
    const { description } = cluster;
    this.#begun.set(description.cluster, { ...look, inventory: inventoryOf(cluster), begun: now() });
  }

  /** The one that was begun a moment ago, by the same inventory, or one that begins now. */
  take(cluster: ClusterPorts): FirstLook {
    const { description } = cluster;
    const begun = this.#begun.get(description.cluster);
    this.#begun.delete(description.cluster);
    if (begun === undefined || !isFresh(begun.begun)) return firstLook(cluster);
    return begun.inventory === inventoryOf(cluster) ? begun : firstLook(cluster);
  }
}

/** Whom a look asks, where, and as whom. */
const inventoryOf = (cluster: ClusterPorts): string =>
  JSON.stringify([
    ...[cluster.description, cluster.vip, cluster.owner, cluster.operationAccount],
    memberNames(cluster.description).map((member) => [cluster.endpoint(member), cluster.sshPort(member)]),
  ]);

const firstLook = (cluster: ClusterPorts): FirstLook => {
  const logs = lookAtRelayLogs(cluster);
  return { logs, seen: observeBriefly(cluster, FIRST_LOOK) };
};
