import type { AuditFacts } from '../../../domain/audit/facts.ts';
import { seen } from '../../../domain/audit/facts.ts';
import { OPERATION_PRIVILEGES } from '../../../domain/accounts.ts';
import { channel, foreign } from '../shop.ts';
import {
  account,
  HEALTHY,
  instance,
  keepalived,
  link,
  nextStart,
  server,
  VIP,
  withHost,
  withInstances,
  withMachine,
  withServer,
  withSettings,
  withStatus,
} from './facts.ts';

/** For each rule a cluster that breaks it: the facts, where, and a part of what is found. */
export type Breakage = readonly [code: string, facts: AuditFacts, where: string, found: RegExp];

const status = (host: string) => server(host).status;
const withAccounts = (...more: readonly ReturnType<typeof account>[]): AuditFacts =>
  withServer('db1', { accounts: [...server('db1').accounts, ...more] });
const electing = { trackedFiles: [], priority: 101 };
const check = (command: string, weight = 2) => ({
  scripts: [{ name: 'chk', command, weight }],
});
const tracked = { ...electing, trackedScripts: [{ name: 'chk', weight: null }] };
const declaring = (changes: Partial<AuditFacts['declared']>): AuditFacts => ({
  ...HEALTHY,
  declared: { ...HEALTHY.declared, ...changes },
});
const never = (...names: readonly string[]): AuditFacts => ({
  ...HEALTHY,
  cluster: {
    ...HEALTHY.cluster,
    hosts: HEALTHY.cluster.hosts.map((one) => ({ ...one, promotable: !names.includes(one.name) })),
  },
});
const standing = (name: string, changes: object): AuditFacts => ({
  ...HEALTHY,
  cluster: {
    ...HEALTHY.cluster,
    hosts: HEALTHY.cluster.hosts.map((one) => (one.name === name ? { ...one, ...changes } : one)),
  },
});
const proven = (changes: object): AuditFacts => ({
  ...HEALTHY,
  proof: seen({ verifiedAt: HEALTHY.at, failedOverAt: HEALTHY.at, ...changes }),
});
const followingNobody = {
  ...HEALTHY,
  hosts: HEALTHY.hosts.map((one) => ({
    ...one,
    server: seen({ ...server(one.host), status: { ...status(one.host), replication: null } }),
  })),
};

