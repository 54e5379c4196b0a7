/** What a cluster is, by names alone: addresses and secrets stay in the inventory. */
export type HostName = string;

/** Order of authority: a member refuses a lower number, and the same number from another claimant. */
export interface Epoch {
  readonly number: number;
  /** `RUN/ATTEMPT`: the Temporal run, and the one attempt of an activity in it that claimed. */
  readonly run: string;
}

export const isClaimOf = (epoch: Epoch | null | undefined, run: string): boolean =>
  epoch?.run.startsWith(`${run}/`) === true;

export interface HostDescription {
  readonly name: HostName;
  readonly site: string;
  readonly country: string;
  /** Ties between equal candidates go to the higher rank, then to the name that sorts first. */
  readonly rank: number;
  /** False: it is never elected. It may acknowledge, and what it holds counts. */
  readonly promotable: boolean;
  readonly serverId: number;
}

export type FenceRung = 'ssh' | 'powerOff' | 'revocation';

/** How a cluster is watched, and what may follow without a person. Milliseconds. */
export interface WatchPolicy {
  readonly everyMs: number;
  /** How long a host may say nothing before it counts as silent. */
  readonly silenceMs: number;
  /** Sites from which a worker looks at the primary as well. */
  readonly observers: readonly string[];
  /** Period of the heartbeat rows that lag is measured by. */
  readonly heartbeatMs: number;
  /** How often it is found out whether a failover would go through; 0: never. */
  readonly rehearsalMs: number;
  /** Whether a failover may start without a person. */
  readonly automatic: boolean;
  /** How long a dead primary may take to come back first. */
  readonly graceMs: number;
  /** Least time between two automatic failovers. */
  readonly cooldownMs: number;
}

export interface ClusterDescription {
  readonly cluster: string;
  readonly hosts: readonly HostDescription[];
  readonly witnesses: readonly HostName[];
  readonly mode: 'semisync' | 'async';
  /** What the last writable server does with nobody left to acknowledge: refuse writes, or go on without losslessness. */
  readonly alone: 'stop' | 'async';
  readonly fence: readonly FenceRung[];
  /** What becomes of transactions that only the old primary has: brought to the new one, or set aside for a person. */
  readonly salvage: 'apply' | 'quarantine';
  /** Most acknowledged transactions that a failover may lose without asking a person. */
  readonly mayLose: number;
  readonly lag: { readonly warnMs: number; readonly failMs: number };
  readonly watch: WatchPolicy;
  /** Countries that may hold the data; empty when no policy is declared. */
  readonly countries: readonly string[];
}

export const memberNames = (cluster: ClusterDescription): readonly HostName[] => [
  ...cluster.hosts.map((host) => host.name),
  ...cluster.witnesses,
];

/** The smallest number of members that no other disjoint group can match. */
export const majorityOf = (members: number): number => Math.floor(members / 2) + 1;

interface Named {
  readonly cluster: string;
  readonly hosts: readonly { readonly name: HostName }[];
}

/** Null: it is one of its database hosts. */
export function explainStranger({ cluster, hosts }: Named, host: HostName): string | null {
  const known = hosts.map(({ name }) => name);
  if (known.includes(host)) return null;
  return `${host} is not a database host of ${cluster} (it has ${known.join(', ')}). Nothing was changed`;
}

/** Null: it may be asked for as the next primary. */
export function explainUnpromotable(cluster: ClusterDescription, name: HostName): string | null {
  if (describeHost(cluster, name).promotable) return null;
  const others = cluster.hosts.filter(({ promotable }) => promotable).map((host) => host.name);
  return `${name} is never promoted (promotable: false in the inventory of ${cluster.cluster}). Ask for another host (${others.join(', ')}), or change the inventory. Nothing was changed`;
}

export function describeHost(cluster: ClusterDescription, name: HostName): HostDescription {
  const host = cluster.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) throw new Error(`${name} is not a database host of ${cluster.cluster}`);
  return host;
}
