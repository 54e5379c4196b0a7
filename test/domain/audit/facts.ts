import type {
  AuditFacts,
  HostFacts,
  LinkFacts,
  MachineFacts,
  NextStart,
  Seen,
  ServerFacts,
} from '../../../domain/audit/facts.ts';
import { notSeen, seen } from '../../../domain/audit/facts.ts';
import { OPERATION_PRIVILEGES } from '../../../domain/accounts.ts';
import type { KeepalivedConfiguration, VrrpInstance } from '../../../domain/audit/keepalived-facts.ts';
import type { HostName } from '../../../domain/cluster.ts';
import { DB1, DB2, DB3, replicaStatus, serverStatus, SHOP } from '../shop.ts';

/** A shop in good order, as an audit sees it. Each test changes the one fact that it is about. */
const ADDRESSES: Readonly<Record<HostName, string>> = { db1: '10.0.0.1', db2: '10.0.0.2', db3: '10.0.0.3' };
export const VIP = '192.168.10.50';
const NONE = { count: 0, names: [] };

const SETTINGS = {
  binlog_expire_logs_seconds: '864000',
  relay_log_purge: 'ON',
  relay_log_recovery: 'OFF',
  max_connections: '151',
  max_user_connections: '0',
  slave_net_timeout: '4',
  slave_transaction_retries: '10',
  sync_binlog: '1',
};

export const account = (user: string, privileges: readonly string[], from = '10.0.0.%') => ({
  ...{ name: `${user}@${from}`, user, from, locked: false, proves: true },
  privileges,
  withinReach: privileges,
  mostConnections: 40,
});

export const server = (host: HostName, changes: Partial<ServerFacts> = {}): ServerFacts => ({
  status: host === 'db1' ? serverStatus({ eventScheduler: false }) : replicaStatus(host === 'db2' ? DB2 : DB3),
  uid: `uid-${host}`,
  settings: SETTINGS,
  binlogFilters: { onlyDatabases: '', ignoredDatabases: '' },
  connection: host === 'db1' ? { retrySeconds: null, encrypted: null } : { retrySeconds: 1, encrypted: true },
  offersTls: true,
  accounts: [account('standfast', OPERATION_PRIVILEGES), account('repl', ['REPLICATION SLAVE']), account('app', [])],
  tables: { withoutPrimaryKey: NONE, nonTransactional: NONE },
  enabledEvents: NONE,
  binlogBytesPerSecond: 1_000,
  ...changes,
});

export const nextStart = (
  settings: Readonly<Record<string, string>> = {},
  filters: readonly string[] = [],
): NextStart => ({
  settings: {
    ...SETTINGS,
    ...{ read_only: 'ON', event_scheduler: 'OFF', skip_slave_start: 'ON', master_retry_count: '100000' },
    ...settings,
  },
  filters,
  errors: [],
});

export const machine = (host: HostName, changes: Partial<MachineFacts> = {}): MachineFacts => ({
  machineId: `machine-${host}`,
  bootedAtSeconds: 1_700_000_000 + 60 * Number(host.slice(2)),
  linkMbits: 1_000,
  serverProgram: 'mariadbd',
  keepalivedRuns: true,
  addresses: [ADDRESSES[host] ?? '', ...(host === 'db1' ? [VIP] : [])],
  clock: { offsetMs: 0, errorMs: 5 },
  sudo: ['(root) NOPASSWD: /usr/local/sbin/standfast-host'],
  unrestrictedKeys: 0,
  sshd: { passwordauthentication: 'no', permitrootlogin: 'no' },
  modes: [
    { path: '/usr/local/sbin/standfast-host', mode: '755', owner: 'root' },
    { path: '/var/lib/mysql/master.info', mode: '660', owner: 'mysql' },
    { path: '/etc/keepalived/keepalived.conf', mode: '644', owner: 'root' },
  ],
  helperVersion: 'v1',
  ...changes,
});

export const instance = (host: HostName, changes: Partial<VrrpInstance> = {}): VrrpInstance => ({
  ...{ name: 'VIP', state: 'BACKUP', interface: 'eth0', routerId: 51, priority: 240, advertSeconds: 0.1 },
  nopreempt: false,
  peers: Object.entries(ADDRESSES).flatMap(([name, address]) => (name === host ? [] : [address])),
  sourceAddress: ADDRESSES[host] ?? '',
  addresses: [VIP],
  trackedScripts: [],
  trackedFiles: [
    { name: 'epoch', weight: null },
    { name: 'role', weight: null },
  ],
  ...{ authType: '', passwordNumber: null, passwordTooLong: false },
  ...changes,
});