const SERVERS: readonly Breakage[] = [
  ['ServerIdShared', withStatus('db2', { serverId: 1 }), 'db2', /server_id 1, as on db1/],
  ['ServerUidShared', withServer('db2', { uid: 'uid-db1' }), 'db2', /uid-db1, as on db1/],
  ['ServerIdDiffers', withStatus('db1', { serverId: 101 }), 'db1', /server_id 101/],
  ['BinlogOff', withStatus('db2', { binlog: { ...status('db2').binlog, enabled: false } }), 'db2', /log_bin=OFF/],
  ['BinlogNotSynced', withStatus('db2', { binlog: { ...status('db2').binlog, sync: 0 } }), 'db2', /sync_binlog=0/],
  ['CommitNotFlushed', withStatus('db3', { flushLogAtCommit: 2 }), 'db3', /trx_commit=2/],
  ['BinlogFormat', withStatus('db1', { binlog: { ...status('db1').binlog, format: 'MIXED' } }), 'db1', /MIXED/],
  [
    'ReplicatedNotLogged',
    withStatus('db2', { binlog: { ...status('db2').binlog, logsReplicated: false } }),
    'db2',
    /OFF/,
  ],
  [
    'BinlogFiltered',
    withServer('db1', { binlogFilters: { onlyDatabases: 'production_db', ignoredDatabases: '' } }),
    'db1',
    /binlog_do_db=production_db: `UPDATE other\.t SET …` is in no binary log/,
  ],
  [
    'ReplicationFiltered',
    withStatus('db2', { replication: channel({ filters: ['Replicate_Ignore_DB=tmp'] }) }),
    'db2',
    /replicate_ignore_db=tmp: `UPDATE tmp\.t SET …` is not carried out here/,
  ],
  ['BinlogRetention', withSettings('db1', { binlog_expire_logs_seconds: '3600' }), 'db1', /removed after 1 h/],
  [
    'SemiSyncMode',
    withStatus('db1', { semiSync: { ...status('db1').semiSync, primaryEnabled: false } }),
    'db1',
    /semi-sync is switched off/,
  ],
  ['VersionsDiffer', withStatus('db3', { version: '11.8.6-MariaDB' }), 'db3', /11\.8\.6/],
  ['TimeZonesDiffer', withStatus('db3', { timeZone: 'Europe/Oslo' }), 'db3', /Europe\/Oslo/],
  ['TableNamesDiffer', withStatus('db3', { lowerCaseTableNames: 1 }), 'db3', /1/],
  ['EventsOnReplica', withStatus('db2', { eventScheduler: true }), 'db2', /event_scheduler=ON/],
  ['ReplicaOpen', withStatus('db2', { readOnly: false }), 'db2', /read_only=OFF/],
  ['FollowsNobody', withStatus('db2', { replication: null }), 'db2', /no replication channel/],
  ['FollowsAnother', withStatus('db2', { replication: channel({ source: 'db3' }) }), 'db2', /it follows db3/],
  ['ForeignChannel', withStatus('db2', { otherChannels: [foreign()] }), 'db2', /"b" from db1/],
  ['ReplicationStopped', withStatus('db2', { replication: channel({ applier: 'stopped' }) }), 'db2', /applier stopped/],
  ['PositionsNotGtid', withStatus('db2', { replication: channel({ usesGtid: false }) }), 'db2', /file and position/],
  ['GtidNotStrict', withStatus('db2', { gtidStrictMode: false }), 'db2', /gtid_strict_mode=OFF/],
  [
    'DelayedReplica',
    withStatus('db2', { replication: channel({ delaySeconds: 3600 }) }),
    'db2',
    /3600 s behind on purpose/,
  ],
  [
    'BinlogEncrypted',
    withStatus('db2', { binlog: { ...status('db2').binlog, encrypted: true } }),
    'db2',
    /encrypt_binlog=ON/,
  ],
  ['RelayLogRecovery', withSettings('db2', { relay_log_recovery: 'ON' }), 'db2', /relay_log_recovery=ON/],
  ['RelayLogsKept', withSettings('db2', { relay_log_purge: 'OFF' }), 'db2', /relay_log_purge=OFF/],
  ['DeadLinkUnnoticed', withSettings('db2', { slave_net_timeout: '60' }), 'db2', /slave_net_timeout=60/],
  [
    'HeartbeatsRare',
    withStatus('db2', { replication: channel({ heartbeatPeriodSeconds: 30 }) }),
    'db2',
    /MASTER_HEARTBEAT_PERIOD=30/,
  ],
  ['DeadlockStops', withSettings('db2', { slave_transaction_retries: '0' }), 'db2', /slave_transaction_retries=0/],
  [
    'ReceiverGivesUp',
    withHost('db2', { nextStart: seen(nextStart({ master_retry_count: '10' })) }),
    'db2',
    /after 10 tries/,
  ],
  [
    'ReplicationInClear',
    withServer('db2', { connection: { retrySeconds: 1, encrypted: false } }),
    'db2',
    /not encrypted/,
  ],
  ['ServerWithoutTls', withServer('db2', { offersTls: false }), 'db2', /have_ssl/],
  [
    'OperationPrivileges',
    withServer('db1', {
      accounts: [account('standfast', OPERATION_PRIVILEGES.slice(1)), account('repl', ['REPLICATION SLAVE'])],
    }),
    'db1',
    /standfast lacks SELECT/,
  ],
  [
    'ReplicationAccountMissing',
    withServer('db1', { accounts: [account('standfast', OPERATION_PRIVILEGES)] }),
    'db1',
    /no account repl/,
  ],
  [
    'AckersLockedOut',
    withAccounts({ ...account('shop', []), mostConnections: 0 }),
    'db1',
    /each of shop@10\.0\.0\.% may take all 151/,
  ],
  ['ReplicationAccountCanMore', withAccounts(account('repl', ['SELECT'], '%')), 'db1', /SELECT/],
  [
    'PrivilegedWriter',
    withAccounts({ ...account('shop', []), withinReach: ['READ_ONLY ADMIN'] }),
    'db1',
    /shop@10\.0\.0\.%/,
  ],
  ['AccountWithoutPassword', withAccounts({ ...account('', []), proves: false }), 'db1', /@10/],
  ['AccountFromAnywhere', withAccounts(account('admin', ['SUPER'], '%')), 'db1', /admin@%/],
  [
    'NoPrimaryKey',
    withServer('db1', {
      tables: { ...server('db1').tables, withoutPrimaryKey: { count: 5, names: ['a.b', 'a.c', 'a.d', 'a.e'] } },
    }),
    'db1',
    /5 tables: a\.b, a\.c, a\.d and 2 more/,
  ],
  [
    'NotTransactional',
    withServer('db1', { tables: { ...server('db1').tables, nonTransactional: { count: 1, names: ['a.b'] } } }),
    'db1',
    /1 tables: a\.b/,
  ],
  [
    'EventsUndeclared',
    withServer('db1', {
      enabledEvents: { count: 1, names: ['shop.tidy'] },
      status: { ...status('db1'), eventScheduler: true },
    }),
    'db1',
    /shop\.tidy/,
  ],
];

