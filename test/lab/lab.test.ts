import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../../lab/lab.ts';
import type { Host, Seat } from '../../lab/machine.ts';
import { run, until } from '../../lab/run.ts';
import { slowLine } from '../../lab/slow-line.ts';
import { fillDisk, freeDisk, giveSmallDisk } from '../../lab/small-disk.ts';

let lab: Lab;
let db1: Host;
let db2: Host;

beforeAll(async () => {
  lab = await Lab.up({ name: 't-lab', withHelper: false });
  db1 = lab.host('db1');
  db2 = lab.host('db2');
}, 60_000);

afterAll(async () => {
  await Lab.remove('t-lab');
}, 60_000);

async function output(place: Host | Seat, ...argv: readonly string[]): Promise<string> {
  const result = await place.exec(argv);
  expect(result, argv.join(' ')).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

async function reaches(from: Host | Seat, to: Host): Promise<boolean> {
  const result = await from.exec(['timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${to.address}/22`]);
  return result.exitCode === 0;
}

/** TCP segments that the host has received so far. */
async function segmentsAt(host: Host): Promise<number> {
  return Number(await output(host, 'awk', '/^Tcp: [0-9]/ {print $11}', '/proc/net/snmp'));
}

/** Datagrams to a port that nobody listens at, so far. */
async function datagramsAt(host: Host): Promise<number> {
  return Number(await output(host, 'awk', '/^Udp: [0-9]/ {print $3}', '/proc/net/snmp'));
}

/** After a cut, the kernel asks for a neighbour again only once a second. */
async function comesToReach(from: Host | Seat, to: Host): Promise<true> {
  return await until(
    `${to.name} reachable from ${from.name}`,
    async () => ((await reaches(from, to)) ? true : undefined),
    10_000,
  );
}

describe('a host', () => {
  it('runs a shell without what the account of root is set up to do in one', async () => {
    await output(db1, 'sh', '-c', 'cp /root/.bashrc /root/.bashrc.was 2>/dev/null; echo "echo sourced" >/root/.bashrc');
    expect(await output(db1, 'bash', '-c', 'echo ran')).toBe('ran');
    await output(db1, 'sh', '-c', 'rm /root/.bashrc; ! [ -e /root/.bashrc.was ] || mv /root/.bashrc.was /root/.bashrc');
  });

  it('has its own name, machine ID, boot ID and disk', async () => {
    const facts = async (host: Host): Promise<readonly string[]> => [
      await output(host, 'hostname'),
      await output(host, 'cat', '/etc/machine-id'),
      await output(host, 'cat', '/proc/sys/kernel/random/boot_id'),
      await output(host, 'cat', '/etc/ssh/ssh_host_ed25519_key.pub'),
    ];
    const [one, two] = [await facts(db1), await facts(db2)];
    expect([one[0], two[0]]).toEqual(['db1', 'db2']);
    for (const [index, fact] of one.entries()) expect(two[index]).not.toBe(fact);
    await output(db1, 'touch', '/root/only-here');
    expect((await db2.exec(['test', '-e', '/root/only-here'])).exitCode).toBe(1);
    expect(existsSync('/root/only-here')).toBe(false);
  });

  it('sees its own processes and no others', async () => {
    const seen = await output(db1, 'ps', '-eo', 'pid=,comm=');
    expect(seen).toMatch(/^\s*1 lab-init/m);
    expect(seen).toMatch(/ mariadbd$/m);
    expect(seen.split('\n').length).toBeLessThan(12);
    expect(await output(db2, 'ps', '-eo', 'comm=')).not.toContain('mariadbd');
  });

  it('reaps what its processes leave behind', async () => {
    await output(db1, 'bash', '-c', 'for i in 1 2 3 4 5; do (setsid true &) ; done');
    await until('no zombies on db1', async () =>
      (await output(db1, 'ps', '-eo', 'stat=')).includes('Z') ? undefined : true,
    );
  });

  it('answers with exit codes, takes input, and has a deadline', async () => {
    expect(await db1.exec(['cat'], { input: 'through\n' })).toMatchObject({ stdout: 'through\n', exitCode: 0 });
    expect(await db1.exec(['sh', '-c', 'echo no >&2; exit 7'])).toMatchObject({ stderr: 'no\n', exitCode: 7 });
    await expect(db1.exec(['tail', '-f', '/dev/null'], { timeoutMs: 50 })).rejects.toThrow('no end within 50 ms');
    await until('end of the killed program', () => (db1.processes('tail').length === 0 ? true : undefined));
  });

  it('has MariaDB running on the primary only, with the accounts of an administrator', async () => {
    expect(await db1.sql('SELECT @@server_id, @@log_bin, @@gtid_strict_mode, @@binlog_format')).toEqual([
      ['1', '1', '1', 'ROW'],
    ]);
    expect(await db1.sql("SELECT User FROM mysql.user WHERE Host LIKE '10.77.0.\\%' ORDER BY User")).toEqual([
      ['repl'],
      ['standfast'],
    ]);
    expect((await db2.exec(['service', 'mariadb', 'status'])).exitCode).toBe(3);
  });
});

describe('power', () => {
  it('off ends everything at once, and on boots the same disk with an empty /run', async () => {
    const before = await output(db1, 'cat', '/proc/sys/kernel/random/boot_id');
    await output(db1, 'touch', '/run/gone-at-power-off', '/root/stays');
    await output(db1, 'ip', 'addr', 'add', '10.77.0.50/24', 'dev', 'eth0');
    await db1.powerOff();
    expect(db1.isOn()).toBe(false);
    expect(await reaches(lab.app, db1)).toBe(false);
    await expect(async () => db1.exec(['true'])).rejects.toThrow('host db1 is off');
    await db1.powerOn();
    expect(await output(db1, 'ls', '/root/stays')).toBe('/root/stays');
    expect((await db1.exec(['test', '-e', '/run/gone-at-power-off'])).exitCode).toBe(1);
    expect(await output(db1, 'cat', '/proc/sys/kernel/random/boot_id')).not.toBe(before);
    expect(await output(db1, 'ip', '-br', '-4', 'addr', 'show', 'eth0')).not.toContain('10.77.0.50');
    expect(await db1.sql('SELECT 1')).toEqual([['1']]);
  });

  it('keeps committed rows', async () => {
    await db1.sql("INSERT INTO ledger.writes (token, route, server) VALUES (42, 'test', 1)");
    await db1.powerOff();
    await db1.powerOn();
    expect(await db1.sql('SELECT token FROM ledger.writes')).toEqual([['42']]);
    await db1.sql('DELETE FROM ledger.writes');
  });

  it('hook says off only when it is, twice as well, and knows its hosts', async () => {
    const hook = lab.etc('power');
    expect(await run([hook, 'status', 'db2'])).toMatchObject({ stdout: 'on\n', exitCode: 0 });
    const processes = db2.processes('sshd');
    expect(processes).toHaveLength(1);
    expect(await run([hook, 'off', 'db2'])).toMatchObject({ stdout: 'off\n', exitCode: 0 });
    expect(existsSync(`/proc/${String(processes[0])}/exe`)).toBe(false);
    expect(await run([hook, 'off', 'db2'])).toMatchObject({ stdout: 'off\n', exitCode: 0 });
    expect(await run([hook, 'status', 'db2'])).toMatchObject({ stdout: 'off\n', exitCode: 0 });
    expect(await run([hook, 'off', 'db9'])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await run([hook, 'off', '../db1'])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(db1.isOn()).toBe(true);
    await db2.powerOn();
  });

  it('ends a program of ours on the host with the host', async () => {
    const child = db2.spawn(['tail', '-f', '/dev/null']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('tail on db2', () => (db2.processes('tail').length === 1 ? true : undefined));
    await db2.powerOff();
    await ended;
    await db2.powerOn();
  });
});

describe('the inventory', () => {
  it('says what a test wants otherwise, and what it said before when nothing is wanted', () => {
    const usual = readFileSync(lab.etc('standfast.yaml'), 'utf8');
    expect(usual).toContain('mode: semisync');
    lab.configure({ mode: 'async', fence: ['ssh'], alone: 'stop' });
    const other = readFileSync(lab.etc('standfast.yaml'), 'utf8');
    expect(other).toContain('mode: async');
    expect(other).not.toContain('- powerOff');
    expect(other).toContain('alone: stop');
    lab.configure({});
    expect(readFileSync(lab.etc('standfast.yaml'), 'utf8')).toBe(usual);
  });
});

describe('services', () => {
  it('freeze and thaw', async () => {
    expect(db1.signal('mariadbd', 'SIGSTOP')).toBe(1);
    await expect(db1.exec(['mariadb', '-e', 'SELECT 1'], { timeoutMs: 300 })).rejects.toThrow('no end within');
    expect(db1.signal('mariadbd', 'SIGCONT')).toBe(1);
    expect(await db1.sql('SELECT 1')).toEqual([['1']]);
  });

  it('stay dead when killed, and can be started again', async () => {
    expect(db1.signal('mariadbd', 'SIGKILL')).toBe(1);
    await until('end of mariadbd', () => (db1.processes('mariadbd').length === 0 ? true : undefined));
    expect((await db1.exec(['service', 'mariadb', 'status'])).exitCode).toBe(3);
    await output(db1, 'service', 'mariadb', 'start');
    expect(await db1.sql('SELECT 1')).toEqual([['1']]);
  });

  it('come back by themselves under a supervisor', async () => {
    await output(db1, 'touch', '/etc/lab-supervise');
    await output(db1, 'service', 'mariadb', 'restart');
    const [before] = db1.processes('mariadbd');
    expect(db1.processes('mariadbd-safe')).toHaveLength(1);
    db1.signal('mariadbd', 'SIGKILL');
    await until('another mariadbd', () => db1.processes('mariadbd').find((pid) => pid !== before));
    await output(db1, 'service', 'mariadb', 'start');
    expect(db1.processes('mariadbd')).not.toContain(before);
    await output(db1, 'rm', '/etc/lab-supervise');
    await output(db1, 'service', 'mariadb', 'stop');
    expect([...db1.processes('mariadbd'), ...db1.processes('mariadbd-safe')]).toEqual([]);
    await output(db1, 'service', 'mariadb', 'start');
  });

  it('say what keeps a database from starting', async () => {
    await db2.exec(['sh', '-c', 'printf "[mysqld]\\nno_such_setting=1\\n" > /etc/mysql/mariadb.conf.d/99-broken.cnf']);
    const started = await db2.exec(['service', 'mariadb', 'start']);
    expect(started.exitCode).toBe(1);
    expect(started.stderr).toContain('no_such_setting');
    await output(db2, 'rm', '/etc/mysql/mariadb.conf.d/99-broken.cnf', '/etc/lab-enabled/mariadb');
  });
});

describe('the network', () => {
  it('is cut both ways and healed', async () => {
    expect(await reaches(db1, db2)).toBe(true);
    await lab.cut('db1', 'db2');
    expect([await reaches(db1, db2), await reaches(db2, db1), await reaches(lab.app, db1)]).toEqual([
      false,
      false,
      true,
    ]);
    await lab.heal();
    expect(await comesToReach(db1, db2)).toBe(true);
  });

  it('is cut one way: packets still arrive in the other', async () => {
    expect(await reaches(lab.app, db1)).toBe(true);
    await lab.cut('db1', 'app', 'a-to-b');
    const before = await segmentsAt(db1);
    expect(await reaches(lab.app, db1)).toBe(false);
    expect(await segmentsAt(db1)).toBeGreaterThan(before);
    await lab.heal();
    await lab.cut('db1', 'app', 'b-to-a');
    await lab.cut('app', 'db1', 'a-to-b');
    expect(lab.state.cuts).toHaveLength(1);
    const unheard = await segmentsAt(db1);
    expect(await reaches(lab.app, db1)).toBe(false);
    expect(await segmentsAt(db1)).toBe(unheard);
    await lab.heal();
    expect(await comesToReach(lab.app, db1)).toBe(true);
  });

  it('is joined again between two, and stays cut elsewhere', async () => {
    await lab.cut('db1', 'db2');
    await lab.cut('db1', 'app');
    await lab.join('db2', 'db1');
    expect(await comesToReach(db2, db1)).toBe(true);
    expect(await reaches(lab.app, db1)).toBe(false);
    await lab.heal();
    expect(await comesToReach(lab.app, db1)).toBe(true);
  });

  it('loses the share of the packets that it is told to, until it is joined', async () => {
    await comesToReach(lab.app, db1);
    const arrived = async (): Promise<number> => {
      const before = await datagramsAt(db1);
      const send = 'for i in {1..200}; do echo > /dev/udp/$1/9; done';
      await lab.app.exec(['bash', '-c', send, 'send', db1.address]);
      return (await datagramsAt(db1)) - before;
    };
    expect(await arrived()).toBe(200);
    await lab.cut('app', 'db1', { percent: 30 });
    const left = await arrived();
    expect(left).toBeGreaterThan(100);
    expect(left).toBeLessThan(175);
    await lab.join('app', 'db1');
    expect(await arrived()).toBe(200);
  });

  it('keeps a cut over a power cycle', async () => {
    await lab.cut('app', 'db2');
    await db2.powerOff();
    await db2.powerOn();
    expect(await reaches(lab.app, db2)).toBe(false);
    await lab.heal();
    expect(await comesToReach(lab.app, db2)).toBe(true);
  });

  it('loses a host whose cable is out', async () => {
    await lab.linkDown('db2');
    expect(await output(db2, 'cat', '/sys/class/net/eth0/carrier')).toBe('0');
    expect(await reaches(lab.app, db2)).toBe(false);
    await lab.linkUp('db2');
    expect(await comesToReach(lab.app, db2)).toBe(true);
  });

  it('brings a host nothing early and little at a time over a slow line, all of it whole, until its next power cycle', async () => {
    await comesToReach(db1, db2);
    await slowLine(lab, 'db2', { mbits: 10, roundTripMs: 40 });
    expect(await output(db2, 'cat', '/sys/class/net/eth0/speed')).toBe('10');
    await comesToReach(db1, db2);
    const ask = 'at=$EPOCHREALTIME; : 3<>/dev/tcp/$1/22; echo $((${EPOCHREALTIME/./} - ${at/./}))';
    expect(Number(await output(db1, 'bash', '-c', ask, 'ask', db2.address))).toBeGreaterThan(40_000);
    // Larger than one frame: what the kernel has left to the card to cut and to sum up must arrive whole.
    db2.spawn(['socat', '-u', 'TCP-LISTEN:7000', 'CREATE:/root/got']);
    const startedMs = performance.now();
    const send =
      'head -c 1000000 /dev/urandom >/root/sent; socat -u OPEN:/root/sent "TCP:$1:7000,retry=50,interval=0.02"; sha1sum </root/sent';
    const sent = await output(db1, 'bash', '-c', send, 'send', db2.address);
    await until('all of it', async () =>
      (await output(db2, 'sha1sum', '/root/got')).startsWith(sent.slice(0, 40)) ? true : undefined,
    );
    expect(performance.now() - startedMs).toBeGreaterThan(700);
    await lab.cut('db1', 'db2');
    expect(await reaches(db1, db2)).toBe(false);
    await lab.heal();
    await db2.powerOff();
    await db2.powerOn();
    expect(await output(db2, 'cat', '/sys/class/net/eth0/speed')).toBe('10000');
    expect(await comesToReach(db1, db2)).toBe(true);
  });

  it('lends a port of a seat to the machine', async () => {
    const server = lab.control.spawn([
      'socat',
      'TCP-LISTEN:8080,bind=127.0.0.1,reuseaddr,fork',
      'SYSTEM:echo from control',
    ]);
    await until('server in control', async () =>
      (await output(lab.control, 'ss', '-Hltn', 'sport = 8080')) === '' ? undefined : true,
    );
    const port = await lab.expose('control', 8080);
    expect((await run(['socat', '-u', `TCP:127.0.0.1:${String(port)}`, '-'])).stdout).toBe('from control\n');
    server.kill('SIGKILL');
  });
});

describe('a small disk', () => {
  it('is under the data directory, over a power cycle too, can be filled, and takes writes again when there is room', async () => {
    await giveSmallDisk(db1, 64);
    await db1.powerOff();
    await db1.powerOn();
    await output(db1, 'mountpoint', '/var/lib/mysql');
    await fillDisk(db1);
    const write = ['dd', 'if=/dev/zero', 'of=/var/lib/mysql/.probe', 'bs=64k', 'count=1', 'status=none'];
    expect((await db1.exec(write)).stderr).toContain('No space left');
    await freeDisk(db1);
    expect((await db1.exec(write)).exitCode).toBe(0);
    expect(await db1.sql('SELECT COUNT(*) FROM ledger.writes')).toEqual([['0']]);
  });
});

describe('saved states', () => {
  it('bring all hosts back, databases included', async () => {
    await db1.sql('CREATE TABLE ledger.kept (a INT PRIMARY KEY); INSERT INTO ledger.kept VALUES (1)');
    await lab.save('one-row');
    await db1.sql('INSERT INTO ledger.kept VALUES (2)');
    await output(db2, 'touch', '/root/after');
    await lab.cut('db1', 'db2');
    await db2.powerOff();
    const started = performance.now();
    await lab.restore('one-row');
    process.stdout.write(`restored in ${(performance.now() - started).toFixed(0)} ms\n`);
    expect(await db1.sql('SELECT a FROM ledger.kept')).toEqual([['1']]);
    expect((await db2.exec(['test', '-e', '/root/after'])).exitCode).toBe(1);
    expect(await comesToReach(db1, db2)).toBe(true);
    expect(lab.hosts.map((host) => host.isOn())).toEqual([true, true, true]);
  });

  it('stack: an older one can be restored over a newer one', async () => {
    await db1.sql('INSERT INTO ledger.kept VALUES (2)');
    await lab.save('two-rows');
    await lab.restore('one-row');
    expect(await db1.sql('SELECT COUNT(*) FROM ledger.kept')).toEqual([['1']]);
    await lab.restore('two-rows');
    expect(await db1.sql('SELECT COUNT(*) FROM ledger.kept')).toEqual([['2']]);
  });

  it('are not overwritten, and unknown ones are named', async () => {
    await expect(lab.save('one-row')).rejects.toThrow('exists already; nothing was changed');
    await expect(lab.restore('none')).rejects.toThrow('no saved state none (there is: one-row, two-rows)');
    expect(db1.isOn()).toBe(true);
  });
});

describe('the folder of a lab', () => {
  it('has secrets that only root reads, and an inventory with its addresses', () => {
    for (const file of ['standfast.password', 'repl.password', 'app.password', 'ssh_key', 'standfast.yaml']) {
      expect(statSync(lab.etc(file)).mode & 0o077, file).toBe(0);
    }
    const inventory = readFileSync(lab.etc('standfast.yaml'), 'utf8');
    expect(inventory).toContain('address: 10.77.0.3');
    expect(inventory).toContain(`- ${lab.etc('power')}`);
    expect(readFileSync(lab.etc('known_hosts'), 'utf8')).toMatch(/^10\.77\.0\.1 ssh-ed25519 \S+$/m);
  });

  it('is enough to attach to it', async () => {
    const other = Lab.attachByName('t-lab');
    expect(other.host('db1').isOn()).toBe(true);
    expect(await other.host('db1').sql('SELECT @@hostname')).toEqual([['db1']]);
    expect(() => Lab.attach('/nowhere')).toThrow('there is no lab in /nowhere');
    expect(() => other.host('db9')).toThrow('has no host db9; it has db1, db2, db3');
  });
});
