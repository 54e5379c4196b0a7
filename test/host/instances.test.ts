import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';

// Two instances of the server on one machine, each under a supervisor of its own: what is done to ours is not done to the other one.

const owner = 'plane-1';
const order = { owner, epoch: 1, run: 'run-1' };
const OTHER = '/srv/other';
const proven = { process: 'gone', supervisor: 'gone', port: 'closed', vip: 'no' };

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.installDatabase();
  host.fields('configure', { owner, server_id: 7, report_host: 'db1' });
  host.fields('claim', { ...order, account: 'standfast' });
  host.shell(`mkdir -p ${OTHER} /run/other; chown mysql:mysql ${OTHER} /run/other
    mariadb-install-db --user=mysql --datadir=${OTHER} --skip-test-db >/dev/null 2>&1
    printf '[mysqld]\\ndatadir=${OTHER}\\nport=3307\\nsocket=/run/other/sock\\npid-file=/run/other/pid\\n' >/etc/other.cnf
    printf '[mysqld]\\ndatadir=/var/lib/mysql\\n' >/etc/ours.cnf
    printf '[mysqld]\\ndatadir=${OTHER}\\n[mysqld_safe]\\ndatadir=/var/lib/mysql\\n' >/etc/safe-ours.cnf
    printf '[mysqld]\\ndatadir=${OTHER}\\n[mariadbd-safe]\\ndata=/var/lib/mysql\\n[mysqld_safe]\\ndatadir=/srv/third\\n' >/etc/data-ours.cnf
    printf '[mysqld_safe]\\ndata=${OTHER}\\n[mariadb_safe]\\ndatadir=/srv/third\\n' >/etc/safe-other.cnf`);
  host.shell(
    'setsid mariadbd-safe --defaults-file=/etc/other.cnf --skip-syslog --user=mysql >/dev/null 2>&1 </dev/null &',
  );
  await until('the other instance', otherAnswers, (code) => code === 0);
});
afterAll(() => host.stop());
beforeEach(() => {
  host.fields('unfence', order);
  host.serve({ owner });
});

const otherAnswers = () =>
  host.run('mariadb-admin', '--no-defaults', '-uroot', '-S', '/run/other/sock', 'ping').exitCode;
const processes = (name: string): readonly string[] => host.processesOf(name);
const supervisors = () => [...processes('mariadbd-safe'), ...processes('mysqld_safe')];
const ofOther = (lines: readonly string[]) => lines.filter((line) => /other/.test(line));
const pidsOf = (lines: readonly string[]): readonly string[] => lines.map((line) => line.split(' ')[0] ?? '');
/** The server is dead, and its supervisor, which stands still, has not heard of it. */
const killUnheard = async (server: readonly string[], supervisor: readonly string[]): Promise<void> => {
  const [pid = '', ...more] = pidsOf(server);
  expect(more).toEqual([]);
  host.must('kill', '-STOP', ...pidsOf(supervisor));
  host.must('kill', '-KILL', pid);
  await until(
    'the server is a zombie',
    () => host.run('cut', '-d', ' ', '-f', '3', `/proc/${pid}/stat`).stdout,
    (state) => state === 'Z\n',
  );
};
/** A process that has that name and these arguments, and waits. */
const waiting = async (name: string, ...args: readonly string[]): Promise<string> => {
  host.shell(`test -e /run/${name} || cp /bin/bash /run/${name}`);
  const process = host.start('setsid', `/run/${name}`, '-c', 'cd /; echo $$; read -r _; :', name, ...args);
  return await firstWord(process);
};
const firstWord = ({ stdout }: ReturnType<Sandbox['start']>): Promise<string> =>
  once(stdout, 'data').then(([chunk]) => String(chunk).trim());
const lives = (pid: string): boolean => host.run('kill', '-0', pid).exitCode === 0;