const FILES: readonly Breakage[] = [
  [
    'WouldNotStart',
    withHost('db1', { nextStart: seen({ ...nextStart(), errors: ['mariadbd: unknown variable'] }) }),
    'db1',
    /unknown variable/,
  ],
  [
    'BootsOpen',
    withHost('db1', { nextStart: seen(nextStart({ read_only: 'OFF' })) }),
    'db1',
    /read_only=OFF at the next start/,
  ],
  [
    'BootsWithEvents',
    withHost('db1', { nextStart: seen(nextStart({ event_scheduler: 'ON' })) }),
    'db1',
    /event_scheduler=ON/,
  ],
  [
    'BootsReplicating',
    withHost('db2', { nextStart: seen(nextStart({ skip_slave_start: 'OFF' })) }),
    'db2',
    /starts with the server/,
  ],
  [
    'ChangesAtRestart',
    withHost('db2', { nextStart: seen(nextStart({ sync_binlog: '0' })) }),
    'db2',
    /sync_binlog=1 becomes 0/,
  ],
  [
    'FilterAtRestart',
    withHost('db1', { nextStart: seen(nextStart({}, ['binlog_do_db=shop'])) }),
    'db1',
    /binlog_do_db=shop/,
  ],
];

const FLOATING: readonly Breakage[] = [
  ['KeepalivedElects', withInstances({ db1: electing }), 'db1', /priority 101: VRRP alone decides/],
  [
    'VipTakenBack',
    withInstances({ db1: { ...electing, state: 'MASTER' }, db2: { ...electing, priority: 100 } }),
    'db1',
    /no nopreempt/,
  ],
  [
    'CheckNeverMatches',
    withInstances({ db1: tracked }, check('/usr/bin/killall -0 mysqld')),
    'db1',
    /asks for a process mysqld .*, and the server is mariadbd/,
  ],
  ['CheckSeesProcessOnly', withInstances({ db1: tracked }, check('pidof mariadbd')), 'db1', /pidof mariadbd/],
  [
    'WeightChangesNothing',
    withInstances(
      { db1: { ...tracked, priority: 150 }, db2: { ...tracked, priority: 100 }, db3: { ...tracked, priority: 99 } },
      check('killall -0 mariadbd'),
    ),
    'db1',
    /priority 150 against 100, and chk weighs 2/,
  ],
  [
    'VrrpPassword',
    withInstances({ db1: { authType: 'PASS', passwordNumber: 1, passwordTooLong: true } }),
    'db1',
    /PASS, with a password that is cut/,
  ],
  ['VrrpUnlike', withInstances({ db2: { routerId: 52 } }), 'db2', /virtual_router_id: 52/],
  ['VrrpPeers', withInstances({ db2: { peers: ['10.0.0.1'] } }), 'db2', /does not tell 10\.0\.0\.3/],
  ['EqualPriorities', withInstances({ db1: electing, db2: electing }), 'db1', /priority 101, as on db2/],
  [
    'TrackingFailsOpen',
    withInstances({ db1: { trackedFiles: [{ name: 'rolle', weight: null }] } }),
    'db1',
    /rolle is defined nowhere/,
  ],
  [
    'ScriptsUnsafe',
    withInstances({ db1: {} }, { ...check('/x'), scriptSecurity: false }),
    'db1',
    /without enable_script_security/,
  ],
  ['VrrpInterface', withInstances({ db3: { interface: 'eth1' } }), 'db3', /eth1/],
  [
    'VipUnguarded',
    withHost('db2', { keepalived: seen(keepalived('db2', {}, { instances: [instance('db2', { addresses: [] })] })) }),
    'db2',
    /no instance/,
  ],
  ['KeepalivedStopped', withMachine('db2', { keepalivedRuns: false }), 'db2', /does not run/],
  ['VipMisplaced', withMachine('db2', { addresses: ['10.0.0.2', VIP] }), 'db2', /db2 holds/],
  ['VipNowhere', withMachine('db1', { addresses: ['10.0.0.1'] }), 'shop', /nobody holds/],
];

