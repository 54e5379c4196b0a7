import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';

const owner = 'plane-1';
let epoch = 0;
/** The newest epoch, and the next one. */
const now = () => ({ owner, epoch, run: `run-${String(epoch)}` });
const next = () => {
  epoch += 1;
  return { ...now(), account: 'standfast' };
};
const configuration = {
  ...{ owner, server_id: 7, report_host: 'db1' },
  settings: 'log_bin=mariadb-bin\nlog_slave_updates=1\nsync_binlog=1\nslave_net_timeout=4',
};

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.installDatabase();
  host.shell(`printf '[mysqld]\\nread_only=0\\nevent_scheduler=ON\\n' >/etc/mysql/mariadb.conf.d/70-site.cnf`);
});
afterAll(() => host.stop());

/** A member whose server runs, closed, under a new epoch: every test begins with it, so that each can run alone. */
function serving(): void {
  host.fields('configure', configuration);
  host.fields('claim', next());
  host.fields('unfence', now());
  host.serve({ owner });
}

/** The same, open for writes, with the account of the operation and a table. */
function open(): void {
  serving();
  host.sql(`SET GLOBAL read_only=0; CREATE USER IF NOT EXISTS standfast IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO standfast;
    CREATE DATABASE IF NOT EXISTS shop; CREATE TABLE IF NOT EXISTS shop.t (i INT PRIMARY KEY)`);
}

const pidsOf = (name: string) => host.pidsOf(name);
/** A session of an account, waiting in the server; resolves with its exit code when it ends. */
const session = (statement: string, account = 'standfast') => {
  const client = host.start('mariadb', '--no-defaults', '-h127.0.0.1', `-u${account}`, '-psecret', '-e', statement);
  return once(client, 'exit').then(([code]) => code as number);
};
const sessions = () => Number(host.sql(`SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER='standfast'`));
const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });

describe('a member', () => {
  it('boots closed, whatever an administrator set before', () => {
    host.fields('service-stop', { owner });
    host.run('rm', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf');
    expect(host.ask('configure', configuration)).toEqual({ ok: true, fields: { changed: 'yes' } });
    expect(host.fields('configure', configuration)).toEqual({ changed: 'no' });
    expect(host.ask('service-start', { owner })).toMatchObject({ fields: { mysqld: 'running', read_only: '1' } });
    expect(host.sql('SELECT @@read_only, @@event_scheduler, @@server_id, @@report_host, @@slave_net_timeout')).toBe(
      '1\tOFF\t7\tdb1\t4',
    );
    expect(host.fields('service-start', { owner })['pid']).toBe(pidsOf('mariadbd')[0]);
  });

  it('says so when a later file would open it', () => {
    host.shell(`printf '[mariadb]\\nread-only=0\\n' >/etc/mysql/mariadb.conf.d/zzz-site.cnf`);
    expect(host.ask('configure', configuration)).toEqual(refused('Unsafe', 'would not boot closed'));
    host.must('rm', '/etc/mysql/mariadb.conf.d/zzz-site.cnf');
    expect(host.ask('configure', configuration).ok).toBe(true);
  });

  it("refuses settings that are not the operation's to choose", () => {
    for (const settings of ['read-only=0', 'init_file=/tmp/x', 'a b=c', '!include /tmp/x'])
      expect(host.ask('configure', { ...configuration, settings })).toMatchObject({ type: 'BadInput' });
  });

  it('is observed as it is', () => {
    serving();
    expect(host.fields('observe', { vip: '10.0.0.50', interface: 'lo' })).toMatchObject({
      ...{ mysqld: 'running', pid: pidsOf('mariadbd')[0], port: 'open', supervisor: 'yes', vip: 'no', role: '0' },
      ...{ keepalived: 'stopped', fenced: 'no', disk_free: expect.stringMatching(/^\d{6,}$/) },
    });
  });
});

describe('a claim', () => {
  it('ends the sessions of the operation account, and only those', async () => {
    open();
    const other = host.start(
      'mariadb',
      '--no-defaults',
      '-uroot',
      '-S',
      '/run/mysqld/mysqld.sock',
      '-e',
      'SELECT SLEEP(600)',
    );
    const ours = [session('SELECT SLEEP(600)'), session('FLUSH TABLES WITH READ LOCK; SELECT SLEEP(600)')];
    await until('both sessions are there', sessions, (count) => count === 2);
    expect(host.ask('claim', next())).toMatchObject({ fields: { sessions: '2', mysqld: 'running' } });
    expect(sessions()).toBe(0);
    expect(await Promise.all(ours)).toEqual([1, 1]);
    expect(other.exitCode).toBeNull();
    other.kill('SIGKILL');
  });

  it('does not wait for sessions that come after it, as those of a watcher do', async () => {
    open();
    const look = `mariadb --no-defaults -h127.0.0.1 -ustandfast -psecret -e 'SELECT SLEEP(600)'`;
    const watchers = [1, 2, 3].map(() => once(host.start('bash', '-c', `${look}; ${look}`), 'exit'));
    await until('they are there', sessions, (count) => count === 3);
    expect(host.ask('claim', next())).toMatchObject({ fields: { sessions: '3', mysqld: 'running' } });
    await until('they are there again', sessions, (count) => count === 3);
    expect(host.ask('claim', next())).toMatchObject({ fields: { sessions: '3' } });
    await Promise.all(watchers);
  });

  it('ends sessions that wait for an acknowledgement that never comes', async () => {
    open();
    host.sql('SET GLOBAL rpl_semi_sync_master_timeout=100000000; SET GLOBAL rpl_semi_sync_master_enabled=1');
    const waiters = Array.from({ length: 5 }, (_, at) => session(`INSERT INTO shop.t VALUES (${String(100 + at)})`));
    await until(
      'all wait',
      () => host.sql(`SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for semi%'`),
      (seen) => Number(seen) > 0,
    );
    await until('all are there', sessions, (count) => count === 5);
    expect(host.ask('claim', next())).toMatchObject({ fields: { sessions: '5' } });
    expect(sessions()).toBe(0);
    await Promise.all(waiters);
    host.sql('SET GLOBAL rpl_semi_sync_master_enabled=0');
  });

  it('does not wait for a heartbeat that it has killed, and that waits behind the commit of a client', async () => {
    open();
    host.sql(`CREATE USER IF NOT EXISTS app IDENTIFIED BY 'secret'; GRANT INSERT ON shop.* TO app;
      CREATE DATABASE IF NOT EXISTS standfast; CREATE TABLE IF NOT EXISTS standfast.heartbeat (i INT PRIMARY KEY);
      SET GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC; SET GLOBAL rpl_semi_sync_master_timeout=100000000; SET GLOBAL rpl_semi_sync_master_enabled=1`);
    const commits = () =>
      host.sql(`SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO%'`);
    const client = session('INSERT INTO shop.t VALUES (200)', 'app');
    await until('the client waits', commits, (seen) => seen === '1');
    const heartbeat = session('INSERT INTO standfast.heartbeat VALUES (1)');
    await until('the heartbeat waits behind it', commits, (seen) => seen === '2');
    const other = session('SELECT SLEEP(100)');
    await until('all are there', sessions, (count) => count === 2);
    const claim = host.ask('claim', next());
    host.sql('SET GLOBAL rpl_semi_sync_master_enabled=0; DROP DATABASE standfast');
    expect(claim).toMatchObject({ fields: { sessions: '2' } });
    await Promise.all([client, heartbeat, other]);
  });

  it('answers when the client of the server ends in the middle of its conversation', () => {
    serving();
    // Nobody reads what it is told, and it has not ended yet: in place of what runs the client, which would hold its input open.
    host.shell(
      `printf '#!/bin/sh\\nexec <&-\\necho "1\\t7"\\nexec sleep 5\\n' >/tmp/short && chmod 755 /tmp/short && mount --bind /tmp/short /usr/bin/timeout`,
    );
    try {
      expect(host.ask('claim', next())).toEqual(refused('Unverified', 'are still there; claim again'));
    } finally {
      host.must('umount', '/usr/bin/timeout');
    }
    expect(host.fields('claim', { ...now(), account: 'standfast' })).toMatchObject({ mysqld: 'running' });
  });

  it('is stored on a host whose server hangs, and says that its sessions could not be ended', () => {
    serving();
    const [pid = ''] = pidsOf('mariadbd');
    host.must('kill', '-STOP', pid);
    try {
      expect(host.fields('claim', next())).toMatchObject({ mysqld: 'hung' });
      expect(host.fields('claim', { ...next(), hung_after: 100 })).toMatchObject({
        ...{ epoch: String(epoch), level: '4', mysqld: 'hung', refused: '' },
      });
      expect(host.fields('records')).toMatchObject({ epoch: String(epoch) });
    } finally {
      host.must('kill', '-CONT', pid);
    }
  });
});

describe('keep-relay', () => {
  it('links the relay logs and copies what is rewritten in place; what was kept survives a purge', () => {
    serving();
    const folder = '/var/lib/mysql';
    host.shell(`cd ${folder}; echo one >db1-relay-bin.000001; echo two >db1-relay-bin.000002; echo info >relay-log.info; echo hunter2 >master.info
      printf './db1-relay-bin.000001\\n./db1-relay-bin.000002\\n' >db1-relay-bin.index`);
    const { path = '', files } = host.fields('keep-relay', now());
    expect(files).toBe('2');
    const disk_free = expect.stringMatching(/^\d{6,}$/);
    expect(host.fields('keep-relay', now())).toEqual({ path, files: '2', source: 'no', disk_free });
    host.shell(`cd ${folder}; echo more >>db1-relay-bin.000002; echo three >db1-relay-bin.000003
      echo ./db1-relay-bin.000003 >>db1-relay-bin.index`);
    expect(host.fields('keep-relay', now())).toMatchObject({ path, files: '3' });
    host.shell(`cd ${folder}; rm db1-relay-bin.00000[123]; : >relay-log.info; : >db1-relay-bin.index`);
    expect(
      host.shell(
        `cd ${path}; cat db1-relay-bin.000001 db1-relay-bin.000002 db1-relay-bin.000003 relay-log.info; wc -l <db1-relay-bin.index`,
      ),
    ).toBe('one\ntwo\nmore\nthree\ninfo\n3');
    // It holds the replication password.
    host.shell(`test ! -e ${path}/master.info; rm ${folder}/master.info`);
    expect(host.sql('SHOW DATABASES')).not.toContain('standfast');
    expect(host.fields('release-relay', now())).toEqual({ released: '1' });
    host.shell(`test ! -e ${path}; rm ${folder}/db1-relay-bin.index ${folder}/relay-log.info`);
  });
});

describe('keep-relay of a source that is gone', () => {
  const connects = (): string =>
    host.shell("timeout 3 bash -c 'exec 3<>/dev/tcp/127.0.0.1/3306' 2>/dev/null && echo yes || echo no");

  it('has new connections to it refused at once, for a while, and leaves the one that stands', async () => {
    open();
    const gone = { address: '127.0.0.1', target_port: '3306' };
    const standing = host.start('mariadb', '--no-defaults', '-h127.0.0.1', '-ustandfast', '-psecret', '-N', '-B');
    await until('its session', sessions, (count) => count === 1);
    expect(connects()).toBe('yes');
    host.fields('keep-relay', { ...now(), ...gone });
    expect(connects()).toBe('no');
    const answer = once(standing.stdout, 'data');
    standing.stdin.end('SELECT 7;\n');
    expect(String(await answer)).toBe('7\n');
    expect(host.shell('nft list set inet standfast_source gone')).toMatch(/127\.0\.0\.1 \. 3306 timeout 10s expires/);
    host.fields('release-relay', now());
    expect(connects()).toBe('yes');
    host.shell('! nft list table inet standfast_source 2>/dev/null');
  });

  it('needs to know its port as well', () => {
    serving();
    expect(host.ask('keep-relay', { ...now(), address: '127.0.0.1' })).toEqual(
      refused('BadInput', 'address comes with target_port'),
    );
  });
});

describe('binlog-end', () => {
  it('refuses while mysqld runs', () => {
    serving();
    expect(host.ask('binlog-end')).toEqual(refused('Unsafe', 'only read when it is dead'));
  });

  it('waits for a process that only seemed to be the server', async () => {
    serving();
    host.fields('service-stop', { owner });
    await host.endingPretender();
    expect(host.fields('binlog-end')).toHaveProperty('gtid');
  });

  it('reads the last complete transaction of each domain from the files of a killed server', async () => {
    open();
    host.sql(`USE shop; SET SESSION gtid_domain_id=4; INSERT INTO t VALUES (2); FLUSH BINARY LOGS;
      SET SESSION gtid_domain_id=0; INSERT INTO t VALUES (3); CREATE TABLE u (i INT) ENGINE=MyISAM; INSERT INTO u VALUES (1)`);
    const state = host.sql('SELECT @@gtid_binlog_pos');
    host.must('kill', '-KILL', ...pidsOf('mariadbd-safe'), ...pidsOf('mysqld_safe'), ...pidsOf('mariadbd'));
    await until(
      'the server is gone',
      () => pidsOf('mariadbd'),
      (pids) => pids.length === 0,
    );
    const { gtid = '', file = '' } = host.fields('binlog-end');
    expect(gtid.split(',').sort()).toEqual(state.split(',').sort());
    // Longer than the checkpoint that the server may write after a new log's first transactions.
    host.must('truncate', '-s', '-60', file);
    const cut = host.fields('binlog-end')['gtid'] ?? '';
    expect(cut).not.toBe(gtid);
    expect(cut.split(',').length).toBe(gtid.split(',').length);
  });
});

describe('a fence', () => {
  const proven = { ok: true, fields: { process: 'gone', supervisor: 'gone', port: 'closed', vip: 'no' } };

  it('proves the death of a server that hangs, with its supervisor, keeps it down, and lets its clients know at once', async () => {
    open();
    const [pid = ''] = pidsOf('mariadbd');
    const client = host.start('socat', '-u', 'TCP:127.0.0.1:3306', '/dev/null');
    const hearsOfIt = once(client, 'exit');
    const connected = (): string => host.shell("ss -Htn state established '( dport = :3306 )'");
    await until('the client is connected', connected, (found) => found !== '');
    host.must('kill', '-STOP', pid);
    expect(host.ask('fence', now())).toEqual(proven);
    await hearsOfIt;
    expect([...pidsOf('mariadbd'), ...pidsOf('mariadbd-safe'), ...pidsOf('mysqld_safe')]).toEqual([]);
    expect(host.ask('fence', now())).toEqual(proven);
    expect(host.fields('observe')).toMatchObject({ mysqld: 'stopped', port: 'dropped', fenced: 'yes' });
    expect(host.ask('service-start', { owner })).toEqual(refused('Unsafe', 'fenced'));
  });

  it('shuts the port in both directions, loopback too, for whatever would listen there', async () => {
    serving();
    host.fields('fence', now());
    const listener = host.start('socat', 'TCP-LISTEN:3306,bind=127.0.0.1,reuseaddr,fork', 'SYSTEM:echo hello');
    await until(
      'the listener is there',
      () => host.run('ss', '-Hltn', 'sport = :3306').stdout,
      (seen) => seen !== '',
    );
    const knock = host.run('timeout', '1', 'bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/3306');
    expect(knock.exitCode).toBe(1); // reset at once; 124 would be the silence that keeps a receiver waiting
    expect(host.ask('fence', now())).toEqual(refused('Unverified', 'port=open'));
    const gone = once(listener, 'exit');
    host.must('pkill', '-KILL', '-x', 'socat'); // this host's own process list
    await gone;
    expect(host.ask('fence', now()).ok).toBe(true);
  });

  it('lets not even an acknowledgement out that was still on its way', async () => {
    serving();
    host.fields('service-stop', { owner });
    // A kernel that cannot end connections by order: the rule alone has to hold.
    host.shell(`printf '#!/bin/sh\\n[ "$1" = -K ] || exec /usr/bin/ss "$@"\\n' >/usr/sbin/ss; chmod 755 /usr/sbin/ss`);
    host.shell('mkfifo -m 666 /run/late-word');
    const listener = host.start('socat', 'TCP-LISTEN:3306,bind=127.0.0.1,reuseaddr', 'SYSTEM:cat /run/late-word');
    await until(
      'the listener is there',
      () => host.run('ss', '-Hltn', 'sport = :3306').stdout,
      (seen) => seen !== '',
    );
    const client = host.start(
      ...['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/3306; echo connected; read -r _; timeout 1 cat <&3; echo end'],
    );
    const [, ended] = [await once(client.stdout, 'data'), once(client, 'exit')];
    let heard = '';
    client.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    host.ask('fence', now());
    host.shell('echo acknowledged >/run/late-word');
    client.stdin.write('now\n');
    await ended;
    expect(heard).toBe('end\n');
    listener.kill('SIGKILL');
    host.must('rm', '/run/late-word', '/usr/sbin/ss');
    host.fields('unfence', now());
  });

  it('is not proven while something starts the server again and again', () => {
    serving();
    host.shell(`install /bin/sleep /run/mariadbd
      for _ in {1..12}; do setsid bash -c 'while [[ -x /run/mariadbd ]]; do /run/mariadbd 600; done' </dev/null >/dev/null 2>&1 & done`);
    expect(host.ask('fence', now())).toEqual(refused('Unverified', 'process=present'));
    host.must('rm', '/run/mariadbd');
    expect(host.ask('fence', now())).toEqual(proven);
  });

  it('ends a supervisor that waits before it starts the server again', () => {
    serving();
    host.shell(`install /bin/sleep /run/mariadbd-safe
      setsid /run/mariadbd-safe 600 </dev/null >/dev/null 2>&1 &`);
    expect(host.ask('fence', now())).toEqual(proven);
    expect([...pidsOf('mariadbd-safe'), ...pidsOf('mysqld_safe')]).toEqual([]);
  });

  it('is removed by unfence, and the server then comes up closed', () => {
    open();
    host.sql('INSERT IGNORE INTO shop.t VALUES (1)');
    host.fields('fence', now());
    expect(host.fields('unfence', now())).toEqual({ fenced: 'no' });
    expect(host.fields('unfence', now())).toEqual({ fenced: 'no' });
    expect(host.run('nft', 'list', 'table', 'inet', 'standfast').exitCode).not.toBe(0);
    expect(host.fields('service-start', { owner })).toMatchObject({ read_only: '1' });
    expect(host.sql('SELECT COUNT(*) FROM shop.t WHERE i = 1')).toBe('1');
  });

  it('does not take the program for a server when an init script asks it for its settings', async () => {
    serving();
    host.fields('service-stop', { owner });
    await host.serverIsGone();
    const seen = async (...argv: readonly string[]) => {
      const waiting = await host.pretender(...argv);
      const { mysqld } = host.fields('observe');
      const ended = once(waiting, 'exit');
      waiting.stdin.end();
      await ended;
      return mysqld;
    };
    expect(await seen('--print-defaults')).toBe('stopped');
    expect(await seen('--user=mysql')).toBe('running');
  });

  it('starts a server where the one that seemed to run was about to end', async () => {
    serving();
    host.fields('service-stop', { owner });
    await host.endingPretender();
    expect(host.fields('service-start', { owner })).toMatchObject({ mysqld: 'running', read_only: '1' });
  });

  it('stops and starts the service by order, once or twice', async () => {
    serving();
    expect(host.fields('service-stop', { owner })).toEqual({ mysqld: 'stopped' });
    expect(host.fields('service-stop', { owner })).toEqual({ mysqld: 'stopped' });
    await host.serverIsGone();
    expect(host.fields('observe')).toMatchObject({ mysqld: 'stopped', supervisor: 'no', port: 'refused' });
  });
});
