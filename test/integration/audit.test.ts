import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuditFinding } from '../../client/index.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Lab } from '../../lab/lab.ts';
import { run } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();
const shop = { cluster: 'shop' };

const named = (findings: readonly AuditFinding[]): readonly string[] =>
  findings.map(({ where, code }) => `${where} ${code}`).toSorted();

const write = async (lab: Lab, [host, path, text]: readonly [string, string, string]): Promise<void> => {
  const put = await lab.host(host).exec(['tee', path], { input: text });
  expect(put).toMatchObject({ exitCode: 0 });
};
/** In the last file that its server reads. */
const configure = (lab: Lab, host: string, settings: string): Promise<void> =>
  write(lab, [host, '/etc/mysql/mariadb.conf.d/zzz-site.cnf', `[mysqld]\n${settings}\n`]);
const sql = (lab: Lab, host: string, statement: string) => lab.host(host).sql(statement);

/** As the guides write it: keepalived elects, and its check asks for a program of another name. */
const classicKeepalived = (lab: Lab, state: string, priority: number): string => `
! Configuration File for keepalived
vrrp_script chk_mysql {
    script "/usr/bin/killall -0 mysqld"   # verify the pid existence
    interval 2
    weight 2
}
vrrp_instance VI_1 {
    state ${state}
    interface eth0
    virtual_router_id 51
    priority ${String(priority)}
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret-password
    }
    track_script {
        chk_mysql
    }
    virtual_ipaddress {
        ${lab.vip}
    }
}
`;

/** What the lab itself cannot do better: all of its hosts share one kernel, and nothing in it is encrypted or backed up. */
const OF_EVERY_LAB = [
  ...['db1', 'db2', 'db3'].flatMap((host) => [
    `${host} SameMachine`,
    `${host} ServerWithoutTls`,
    `${host} SshPasswords`,
  ]),
  'db2 ReplicationInClear',
  'db3 ReplicationInClear',
  'shop NeverTested',
  'shop NoBackup',
];

