import { log } from '@temporalio/activity';
import { assembleHelper } from '../adapters/host/assemble.ts';
import { renderKeepalived } from '../adapters/keepalived.ts';
import { linesFor } from '../adapters/known-hosts.ts';
import type {
  ClusterPorts,
  Deadline,
  HelperPort,
  ObserversPort,
  Ports,
  ProofPort,
  RunbookPorts,
  RunsPort,
  WatchPorts,
} from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { runPowerHook } from '../adapters/power-hook.ts';
import { SqlPulse } from '../adapters/pulse.ts';
import type { SqlTarget } from '../adapters/sql.ts';
import { openSession } from '../adapters/sql.ts';
import { probeTcp } from '../adapters/tcp.ts';
import type { Declared } from '../domain/audit/facts.ts';
import type { ClusterDescription, HostName } from '../domain/cluster.ts';
import { explainStranger } from '../domain/cluster.ts';
import type { ClusterConfig, HostConfig, Inventory, WitnessConfig } from '../inventory/config.ts';
import { pinnedKeysIn } from './access.ts';
import { HelperChannels } from './helper-channels.ts';
import type { InventorySource, ManagedCluster } from './inventory-source.ts';
import { Secrets } from './secrets.ts';

export interface ClosablePorts extends WatchPorts, RunbookPorts {
  close(): void;
}

interface Plane {
  readonly owner: string;
  readonly runs: RunsPort;
  readonly proofs: ProofPort;
  readonly observers: ObserversPort;
}

/** Joins the inventory, the adapters and the control plane's identity: the only place that knows all three. */
export const createPorts = (inventory: InventorySource, { owner, runs, proofs, observers }: Plane): ClosablePorts => ({
  ...hostPorts(inventory, { owner, observers }, (why) => {
    log.warn(why);
  }),
  runs,
  proofs,
  watched: (shard) => inventory.shard(shard),
});

/** Sites are asked through Temporal, which whoever only looks can do without. */
const NOBODY_ELSEWHERE: ObserversPort = { look: () => Promise.resolve(null) };

/** For looking alone: a member takes no order without an owner. Who looks once reads a secret once. */
export const createLookingPorts = (inventory: InventorySource): Ports & Pick<ClosablePorts, 'close'> =>
  hostPorts(inventory, { owner: '', observers: NOBODY_ELSEWHERE }, () => undefined);

function hostPorts(
  inventory: InventorySource,
  plane: Pick<Plane, 'owner' | 'observers'>,
  onFault: (why: string) => void,
): Ports & Pick<ClosablePorts, 'close'> {
  const secrets = new Secrets(onFault);
  const channels = new HelperChannels(secrets);
  return {
    cluster: async (name) => portsOf(await inventory.cluster(name), { ...plane, channels, secrets }),
    close: () => {
      channels.close();
    },
  };
}

interface Shared extends Pick<Plane, 'owner' | 'observers'> {
  readonly channels: HelperChannels;
  readonly secrets: Secrets;
}

/** A site that has not answered by then cannot say. */
const lookWithinMs = ({ silenceMs }: ClusterConfig['policy']['watch']): number => Math.max(1_000, 2 * silenceMs);

function portsOf(managed: ManagedCluster, { owner, observers, channels, secrets }: Shared): ClusterPorts {
  const { config, access } = managed;
  const target = async (host: HostName): Promise<SqlTarget> => {
    const { address, port } = hostOf(config, host);
    return { host, address, port, ...(await sqlLogin(access, secrets, host)) };
  };
  return {
    description: describe(config),
    owner,
    operationAccount: access.sql.user,
    vip: config.vip,
    events: config.policy.events,
    declared: declaredIn(config, access),
    filesets: config.files,
    sshUser: access.ssh.user,
    helper: (host): HelperPort => channels.to(memberOf(config, host), access.ssh),
    session: async (host, deadline) => openSession(await target(host), deadline),
    pulse: (host) => new SqlPulse(host, () => target(host)),
    seenFrom: (site, host) => observers.look(site, { cluster: config.name, host }, lookWithinMs(config.policy.watch)),
    vipSession: async (deadline?: Deadline) => {
      const { port } = firstOf(config);
      const login = await sqlLogin(access, secrets, 'the VIP');
      return openSession({ host: 'the VIP', address: config.vip.address, port, ...login }, deadline);
    },
    endpoint: (host) => {
      const { address, port } = hostOf(config, host);
      return { address, port };
    },
    sshPort: (host) => hostOf(config, host).sshPort,
    isThere: async (host, timeoutMs) => {
      const { address, sshPort } = memberOf(config, host);
      return (await probeTcp({ address, port: sshPort }, timeoutMs)) !== 'silent';
    },
    nameOf: (address) => config.hosts.find((host) => host.address === address)?.name ?? null,
    replicationAccount: async () => {
      const { name, password } = config.replication.user;
      return {
        name,
        password: await secrets.read(password, { place: 'replication.user.password', host: config.name }),
      };
    },
    keepalivedConfiguration: (host) => keepalivedOf(config, host),
    helperScript: assembleHelper,
    pinnedKeys: async (host) => {
      const { address, sshPort } = memberOf(config, host);
      return linesFor(await pinnedKeysIn(access.ssh.knownHosts, host), address, sshPort).join('\n');
    },
    powerOff: (host, deadline) => runPowerHook(config.hooks.powerOff, host, deadline),
  };
}

