import type { HostDescription, HostName } from './cluster.ts';
import type { SemiSyncStatus, ServerStatus } from './observation.ts';

/** More milliseconds than a server can live, as a primary that never stops waiting is given. */
const NEVER_MS = 2n ** 53n;

/**
 * What keeps a primary from waiting for an acknowledgement of every write, for ever; none: it waits. How many have to acknowledge is no setting of
 * MariaDB: it is always one. Source: MariaDB KB, semi-synchronous replication.
 */
export function faultsOfWaiting(semi: SemiSyncStatus): readonly string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [semi.primaryEnabled, 'semi-sync is switched off on it'],
    [semi.primaryActive, 'it has fallen back to asynchronous replication'],
    [semi.waitPoint === 'AFTER_SYNC', `it waits at ${semi.waitPoint || 'no known point'} instead of AFTER_SYNC`],
    [semi.waitsWithoutReplica, 'it stops waiting when no replica is connected (wait_no_slave is off)'],
    [BigInt(semi.timeoutMs) >= NEVER_MS, `it stops waiting after ${semi.timeoutMs || 'an unknown number of'} ms`],
  ];
  const broken = rules.filter(([holds]) => !holds).map(([, explains]) => explains);
  // A server that is switched off reports itself as fallen back, too.
  return semi.primaryEnabled ? broken : broken.filter((one) => !one.startsWith('it has fallen back'));
}

export interface AttachmentInput {
  readonly hosts: readonly HostDescription[];
  /** Of whoever answered. */
  readonly statuses: ReadonlyMap<HostName, ServerStatus>;
  readonly primary: HostName;
  /** Whom the record names. */
  readonly ackers: readonly HostName[];
}

/** Which of the primary's connections is which replica: its own word about who is connected, and each replica's about whether it acknowledges. */
export interface Attachment {
  /** Recorded, connected, and acknowledging by their own word. */
  readonly acknowledging: readonly HostName[];
  /** Recorded and not connected to the primary. */
  readonly detached: readonly HostName[];
  /** May acknowledge a write and are not recorded: a write could be on nobody whom a failover would ask. Each as a person can find it. */
  readonly unrecorded: readonly string[];
}

type Known = Pick<AttachmentInput, 'hosts' | 'statuses'>;

/** By its server's own word; of one that says nothing, by the inventory. */
const serverIdOf = ({ name, serverId }: HostDescription, statuses: Known['statuses']): number =>
  statuses.get(name)?.serverId ?? serverId;

/** Which hosts the connections of a primary are, by the server IDs that it gives. */
export const connectedHosts = ({ hosts, statuses }: Known, attached: readonly number[]): readonly HostName[] =>
  hosts.filter((host) => attached.includes(serverIdOf(host, statuses))).map(({ name }) => name);

/** Null when the primary does not say who is connected to it. */
export function judgeAttachment({ hosts, statuses, primary, ackers }: AttachmentInput): Attachment | null {
  const semi = statuses.get(primary)?.semiSync;
  if (semi?.attached === undefined) return null;
  const attached = connectedHosts({ hosts, statuses }, semi.attached).filter((host) => host !== primary);
  const acknowledges = (host: HostName): boolean => {
    const status = statuses.get(host);
    return status?.semiSync.replicaActive === true && status.replication?.source === primary;
  };
  const strangers = attached.filter((host) => acknowledges(host) && !ackers.includes(host));
  // More clients than there are hosts that may be one: somebody else is, perhaps one that does not answer here.
  const accounted = attached.filter((host) => acknowledges(host) || ackers.includes(host)).length;
  const excess = semi.clients - accounted;
  return {
    acknowledging: ackers.filter((host) => attached.includes(host) && acknowledges(host)),
    detached: ackers.filter((host) => !attached.includes(host)),
    unrecorded: [...strangers, ...(excess > 0 ? [describeUnknown(semi.attached, { hosts, statuses, ackers })] : [])],
  };
}

function describeUnknown(
  attached: readonly number[],
  { hosts, statuses, ackers }: Known & Pick<AttachmentInput, 'ackers'>,
): string {
  const recorded = hosts.filter(({ name }) => ackers.includes(name)).map((host) => serverIdOf(host, statuses));
  const others = attached.filter((id) => !recorded.includes(id));
  return others.length === 0 ? 'a client that did not register' : `one of the servers with ID ${others.join(', ')}`;
}