describe('an audit', () => {
  test('of a sound cluster finds what a lab cannot have, and nothing else', async () => {
    const { client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await client.verify(shop);
    const { outcome, findings, links, judged } = await client.audit(shop);
    expect(named(findings)).toEqual(OF_EVERY_LAB.toSorted());
    expect(outcome).toBe('findings');
    expect(judged).toBeGreaterThan(150);
    expect(links).toHaveLength(6);
    for (const link of links) {
      expect(link).toMatchObject({ class: 'negligible', samples: 20, busy: expect.any(Number) });
      expect(link.p50Ms).toBeGreaterThan(0);
    }
  });

  test('on the command line takes a baseline, and exits by what it leaves', async () => {
    const { lab, startWorker } = cluster();
    await startWorker('only');
    const baseline = lab.etc('baseline.json');
    const entries = OF_EVERY_LAB.map((one) => one.split(' ')).map(([where, code]) => ({
      where,
      code,
      reason: 'a lab',
      expires: '2099-12-31',
    }));
    writeFileSync(baseline, JSON.stringify(entries.filter(({ code }) => code !== 'NoBackup')));
    const argv = [
      process.execPath,
      path.join(projectFolder, 'dist', 'bin', 'standfast.js'),
      'audit',
      'shop',
      '--exit-code',
      '--baseline',
      baseline,
    ];
    const env = { PATH: process.env['PATH'], TEMPORAL_ADDRESS: cluster().temporal };
    const left = await run([...argv, '-o', 'md'], { env, timeoutMs: 60_000 });
    expect(left.exitCode).toBe(10);
    expect(left.stdout).toContain('shop: 1 finding: 1 warning (');
    expect(left.stdout).toContain('| shop | `NoBackup` |');
    expect(left.stdout).toContain('| db1 → db2 |');
    writeFileSync(baseline, JSON.stringify(entries));
    const none = await run([...argv, '-o', 'json'], { env, timeoutMs: 60_000 });
    expect(none.exitCode).toBe(0);
    expect(JSON.parse(none.stdout)).toMatchObject({ kind: 'Audit', outcome: 'clean', findings: [] });
  });

  test('finds what was broken by hand, each where it is, and changes nothing', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    for (const statement of [
      'SET GLOBAL sync_binlog = 0',
      'SET GLOBAL innodb_flush_log_at_trx_commit = 2',
      "SET GLOBAL binlog_format = 'MIXED'",
      'SET GLOBAL gtid_strict_mode = 0',
      'SET GLOBAL slave_net_timeout = 60',
      'SET GLOBAL relay_log_purge = 0',
      'SET GLOBAL slave_transaction_retries = 0',
      'SET GLOBAL binlog_expire_logs_seconds = 3600',
      'SET GLOBAL event_scheduler = ON',
      'SET GLOBAL read_only = 0',
      "SET GLOBAL time_zone = '+05:00'",
      "STOP SLAVE; SET GLOBAL replicate_ignore_db = 'tmp'; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE SQL_THREAD",
    ])
      await sql(lab, 'db2', statement);
    await sql(lab, 'db3', 'STOP SLAVE; RESET SLAVE ALL');
    for (const statement of [
      'SET GLOBAL rpl_semi_sync_master_enabled = 0',
      'CREATE TABLE shop.no_key (a INT)',
      'CREATE TABLE shop.old (a INT PRIMARY KEY) ENGINE=MyISAM',
      "CREATE USER loose@'%'",
      "CREATE USER mighty@'%' IDENTIFIED BY 'x'; GRANT SUPER, READ_ONLY ADMIN ON *.* TO mighty@'%'",
      "GRANT SELECT ON *.* TO 'repl'@'10.77.0.%'",
    ])
      await sql(lab, 'db1', statement);
    await configure(
      lab,
      'db3',
      'read_only=0\nevent-scheduler=ON\nskip_slave_start=0\nbinlog_do_db=production_db\nsync-binlog=0\nmaster_retry_count=10',
    );
    await lab.host('db2').exec(['chmod', '664', '/var/lib/mysql/master.info']);
    await write(lab, ['db2', '/etc/sudoers.d/more', 'standfast ALL=(ALL) NOPASSWD: ALL\n']);
    await lab.host('db2').exec(['chmod', '440', '/etc/sudoers.d/more']);
    await lab.host('db2').exec(['ip', 'addr', 'add', `${lab.vip}/32`, 'dev', 'lo']);
    lab.host('db3').signal('keepalived', 'SIGKILL');
    const { findings } = await client.audit(shop);
    const found = named(findings);
    expect(found).toEqual(
      expect.arrayContaining([
        ...[
          'BinlogNotSynced',
          'CommitNotFlushed',
          'BinlogFormat',
          'GtidNotStrict',
          'DeadLinkUnnoticed',
          'RelayLogsKept',
        ].map((code) => `db2 ${code}`),
        ...[
          'DeadlockStops',
          'BinlogRetention',
          'EventsOnReplica',
          'ReplicaOpen',
          'TimeZonesDiffer',
          'DelayedReplica',
        ].map((code) => `db2 ${code}`),
        ...[
          'ReplicationFiltered',
          'ReplicationStopped',
          'ChangesAtRestart',
          'FileModes',
          'SudoRule',
          'VipMisplaced',
        ].map((code) => `db2 ${code}`),
        ...['SemiSyncMode', 'NoPrimaryKey', 'NotTransactional', 'AccountWithoutPassword', 'PrivilegedWriter'].map(
          (code) => `db1 ${code}`,
        ),
        ...['AccountFromAnywhere', 'AckersLockedOut', 'ReplicationAccountCanMore'].map((code) => `db1 ${code}`),
        ...[
          'FollowsNobody',
          'BootsOpen',
          'BootsWithEvents',
          'BootsReplicating',
          'FilterAtRestart',
          'ChangesAtRestart',
        ].map((code) => `db3 ${code}`),
        'db3 KeepalivedStopped',
      ]),
    );
    const drift = findings.find(({ code, where }) => code === 'ChangesAtRestart' && where === 'db2');
    expect(drift?.found).toContain('sync_binlog=0 becomes 1');
    const [[purge] = []] = await sql(lab, 'db2', 'SELECT @@GLOBAL.relay_log_purge');
    expect(purge).toBe('0');
  });

  test('finds what was broken in accounts, files, keepalived and the inventory', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const file = lab.etc('standfast.yaml');
    const inventory = readFileSync(file, 'utf8');
    onTestFinished(() => {
      writeFileSync(file, inventory);
    });
    writeFileSync(
      file,
      inventory
        .replace(/(oslo-c:\s+country: )NO/, '$1SE')
        .replace('site: oslo-b', 'site: oslo-a')
        .replace(
          '    policy:\n',
          '    backup: { path: /var/nowhere }\n    policy:\n      continuity: { verified: 1ms, outage: 30d }\n',
        ),
    );
    await sql(lab, 'db2', 'STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID = no; SET GLOBAL server_id = 1');
    await sql(
      lab,
      'db3',
      "STOP SLAVE; SET sql_log_bin = 0; DROP USER 'repl'@'10.77.0.%'; REVOKE PROCESS ON *.* FROM 'standfast'@'10.77.0.%'",
    );
    await configure(lab, 'db2', 'master_retry_count=10');
    await configure(lab, 'db3', 'skip-log-bin\nrelay_log_recovery=1');
    await lab.host('db3').exec(['service', 'mariadb', 'restart'], { timeoutMs: 60_000 });
    await configure(lab, 'db3', 'nonsense=1');
    const shell = (host: string, script: string) => lab.host(host).exec(['bash', '-c', script]);
    await shell(
      'db2',
      'echo "ssh-ed25519 AAAA someone" >>/var/lib/standfast-account/.ssh/authorized_keys; echo "# x" >>/usr/local/sbin/standfast-host',
    );
    await shell(
      'db2',
      'sed -i "/^PermitRootLogin/d" /etc/ssh/sshd_config; echo "PermitRootLogin yes" >>/etc/ssh/sshd_config',
    );
    const elected = (host: string, priority: number) =>
      classicKeepalived(lab, 'BACKUP', priority).replace(
        'killall -0 mysqld',
        host === 'db1' ? 'pidof mariadbd' : 'true',
      );
    await write(lab, ['db1', '/etc/keepalived/keepalived.conf', elected('db1', 150)]);
    await write(lab, [
      'db2',
      '/etc/keepalived/keepalived.conf',
      elected('db2', 100).replace('router_id 51', 'router_id 52').replace('eth0', 'eth9'),
    ]);
    const peers = 'unicast_peer {\n10.77.0.1\n}\ntrack_file {\nrolle\n}\nvirtual_ipaddress';
    await write(lab, [
      'db3',
      '/etc/keepalived/keepalived.conf',
      elected('db3', 100).replace('virtual_ipaddress', peers),
    ]);
    lab.host('db1').signal('keepalived', 'SIGSTOP');
    await shell('db1', `ip addr del ${lab.vip}/24 dev eth0`);
    const found = named((await client.audit(shop)).findings);
    lab.host('db1').signal('keepalived', 'SIGCONT');
    expect(found).toEqual(
      expect.arrayContaining([
        ...['WeightChangesNothing', 'CheckSeesProcessOnly', 'LosslessWithoutAckers', 'SameSite'].map(
          (code) => `db1 ${code}`,
        ),
        ...['PositionsNotGtid', 'ServerIdShared', 'ReceiverGivesUp', 'AccountKeys', 'HelperOther'].map(
          (code) => `db2 ${code}`,
        ),
        ...['SshRoot', 'EqualPriorities', 'VrrpUnlike', 'VrrpInterface', 'BinlogRetention'].map(
          (code) => `db2 ${code}`,
        ),
        ...['BinlogOff', 'RelayLogRecovery', 'OperationPrivileges', 'ReplicationAccountMissing', 'WouldNotStart'].map(
          (code) => `db3 ${code}`,
        ),
        ...['CountryOutside', 'VrrpPeers', 'TrackingFailsOpen'].map((code) => `db3 ${code}`),
        ...['VipNowhere', 'NoStandby', 'NotVerified', 'BackupOld'].map((code) => `shop ${code}`),
      ]),
    );
  });

  test('finds servers that are not alike, events that nobody declared, a role that may write anywhere, and a slow link', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const file = lab.etc('standfast.yaml');
    const inventory = readFileSync(file, 'utf8');
    onTestFinished(() => {
      writeFileSync(file, inventory);
    });
    expect(inventory).toContain('events: true');
    writeFileSync(file, inventory.replace('events: true', 'events: false'));
    for (const statement of [
      'SET GLOBAL event_scheduler = ON; CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1',
      "CREATE ROLE writers; GRANT READ_ONLY ADMIN ON *.* TO writers; CREATE USER usher@'10.77.0.9' IDENTIFIED BY 'x'; GRANT writers TO usher@'10.77.0.9'",
    ])
      await sql(lab, 'db1', statement);
    await configure(lab, 'db3', 'version=10.6.5-MariaDB-log\nlower_case_table_names=1');
    await lab.host('db3').exec(['service', 'mariadb', 'restart'], { timeoutMs: 60_000 });
    await sql(lab, 'db3', `CHANGE MASTER TO MASTER_HOST = '${lab.host('db2').address}'; START SLAVE`);
    // Every second SYN is lost, and sent again after a second.
    const slow = `add table inet slow; add chain inet slow in { type filter hook input priority 0; }
      add rule inet slow in ip saddr ${lab.host('db1').address} tcp dport 9 tcp flags & (syn | ack) == syn numgen inc mod 2 0 drop`;
    expect(await lab.host('db2').exec(['nft', '-f', '-'], { input: slow })).toMatchObject({ exitCode: 0 });
    const { findings } = await client.audit(shop);
    expect(named(findings)).toEqual(
      expect.arrayContaining([
        'db1 EventsUndeclared',
        'db1 PrivilegedWriter',
        'db3 FollowsAnother',
        'db3 VersionsDiffer',
        'db3 TableNamesDiffer',
        'db1/db2 LatencyHigh',
      ]),
    );
    const found = (code: string) => findings.find((finding) => finding.code === code)?.found;
    expect(found('EventsUndeclared')).toContain('shop.nightly');
    expect(found('PrivilegedWriter')).toContain('usher@10.77.0.9');
  });

  test('of the classic recipe lists its holes, and tells no password', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    for (const [host, state, priority] of [
      ['db1', 'MASTER', 101],
      ['db2', 'BACKUP', 100],
    ] as const)
      await write(lab, [host, '/etc/keepalived/keepalived.conf', classicKeepalived(lab, state, priority)]);
    await lab.host('db3').exec(['rm', '/etc/keepalived/keepalived.conf']);
    await lab.host('db1').exec(['rm', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf']);
    await write(lab, [
      'db1',
      '/etc/mysql/mariadb.conf.d/61-primary.cnf',
      '[mysqld]\nserver-id=1\nlog_bin=mariadb-bin\nbinlog_do_db=production_db\ninnodb_flush_log_at_trx_commit=1\nsync_binlog=1\n',
    ]);
    await lab.host('db1').exec(['service', 'mariadb', 'restart'], { timeoutMs: 60_000 });
    // Nobody has taken it into care.
    for (const host of ['db1', 'db2', 'db3']) await lab.host(host).exec(['bash', '-c', 'rm -f /var/lib/standfast/*']);
    await sql(lab, 'db1', 'SET GLOBAL read_only = 0');
    const audited = await client.audit(shop);
    const found = named(audited.findings);
    expect(found).toEqual(
      expect.arrayContaining([
        ...[
          'KeepalivedElects',
          'VipTakenBack',
          'CheckNeverMatches',
          'CheckSeesProcessOnly',
          'VrrpPassword',
          'ScriptsUnsafe',
        ].map((code) => `db1 ${code}`),
        ...[
          'BinlogFiltered',
          'FilterAtRestart',
          'BinlogFormat',
          'ReplicatedNotLogged',
          'GtidNotStrict',
          'BootsOpen',
        ].map((code) => `db1 ${code}`),
        ...['SemiSyncMode', 'BootsReplicating', 'DeadLinkUnnoticed', 'FileModes'].map((code) => `db1 ${code}`),
        ...['KeepalivedElects', 'CheckNeverMatches', 'VrrpPassword', 'FileModes'].map((code) => `db2 ${code}`),
        'db3 VipUnguarded',
        'shop NotInCare',
      ]),
    );
    const filtered = audited.findings.find(({ code }) => code === 'BinlogFiltered');
    expect(filtered?.found).toContain('`USE other; UPDATE production_db.t SET …` is in no binary log');
    expect(JSON.stringify(audited)).not.toContain('secret-p');
  });

  test('says of a host that is off, or whose key nobody pinned, what it did not see there', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db3').powerOff();
    const known = lab.etc('known_hosts');
    const keys = readFileSync(known, 'utf8');
    onTestFinished(() => {
      writeFileSync(known, keys);
    });
    writeFileSync(known, keys.replace(/^10\.77\.0\.2 .*\n/m, ''));
    const { findings } = await client.audit(shop);
    expect(named(findings)).toContain('db2 HostKeyUnpinned');
    const unseen = findings.filter(({ code }) => code === 'NotSeen');
    expect(unseen.map(({ where, found }) => `${where} ${found.split(' (')[0] ?? ''}`)).toEqual(
      expect.arrayContaining([
        'db3 its database server was not seen',
        'db3 its host helper was not seen',
        'db3 the settings in its files was not seen',
        "db3 keepalived's configuration was not seen",
        'db1/db3 its round trip was not seen',
      ]),
    );
    expect(findings.filter(({ where, code }) => where === 'db3' && code !== 'NotSeen')).toEqual([]);
  });
});
