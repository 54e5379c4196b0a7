import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadInventory } from '../../inventory/load.ts';
import { Lab } from '../../lab/lab.ts';
import type { RunResult } from '../../lab/run.ts';
import { until } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';

const program = path.join(projectFolder, 'dist', 'bin', 'standfast.js');
let lab: Lab;
let folder: string;
/** Where `init` has its temporary files, and nobody else; short, for the sockets of ssh. */
let temporary: string;

/** Two hosts as classic guides set them up: file positions, a database filter, keepalived that elects, rsync from a script that cron starts. */
beforeAll(async () => {
  lab = await Lab.up({
    name: `${process.env['STANDFAST_TEST_LAB'] ?? 't-int'}-init`,
    hosts: ['db1', 'db2'],
    withHelper: false,
  });
  folder = mkdtempSync(path.join(os.tmpdir(), 'standfast-init-'));
  temporary = mkdtempSync(path.join(os.tmpdir(), 'sf-'));
  const key = readFileSync(`${lab.etc('ssh_key')}.pub`, 'utf8');
  const [db1, db2] = [lab.host('db1'), lab.host('db2')];
  for (const host of [db1, db2]) await put(host.name, '/root/.ssh/authorized_keys', key, '0600');
  await put('db1', '/etc/mysql/mariadb.conf.d/70-filter.cnf', '[mysqld]\nbinlog_do_db=production_db\n');
  await put('db2', '/etc/mysql/mariadb.conf.d/70-replica.cnf', '[mysqld]\nserver_id=7\nread_only=1\nreport_host=db2\n');
  await put('db1', '/etc/keepalived/keepalived.conf', keepalived('MASTER', 101));
  await put('db2', '/etc/keepalived/keepalived.conf', keepalived('BACKUP', 100));
  await put('db1', '/usr/local/bin/sync_uploads.sh', SCRIPT.replace('TARGET', db2.address), '0755');
  await put(
    'db1',
    '/etc/cron.d/uploads',
    '*/10 * * * * root /usr/local/bin/sync_uploads.sh >> /var/log/sync.log 2>&1\n',
  );
  await db1.exec(['service', 'mariadb', 'restart']);
  await db2.exec(['service', 'mariadb', 'start']);
  await db1.sql('CREATE DATABASE production_db; CREATE DATABASE wiki');
  const [[file = '', position = ''] = []] = await db1.sql('SHOW MASTER STATUS');
  const password = readFileSync(lab.etc('repl.password'), 'utf8').trim();
  await db2.sql(
    `CHANGE MASTER TO MASTER_HOST='${db1.address}', MASTER_USER='repl', MASTER_PASSWORD='${password}', MASTER_LOG_FILE='${file}', MASTER_LOG_POS=${position}; START SLAVE`,
  );
  await until('a replica that is connected', async () =>
    (await db1.sql("SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'")).length > 0
      ? true
      : undefined,
  );
}, 120_000);

afterAll(async () => {
  await lab.down();
  for (const one of [folder, temporary]) rmSync(one, { recursive: true });
});

const keepalived = (state: string, priority: number): string => `vrrp_script chk_mysql {
    script "killall -0 mysqld"   # never matches mariadbd
    interval 2
}
vrrp_instance VI_1 {
    state ${state}
    interface eth0
    virtual_router_id 61
    priority ${String(priority)}
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        ${lab.vip}
    }
    track_script { chk_mysql }
}
`;

const SCRIPT = `#!/bin/bash
SRC="/var/www/html/uploads/"
DEST=root@TARGET:/var/www/html/uploads/
rsync -avz --delete "$SRC" "$DEST" && echo "[$(date)] Sync successful"
`;

async function put(host: string, file: string, text: string, mode = '0644'): Promise<void> {
  const script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"';
  const written = await lab.host(host).exec(['sh', '-c', script, 'put', file, mode], { input: text });
  expect(written).toMatchObject({ exitCode: 0 });
}

function init(to: string, ...more: readonly string[]): Promise<RunResult> {
  const access = ['--ssh-user', 'root', '--ssh-key', lab.etc('ssh_key'), '--known-hosts', lab.etc('known_hosts')];
  return lab.control.exec(
    [process.execPath, program, 'init', ...access, '--cluster', 'shop', '--to', path.join(folder, to), ...more],
    { env: { PATH: process.env['PATH'], TMPDIR: temporary }, timeoutMs: 60_000 },
  );
}