export const keepalived = (
  host: HostName,
  changes: Partial<VrrpInstance> = {},
  whole: Partial<KeepalivedConfiguration> = {},
): KeepalivedConfiguration => ({
  instances: [instance(host, changes)],
  scripts: [],
  trackFiles: [
    { name: 'epoch', file: '/run/vip-role', weight: 1, reverse: false },
    { name: 'role', file: '/run/vip-role', weight: 0, reverse: true },
  ],
  ...{ vrrpVersion: 3, scriptSecurity: true, unread: [], faults: [] },
  ...whole,
});

const host = (name: HostName): HostFacts => ({
  host: name,
  isDatabase: true,
  machine: seen(machine(name)),
  server: seen(server(name)),
  nextStart: seen(nextStart()),
  keepalived: seen(keepalived(name)),
  backup: seen({ newest: { ageSeconds: 3_600, bytes: 1_000, file: 'full.xb' } }),
  pinnedKeys: seen(1),
});

export const link = (from: HostName, to: HostName, p50Ms = 0.2): LinkFacts => ({
  from,
  to,
  roundTrip: seen({ p50Ms, p99Ms: 2 * p50Ms, samples: 20 }),
});

export const HEALTHY: AuditFacts = {
  cluster: { ...SHOP, hosts: [DB1, DB2, { ...DB3, site: 'oslo-c' }] },
  declared: {
    vip: { address: VIP, interface: 'eth0', driver: 'keepalived' },
    addresses: ADDRESSES,
    accounts: { operation: 'standfast', replication: 'repl' },
    events: false,
    backup: { path: '/var/backups', withinSeconds: 93_600 },
    outageSeconds: 86_400,
    verifiedWithinSeconds: 900,
    failedOverWithinSeconds: 7_776_000,
  },
  at: '2026-11-28T12:00:00.000Z',
  helperVersion: 'v1',
  primary: seen('db1'),
  isRecorded: true,
  hosts: [host('db1'), host('db2'), host('db3')],
  links: [link('db1', 'db2'), link('db2', 'db1'), link('db1', 'db3')],
  proof: seen({ verifiedAt: '2026-11-28T11:55:00.000Z', failedOverAt: '2026-11-01T12:00:00.000Z' }),
};

/** The shop with one host otherwise. */
export const withHost = (name: HostName, changes: Partial<HostFacts>, facts = HEALTHY): AuditFacts => ({
  ...facts,
  hosts: facts.hosts.map((one) => (one.host === name ? { ...one, ...changes } : one)),
});

export const withServer = (name: HostName, changes: Partial<ServerFacts>): AuditFacts =>
  withHost(name, { server: seen(server(name, changes)) });
export const withStatus = (name: HostName, changes: Partial<ServerFacts['status']>): AuditFacts =>
  withServer(name, { status: { ...server(name).status, ...changes } });
export const withSettings = (name: HostName, changes: Readonly<Record<string, string>>): AuditFacts =>
  withServer(name, { settings: { ...SETTINGS, ...changes } });
export const withMachine = (name: HostName, changes: Partial<MachineFacts>): AuditFacts =>
  withHost(name, { machine: seen(machine(name, changes)) });
export const withInstances = (
  changes: Readonly<Record<HostName, Partial<VrrpInstance>>>,
  whole: Partial<KeepalivedConfiguration> = {},
): AuditFacts => ({
  ...HEALTHY,
  hosts: HEALTHY.hosts.map((one) =>
    changes[one.host] === undefined
      ? one
      : { ...one, keepalived: seen(keepalived(one.host, changes[one.host], whole)) },
  ),
});

/** Everything that can be unseen, each by the name of its place. */
export const SIGHTS: readonly string[] = [
  'primary',
  'proof',
  ...HEALTHY.links.map(({ from, to }) => `${from}/${to}`),
  ...HEALTHY.hosts.flatMap(({ host: name }) =>
    ['machine', 'server', 'nextStart', 'keepalived', 'backup', 'pinnedKeys'].map((part) => `${name}.${part}`),
  ),
];

/** The same facts with some of them unseen. */
export function hide(facts: AuditFacts, hidden: readonly string[]): AuditFacts {
  const shown = <T>(name: string, one: Seen<T>): Seen<T> => (hidden.includes(name) ? notSeen('no answer') : one);
  return {
    ...facts,
    primary: shown('primary', facts.primary),
    proof: shown('proof', facts.proof),
    links: facts.links.map((one) => ({ ...one, roundTrip: shown(`${one.from}/${one.to}`, one.roundTrip) })),
    hosts: facts.hosts.map((one) => ({
      ...one,
      machine: shown(`${one.host}.machine`, one.machine),
      server: shown(`${one.host}.server`, one.server),
      nextStart: shown(`${one.host}.nextStart`, one.nextStart),
      keepalived: shown(`${one.host}.keepalived`, one.keepalived),
      backup: shown(`${one.host}.backup`, one.backup),
      pinnedKeys: shown(`${one.host}.pinnedKeys`, one.pinnedKeys),
    })),
  };
}