const PLACES: readonly Breakage[] = [
  ['CountryOutside', standing('db2', { country: 'SE', site: 'malmo' }), 'db2', /SE \(site malmo\)/],
  ['SameMachine', withMachine('db2', { machineId: 'machine-db1' }), 'db2', /machine ID of db1/],
  ['SameSite', standing('db2', { site: 'oslo-a' }), 'db2', /at oslo-a with db1/],
  [
    'LatencyHigh',
    { ...HEALTHY, links: [link('db1', 'db2', 110)] },
    'db1/db2',
    /110 ms round trip .* at most 9 commits\/s/,
  ],
  ['LatencyLow', { ...HEALTHY, links: [link('db1', 'db2', 25)] }, 'db1/db2', /at most 40 commits\/s on one connection/],
  ['LinkBusy', withServer('db1', { binlogBytesPerSecond: 100_000_000 }), 'db1/db2', /80 % of the link/],
  ['NotInCare', { ...HEALTHY, isRecorded: false }, 'shop', /db1 by what the servers say/],
  ['NoBackup', declaring({ backup: null }), 'shop', /no backup is declared/],
  [
    'BackupOld',
    { ...HEALTHY, hosts: HEALTHY.hosts.map((one) => ({ ...one, backup: seen({ newest: null }) })) },
    'shop',
    /nothing at \/var\/backups/,
  ],
  ['NoStandby', followingNobody, 'shop', /no server follows/],
  ['NobodyPromotable', never('db2', 'db3'), 'shop', /promotable: false on db2, db3/],
  ['PrimaryNotPromotable', never('db1'), 'db1', /on the primary/],
  [
    'LosslessWithoutAckers',
    withStatus('db1', { semiSync: { ...status('db1').semiSync, clients: 0 } }),
    'db1',
    /no replica acknowledges/,
  ],
  ['NotVerified', proven({ verifiedAt: '2026-11-28T09:00:00.000Z' }), 'shop', /3 h ago/],
  ['NeverTested', proven({ failedOverAt: null }), 'shop', /never/],
];

const INSIDE: readonly Breakage[] = [
  ['HostKeyUnpinned', withHost('db2', { pinnedKeys: seen(0) }), 'db2', /no key/],
  ['HelperOther', withMachine('db2', { helperVersion: 'v0' }), 'db2', /version v0/],
  ['SudoRule', withMachine('db2', { sudo: ['(ALL) NOPASSWD: ALL'] }), 'db2', /ALL/],
  ['AccountKeys', withMachine('db2', { unrestrictedKeys: 2 }), 'db2', /2 without restrict/],
  [
    'SshPasswords',
    withMachine('db2', { sshd: { passwordauthentication: 'yes', permitrootlogin: 'no' } }),
    'db2',
    /yes/,
  ],
  ['SshRoot', withMachine('db2', { sshd: { passwordauthentication: 'no', permitrootlogin: 'yes' } }), 'db2', /yes/],
  [
    'FileModes',
    withMachine('db2', { modes: [{ path: '/var/lib/mysql/master.info', mode: '664', owner: 'mysql' }] }),
    'db2',
    /master\.info is 664/,
  ],
  ['ClocksDiffer', withMachine('db2', { clock: { offsetMs: 2_000, errorMs: 10 } }), 'db2', /2000 ms apart/],
];

export const BREAKAGES: readonly Breakage[] = [...SERVERS, ...FILES, ...FLOATING, ...PLACES, ...INSIDE];
