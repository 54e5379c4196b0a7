import { durationMs } from './duration.ts';
import type { RawCluster, RawInventory } from './schema.ts';

export interface HostConfig {
  readonly name: string;
  readonly address: string;
  readonly site: string;
  readonly country: string;
  readonly rank: number;
  readonly promotable: boolean;
  readonly serverId: number;
  readonly port: number;
  readonly sshPort: number;
}

export interface WitnessConfig {
  readonly name: string;
  readonly address: string;
  readonly sshPort: number;
}

export interface VipConfig {
  readonly address: string;
  readonly prefix: number;
  readonly interface: string;
  /** There with the driver `keepalived`. */
  readonly routerId?: number | undefined;
  readonly driver: 'keepalived' | 'direct';
}

export interface PolicyConfig {
  readonly failover: {
    readonly automatic: boolean;
    readonly fence: readonly ('ssh' | 'powerOff' | 'revocation')[];
    readonly cooldownMs: number;
    /** How long a dead primary may take to come back before an automatic failover starts. */
    readonly graceMs: number;
    /** What becomes of transactions that only the old primary has. */
    readonly salvage: 'apply' | 'quarantine';
    readonly maxLostTransactions: number;
  };
  readonly watch: {
    readonly shard: string;
    readonly everyMs: number;
    readonly silenceMs: number;
    readonly observers: readonly string[];
    readonly heartbeatMs: number;
    /** 0: never. */
    readonly rehearsalMs: number;
  };
  /** Empty: no placement policy. */
  readonly countries: readonly string[];
  readonly lag: { readonly warnMs: number; readonly failMs: number };
  readonly continuity: { readonly outageMs: number; readonly verifiedMs: number; readonly testedMs: number };
  readonly alone: 'stop' | 'async';
  /** The event scheduler runs on the primary, and nowhere else. */
  readonly events: boolean;
}

export interface FilesetConfig {
  readonly name: string;
  readonly path: string;
  readonly everyMs: number;
  readonly marker: string;
  readonly maxDelete: number;
  /** 0: no limit. */
  readonly bandwidthKiBps: number;
  readonly compress: boolean;
}

export interface ClusterConfig {
  readonly name: string;
  /** In the order of the document. */
  readonly hosts: readonly HostConfig[];
  readonly witnesses: readonly WitnessConfig[];
  readonly vip: VipConfig;
  readonly replication: {
    readonly mode: 'semisync' | 'async';
    /** The password is a reference: {@link resolveSecret}. */
    readonly user: { readonly name: string; readonly password: string };
  };
  readonly policy: PolicyConfig;
  readonly files: readonly FilesetConfig[];
  /** Null: none is declared. */
  readonly backup: { readonly path: string; readonly withinMs: number } | null;
  readonly hooks: { readonly powerOff: readonly string[] | null };
}

export interface Inventory {
  /** The document that it was read from. */
  readonly path: string;
  readonly clusters: readonly ClusterConfig[];
  readonly access: {
    readonly ssh: { readonly user: string; readonly key: string; readonly knownHosts: string };
    readonly sql: { readonly user: string; readonly password: string };
  };
}

function toPolicy(raw: RawCluster['policy']): PolicyConfig {
  const { automatic, fence, cooldown, grace, salvage, maxLostTransactions } = raw.failover;
  const { shard, every, silence, observers, heartbeat, rehearsal } = raw.watch;
  return {
    failover: {
      automatic,
      fence,
      cooldownMs: durationMs(cooldown),
      graceMs: durationMs(grace),
      salvage,
      maxLostTransactions,
    },
    watch: {
      shard,
      everyMs: durationMs(every),
      silenceMs: durationMs(silence),
      observers,
      heartbeatMs: durationMs(heartbeat),
      rehearsalMs: durationMs(rehearsal),
    },
    countries: raw.placement?.countries ?? [],
    lag: { warnMs: durationMs(raw.lag.warn), failMs: durationMs(raw.lag.fail) },
    continuity: {
      outageMs: durationMs(raw.continuity.outage),
      verifiedMs: durationMs(raw.continuity.verified),
      testedMs: durationMs(raw.continuity.tested),
    },
    alone: raw.alone,
    events: raw.events,
  };
}

function toVip({ address, ...rest }: RawCluster['vip']): VipConfig {
  const [bare = '', prefix] = address.split('/');
  return { ...rest, address: bare, prefix: Number(prefix) };
}

function toCluster(name: string, raw: RawCluster, sites: RawInventory['sites']): ClusterConfig {
  return {
    name,
    hosts: Object.entries(raw.hosts).map(([host, value], index) => ({
      ...value,
      name: host,
      country: sites[value.site]?.country ?? '',
      serverId: value.serverId ?? index + 1,
    })),
    witnesses: Object.entries(raw.witnesses).map(([witness, value]) => ({ name: witness, ...value })),
    vip: toVip(raw.vip),
    replication: { mode: raw.replication.mode, user: raw.replication.user },
    policy: toPolicy(raw.policy),
    files: Object.entries(raw.files).map(([fileset, { every, ...value }]) => ({
      name: fileset,
      ...value,
      everyMs: durationMs(every),
    })),
    backup: raw.backup === undefined ? null : { path: raw.backup.path, withinMs: durationMs(raw.backup.within) },
    hooks: { powerOff: raw.hooks.powerOff ?? null },
  };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value;
}

export const toInventory = (path: string, raw: RawInventory): Inventory =>
  freeze({
    path,
    clusters: Object.entries(raw.clusters).map(([name, cluster]) => toCluster(name, cluster, raw.sites)),
    access: raw.access,
  });
