import type { HelperAnswerFields, Row } from '../../../adapters/ports.ts';
import { renderKeepalived } from '../../../adapters/keepalived.ts';
import type { Declared, Proof } from '../../../domain/audit/facts.ts';
import { OPERATION_PRIVILEGES } from '../../../domain/accounts.ts';
import type { ClusterDescription, HostName } from '../../../domain/cluster.ts';
import { addressOf, VIP } from './address.ts';

/** What the inventory of the simulated shop says to an audit. */
export const declaredOf = ({ hosts }: ClusterDescription): Declared => ({
  vip: { address: VIP, interface: 'eth0', driver: 'keepalived' },
  addresses: Object.fromEntries(hosts.map(({ name }) => [name, addressOf(name)])),
  accounts: { operation: 'standfast', replication: 'repl' },
  events: false,
  backup: { path: '/var/backups', withinSeconds: 93_600 },
  outageSeconds: 86_400,
  verifiedWithinSeconds: 900,
  failedOverWithinSeconds: 7_776_000,
});

export const provenNow = (): Proof => ({
  verifiedAt: new Date().toISOString(),
  failedOverAt: new Date().toISOString(),
});

const keepalivedOf = (self: HostName, hosts: readonly HostName[]): string =>
  renderKeepalived({
    self: { name: self, address: addressOf(self) },
    peers: hosts.filter((name) => name !== self).map((name) => ({ address: addressOf(name) })),
    vip: { address: `${VIP}/24`, interface: 'eth0', routerId: 51 },
  });

/** As every server of the simulation has them. */
export const AUDIT_VARIABLES = {
  binlog_expire_logs_seconds: '864000',
  max_connections: '151',
  max_user_connections: '0',
  relay_log_purge: 'ON',
  relay_log_recovery: 'OFF',
  slave_net_timeout: '4',
  slave_transaction_retries: '10',
};

type Look = (host: HostName, holdsVip: boolean) => HelperAnswerFields;

/** What the helper of a host in good order says to an audit. */
export const AUDIT_LOOKS: Readonly<Record<string, Look>> = {
  'audit-host': (host, holdsVip) => ({
    machine: `machine-${host}`,
    boot_seconds: String(1_700_000_000 + 60 * Number(host.slice(2))),
    memory_kb: '8000000',
    cpus: '2',
    link_mbits: '1000',
    server_program: 'mariadbd',
    keepalived: 'running',
    addresses: [addressOf(host), ...(holdsVip ? [VIP] : [])].join(','),
    sudo: '(root) NOPASSWD: /usr/local/sbin/standfast-host',
    unrestricted_keys: '0',
    sshd: 'permitrootlogin=no,passwordauthentication=no,permitemptypasswords=no',
    modes: '700 root /var/lib/standfast\n755 root /usr/local/sbin/standfast-host',
  }),
  'audit-settings': (host) => ({
    values: Object.entries({
      server_id: host.replace(/\D/g, ''),
      ...AUDIT_VARIABLES,
      ...{ read_only: 'TRUE', event_scheduler: 'OFF', skip_slave_start: 'TRUE', log_bin: 'mariadb-bin' },
      master_retry_count: '100000',
    })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    filters: '',
  }),
  'audit-keepalived': (host) => ({ '/etc/keepalived/keepalived.conf': keepalivedOf(host, ['db1', 'db2', 'db3']) }),
  'round-trip': () => ({ by: 'tcp', samples: Array.from({ length: 20 }, (_, index) => String(200 + index)).join(',') }),
  'backup-age': () => ({ newest: String(Math.floor(Date.now() / 1_000) - 60), bytes: '1000', file: 'full.xb' }),
};

const privilege = (user: string, name: string): Row => ({ grantee: `'${user}'@'10.0.0.%'`, privilege: name });
const account = (user: string): Row => ({
  user,
  host: '10.0.0.%',
  locked: '0',
  most: '0',
  isRole: 0,
  role: '',
  open: 0,
});

/** What a server in good order answers to the statements of an audit. */
export const AUDIT_STATEMENTS: readonly { readonly form: RegExp; readonly run: () => readonly Row[] }[] = [
  { form: /^SHOW MASTER STATUS$/, run: () => [{ File: 'mariadb-bin.000001', Binlog_Do_DB: '', Binlog_Ignore_DB: '' }] },
  { form: /^SELECT User AS user, Host AS host, Role AS role FROM mysql.roles_mapping$/, run: () => [] },
  { form: /^SELECT User AS user, Host AS host/, run: () => [account('standfast'), account('repl')] },
  {
    form: /^SELECT GRANTEE AS grantee/,
    run: () => [
      ...OPERATION_PRIVILEGES.map((name) => privilege('standfast', name)),
      privilege('repl', 'REPLICATION SLAVE'),
    ],
  },
  { form: /^SELECT CONCAT\((t.TABLE_SCHEMA|db,)/, run: () => [] },
  { form: /^SELECT @@GLOBAL.log_bin AS log/, run: () => [{ log: 1, bytes: '1000' }] },
];