/** Everything that it reads, and what the servers have. */
async function traces(): Promise<unknown> {
  const files =
    'find /etc/mysql /etc/keepalived /etc/cron.d /etc/ssh /root/.ssh /usr/local/bin/sync_uploads.sh /var/spool/cron -type f -printf "%p %s %T@ %m\\n" | sort | sha256sum';
  return Promise.all(
    lab.hosts.map(async (host) => [
      (await host.exec(['sh', '-c', files])).stdout,
      await host.sql('SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.read_only'),
    ]),
  );
}

describe('init from a classic set-up', () => {
  test.each(['db1', 'db2'])(
    'by %s finds both hosts, writes an inventory that loads, and changes nothing',
    async (name) => {
      const before = await traces();
      const { address } = lab.host(name);
      const ran = await init(`${name}.yaml`, '--from', address);
      expect(ran).toMatchObject({ exitCode: 0 });
      expect(await traces()).toEqual(before);
      expect(readdirSync(temporary)).toEqual([]);
      const [shop] = (await loadInventory(path.join(folder, `${name}.yaml`))).clusters;
      expect(shop).toMatchObject({
        name: 'shop',
        hosts: [
          { name: 'db1', address: lab.host('db1').address, rank: 101, serverId: 1, port: 3306, country: 'ZZ' },
          { name: 'db2', address: lab.host('db2').address, rank: 100, serverId: 7, port: 3306, country: 'ZZ' },
        ],
        vip: { address: lab.vip, prefix: 24, interface: 'eth0', routerId: 61, driver: 'keepalived' },
        replication: { mode: 'async', user: { name: 'repl' } },
        policy: { failover: { automatic: false }, countries: [] },
        files: [{ name: 'uploads', path: '/var/www/html/uploads/', everyMs: 600_000 }],
      });
      const text = readFileSync(path.join(folder, `${name}.yaml`), 'utf8');
      expect(text).toContain('# TODO: its prefix; keepalived.conf has none');
      expect(text).toContain(
        'they drop writes silently, such as those to ledger, shop, wiki: only production_db (binlog_do_db',
      );
      expect(text).toMatch(/path: \/var\/www\/html\/uploads\/ # rsync from cron, to [\d.]+, with --delete/);
      expect(ran.stdout).toMatch(/db\d\.yaml is written: db1, db2\n\n\d+ places where it could not know:/);
    },
  );

  test('never writes over a file, and asks nobody when one is there', async () => {
    writeFileSync(path.join(folder, 'mine.yaml'), 'mine');
    const ran = await init('mine.yaml', '--from', '192.0.2.77');
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain('mine.yaml is there already; nothing was written');
    expect(readFileSync(path.join(folder, 'mine.yaml'), 'utf8')).toBe('mine');
  });

  test('marks a host that it cannot log in to, instead of leaving it out', async () => {
    const { address } = lab.host('db2');
    await lab.host('db2').exec(['mv', '/root/.ssh/authorized_keys', '/root/.ssh/aside']);
    const ran = await init('half.yaml', '--from', lab.host('db1').address);
    await lab.host('db2').exec(['mv', '/root/.ssh/aside', '/root/.ssh/authorized_keys']);
    expect(ran).toMatchObject({ exitCode: 0 });
    const [shop] = (await loadInventory(path.join(folder, 'half.yaml'))).clusters;
    expect(shop?.hosts.map((host) => host.address)).toEqual([lab.host('db1').address, address]);
    expect(ran.stdout).toMatch(new RegExp(`it was not read: ${address} cannot be reached by ssh: .*Permission denied`));
  });

  test('of a host that cannot be reached, or whose key nobody pinned, writes nothing and says why', async () => {
    const wrong = await init('none.yaml', '--from', 'no-such-host.invalid');
    expect(wrong).toMatchObject({ exitCode: 1, stdout: '' });
    expect(wrong.stderr).toContain('nothing was written: no-such-host.invalid has no IPv4 address here');
    const strange = await init('none.yaml', '--from', lab.host('db1').address, '--known-hosts', '/dev/null');
    expect(strange).toMatchObject({ exitCode: 1, stdout: '' });
    expect(strange.stderr).toMatch(/nothing was written: .* cannot be reached by ssh: Host key verification failed/);
    expect(existsSync(path.join(folder, 'none.yaml'))).toBe(false);
  });
});