const sqlLogin = async (
  { sql }: Inventory['access'],
  secrets: Secrets,
  host: HostName,
): Promise<{ readonly user: string; readonly password: string }> => ({
  user: sql.user,
  password: await secrets.read(sql.password, { place: 'access.sql.password', host }),
});

function hostOf(config: ClusterConfig, name: HostName): HostConfig {
  const host = config.hosts.find((candidate) => candidate.name === name);
  if (host !== undefined) return host;
  const message = explainStranger({ cluster: config.name, hosts: config.hosts }, name) ?? '';
  throw new AdapterFailure({ type: 'BadInput', host: name, message });
}

const memberOf = (config: ClusterConfig, name: HostName): HostConfig | WitnessConfig =>
  config.witnesses.find((witness) => witness.name === name) ?? hostOf(config, name);

function firstOf(config: ClusterConfig): HostConfig {
  const [first] = config.hosts;
  if (first === undefined) throw new Error(`${config.name} has no hosts, which the inventory's schema forbids`);
  return first;
}

const describe = (config: ClusterConfig): ClusterDescription => ({
  cluster: config.name,
  hosts: config.hosts.map(({ name, site, country, rank, promotable, serverId }) => ({
    ...{ name, site, country, rank, promotable, serverId },
  })),
  witnesses: config.witnesses.map((witness) => witness.name),
  mode: config.replication.mode,
  alone: config.policy.alone,
  fence: config.policy.failover.fence,
  salvage: config.policy.failover.salvage,
  mayLose: config.policy.failover.maxLostTransactions,
  lag: config.policy.lag,
  watch: {
    everyMs: config.policy.watch.everyMs,
    silenceMs: config.policy.watch.silenceMs,
    observers: config.policy.watch.observers,
    heartbeatMs: config.policy.watch.heartbeatMs,
    rehearsalMs: config.policy.watch.rehearsalMs,
    automatic: config.policy.failover.automatic,
    graceMs: config.policy.failover.graceMs,
    cooldownMs: config.policy.failover.cooldownMs,
  },
  countries: config.policy.countries,
});

function declaredIn(config: ClusterConfig, access: Inventory['access']): Declared {
  const { backup, policy, replication, vip } = config;
  const { outageMs, verifiedMs, testedMs } = policy.continuity;
  return {
    vip: { address: vip.address, interface: vip.interface, driver: vip.driver },
    addresses: Object.fromEntries(config.hosts.map(({ name, address }) => [name, address])),
    accounts: { operation: access.sql.user, replication: replication.user.name },
    events: policy.events,
    backup: backup === null ? null : { path: backup.path, withinSeconds: backup.withinMs / 1_000 },
    outageSeconds: outageMs / 1_000,
    verifiedWithinSeconds: verifiedMs / 1_000,
    failedOverWithinSeconds: testedMs / 1_000,
  };
}

function keepalivedOf(config: ClusterConfig, name: HostName): string | null {
  const { address, prefix, interface: device, routerId, driver } = config.vip;
  if (driver === 'direct') return null;
  if (routerId === undefined) throw new Error(`${config.name} has no router ID, which the inventory's checks forbid`);
  return renderKeepalived({
    self: hostOf(config, name),
    peers: config.hosts.filter((host) => host.name !== name),
    vip: { address: `${address}/${String(prefix)}`, interface: device, routerId },
  });
}