describe('a fence', () => {
  it('leaves another instance on the same machine alone, and its supervisor', () => {
    const [server, supervisor] = [ofOther(processes('mariadbd')), ofOther(supervisors())];
    expect([server.length, supervisor.length]).toEqual([1, 1]);
    expect([processes('mariadbd').length, supervisors().length]).toEqual([2, 2]);
    expect(host.fields('fence', order)).toEqual(proven);
    expect(processes('mariadbd')).toEqual(server);
    expect(supervisors()).toEqual(supervisor);
    expect(host.fields('observe')).toMatchObject({ mysqld: 'stopped', supervisor: 'no' });
  });

  it.each([
    ['its arguments', [`--datadir=${OTHER}`]],
    ['the file that they name', ['--defaults-file=/etc/other.cnf']],
    ['the groups of a supervisor in the file that they name', ['--defaults-file=/etc/safe-other.cnf']],
    ['an abbreviation in its arguments', ['--defaults-file=/etc/ours.cnf', `--data=${OTHER}`]],
  ])(
    'leaves a supervisor that has no server now, and whose data are elsewhere, as it is told by %s',
    async (_, args) => {
      const pid = await waiting('mariadbd-safe', ...args);
      expect(host.fields('fence', order)).toEqual(proven);
      expect(lives(pid)).toBe(true);
      host.must('kill', '-KILL', pid);
    },
  );

  it.each([
    ['names our data', ['--datadir=/var/lib/mysql/']],
    ['names nothing', []],
    ['names a file that cannot be read', ['--defaults-file=/etc/none.cnf']],
    ['is told of our data by a group for supervisors', ['--defaults-file=/etc/safe-ours.cnf']],
    ['is told of our data by an abbreviation among others', ['--defaults-file=/etc/data-ours.cnf']],
    ['names a place that depends on where it stands', ['--datadir=data']],
  ])('ends a supervisor that has no server now and %s', async (_, args) => {
    const pid = await waiting('mariadbd-safe', ...args);
    expect(host.fields('fence', order)).toEqual(proven);
    expect(lives(pid)).toBe(false);
  });

  it('ends the supervisor of a server that is dead, and of which it has not heard yet', async () => {
    const ours = (lines: readonly string[]) => lines.filter((line) => !/other/.test(line));
    // Started by somebody else, as far as this helper knows.
    host.shell('rm /run/standfast/starter');
    const left = ofOther(supervisors());
    await killUnheard(ours(processes('mariadbd')), ours(supervisors()));
    expect(host.fields('fence', order)).toEqual(proven);
    expect(supervisors()).toEqual(left);
  });

  it('is proven, and leaves the supervisor alone, while the server of another instance is dead and its supervisor has not heard of it', async () => {
    const supervisor = ofOther(supervisors());
    await killUnheard(ofOther(processes('mariadbd')), supervisor);
    expect(host.fields('fence', order)).toEqual(proven);
    expect(ofOther(supervisors())).toEqual(supervisor);
    host.must('kill', '-CONT', ...pidsOf(supervisor));
    await until('the other instance again', otherAnswers, (code) => code === 0);
  });

  it('ends what may be our server when nothing can be told of it any more but that it has threads', async () => {
    host.fields('service-stop', { owner });
    host.shell(`printf '%s\\n' 'import ctypes, os, threading, time' 'threading.Thread(target=time.sleep, args=(600,)).start()' \\
      'print(os.getpid(), flush=True)' 'ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)' >/run/leaderless.py
      test -e /run/threads/mariadbd || install -D /usr/bin/python3 /run/threads/mariadbd`);
    const pid = await firstWord(host.start('setsid', '/run/threads/mariadbd', '/run/leaderless.py'));
    await until(
      'its leader has ended',
      () => host.run('test', '-e', `/proc/${pid}/root`).exitCode,
      (code) => code === 1,
    );
    expect(host.fields('observe')).toMatchObject({ mysqld: 'running', pid });
    expect(host.fields('fence', order)).toEqual(proven);
    expect(lives(pid)).toBe(false);
  });

  it('leaves a server of another instance that has only begun to start', async () => {
    const pid = await waiting('mariadbd', `--datadir=${OTHER}`);
    expect(host.fields('fence', order)).toEqual(proven);
    expect(lives(pid)).toBe(true);
    host.must('kill', '-KILL', pid);
  });
});

describe('an instance that is not the one of the default files', () => {
  it('is the one that is fenced when it is ours, and the default one stays', () => {
    // Started by somebody else, as far as this helper knows.
    host.shell('rm /run/standfast/starter');
    host.shell(`printf 'datadir=${OTHER}\\nport=3307\\nsocket=/run/other/sock\\n' >/etc/standfast/host.conf`);
    try {
      const left = supervisors().filter((line) => !/other/.test(line));
      expect(host.fields('fence', order)).toEqual(proven);
      expect(ofOther([...supervisors(), ...processes('mariadbd')])).toEqual([]);
      expect(supervisors()).toEqual(left);
    } finally {
      host.shell('rm -f /etc/standfast/host.conf');
    }
  });
});
