import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';

const owner = 'plane-1';
const account = 'standfast';
let host: Sandbox;
let count = 0;
let job: string;

beforeAll(async () => {
  host = await Sandbox.start('db2');
  host.installDatabase();
  host.fields('configure', { owner, server_id: 2, report_host: 'db2', settings: 'log_bin=mariadb-bin' });
});
afterAll(() => host.stop());
beforeEach(() => {
  count += 1;
  job = `copy-${String(count)}`;
});

const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });
const begin = (): string => host.fields('job-claim', { owner, job })['attempt'] ?? '';
const jobFolders = () => host.shell(`ls -A /var/lib/standfast/jobs | grep -x ${job} || true`);

describe('attempts at a job', () => {
  it('are numbered by the host, and only the newest may give orders', () => {
    expect(begin()).toBe('1');
    expect(host.ask('job-key', { owner, job, attempt: 1 }).ok).toBe(true);
    expect(begin()).toBe('2');
    expect(host.ask('job-assert', { owner, job, attempt: 1 })).toEqual(refused('Stale', 'db2 is at attempt 2 (open)'));
    expect(host.ask('job-assert', { owner, job, attempt: 2 }).ok).toBe(true);
  });

  it.each([
    ['job-key', {}],
    ['job-open', { public: 'ssh-ed25519 AAAA', from: '10.0.0.1', bytes: 1 }],
    ['job-send', { target: '10.0.0.2', user: 'standfast', known_hosts: 'x' }],
    ['job-install', { bytes: 1 }],
    ['job-prove', { tables: 1, position: '0-1-1' }],
    ['service-start', {}],
    ['configure', { server_id: 7, report_host: 'db7' }],
  ])('of the past cannot carry out %s', (verb, args) => {
    begin();
    begin();
    const before = host.must('cat', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf');
    const answer = host.ask(verb, { owner, job, attempt: 1, ...args });
    expect(answer).toEqual(refused('Stale', 'nothing was changed by it'));
    expect(jobFolders()).toBe('');
    expect(host.fields('observe')).toMatchObject({ mysqld: 'stopped' });
    expect(host.must('cat', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf')).toBe(before);
  });

  it('end with the job: whoever comes after a clean makes nothing and starts nothing', () => {
    begin();
    host.fields('job-key', { owner, job, attempt: 1 });
    host.fields('job-clean', { owner, job });
    expect(host.ask('job-claim', { owner, job })).toEqual(refused('Stale', 'is over; no attempt may change anything'));
    for (const verb of ['job-key', 'service-start'])
      expect(host.ask(verb, { owner, job, attempt: 1 })).toEqual(refused('Stale', '(over)'));
    expect(jobFolders()).toBe('');
    expect(host.ask('job-clean', { owner, job }).ok).toBe(true);
  });

  it('end with the proof, which stays readable for an attempt whose report was lost', () => {
    begin();
    const proof = { owner, job, attempt: 1, tables: 12, position: '0-1-100,1-2-3' };
    host.fields('job-prove', proof);
    expect(host.ask('job-prove', proof).ok).toBe(true);
    expect(host.fields('job-status', { job })).toMatchObject({ phase: 'proven', proof: '12 0-1-100,1-2-3' });
    expect(host.ask('job-claim', { owner, job })).toEqual(refused('Stale', 'is proven'));
    expect(host.ask('job-assert', { owner, job, attempt: 1 })).toEqual(refused('Stale', '(proven)'));
    host.fields('job-keep', { owner, job });
    expect(host.fields('job-status', { job })).toMatchObject({ phase: 'over' });
  });

  it('are not begun from a damaged record, and cleaning still works', () => {
    begin();
    host.shell(`: >/var/lib/standfast/attempts/${job}`);
    expect(host.ask('job-claim', { owner, job })).toEqual(refused('Unsafe', 'damaged'));
    host.fields('job-clean', { owner, job });
    expect(host.ask('job-claim', { owner, job })).toEqual(refused('Stale', 'over'));
  });

  it('need a job beside the number, and obey the owner', () => {
    expect(host.ask('service-start', { owner, attempt: 1 })).toEqual(refused('BadInput', 'attempt comes with job'));
    expect(host.ask('job-claim', { owner: 'plane-2', job })).toEqual(refused('Unsafe', 'hand-over owner=plane-2'));
  });
});

describe('an order of an older attempt that hangs', () => {
  /** Holds the lock as an order of `ofJob` does. */
  const hold = async (ofJob: string) => {
    const holder = host.start(
      ...['setsid', 'bash', '-c'],
      `exec 9>/run/standfast/lock; flock 9; read -ra s </proc/$$/stat
      echo "$$ \${s[21]} service-start ${ofJob}" >/run/standfast/holder; echo held; sleep 600`,
    );
    await once(holder.stdout, 'data');
    return holder;
  };
  const gone = (holder: Awaited<ReturnType<typeof hold>>) =>
    until(
      'the holder is ended',
      () => holder.exitCode ?? holder.signalCode,
      (seen) => seen !== null,
    );

  it.each(['job-claim', 'job-clean'])('is ended by %s of the same job', async (verb) => {
    const holder = await hold(job);
    expect(host.ask(verb, { owner, job }).ok).toBe(true);
    await gone(holder);
  });

  it('is left alone by another job, which waits no longer than its deadline', async () => {
    const holder = await hold('another');
    expect(host.ask('job-claim', { owner, job })).toEqual(refused('NotYet', 'another order (service-start)'));
    expect(holder.exitCode).toBeNull();
    host.ask('job-claim', { owner, job: 'another' });
    await gone(holder);
  });
});

describe('sessions of an older attempt', () => {
  it('are killed by a claim that names the account, and nobody else is', async () => {
    host.fields('service-start', { owner });
    host.sql(
      "CREATE USER standfast@localhost IDENTIFIED BY 'x'; CREATE USER app@localhost IDENTIFIED BY 'y'; GRANT ALL ON *.* TO standfast@localhost",
    );
    const sleeper = (user: string, password: string) =>
      host.start('mariadb', '--no-defaults', `-u${user}`, `-p${password}`, '-e', 'SELECT SLEEP(600)');
    const [old, app] = [sleeper('standfast', 'x'), sleeper('app', 'y')];
    const users = () =>
      host.sql(
        "SELECT GROUP_CONCAT(USER ORDER BY USER) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(6%' AND USER <> 'root'",
      );
    await until('both sleep', users, (seen) => seen === 'app,standfast');
    const ended = once(old, 'exit');
    host.fields('job-claim', { owner, job, account });
    await ended;
    expect(users()).toBe('app');
    app.kill();
    host.fields('service-stop', { owner });
  });

  it('of a server that answers nobody cannot be ended, so no attempt begins', () => {
    host.fields('service-start', { owner });
    host.must('pkill', '-STOP', '-x', 'mariadbd');
    expect(host.ask('job-claim', { owner, job, account })).toEqual(refused('Unverified', 'greets nobody'));
    host.must('pkill', '-CONT', '-x', 'mariadbd');
    expect(host.fields('job-claim', { owner, job, account })['attempt']).toBe('2');
    host.fields('service-stop', { owner });
  });
});

describe('the settings that a server would have', () => {
  const settings = () => host.fields('server-settings');
  const write = (line: string) => host.shell(`printf '[mysqld]\\n${line}\\n' >/etc/mysql/conf.d/test.cnf`);

  it('are read from its program and its files while it is stopped', async () => {
    host.shell('rm -f /etc/localtime; ln -s /usr/share/zoneinfo/Etc/UTC /etc/localtime');
    await host.serverIsGone();
    const { version, ...rest } = settings();
    expect(version).toMatch(/^\d+\.\d+\.\d+-MariaDB/);
    expect(rest).toEqual({ lower_case_table_names: '0', time_zone: 'Etc/UTC' });
    write('lower-case-table-names=1\\ndefault-time-zone=+02:00');
    expect(settings()).toMatchObject({ lower_case_table_names: '1', time_zone: '+02:00' });
    host.shell('rm /etc/mysql/conf.d/test.cnf');
  });

  it('take the zone of the host by its name, by the content of a file that is no link, and UTC without one', () => {
    host.shell('ln -sf /usr/share/zoneinfo/Europe/Oslo /etc/localtime');
    expect(settings()['time_zone']).toBe('Europe/Oslo');
    host.shell('cp --remove-destination /usr/share/zoneinfo/Europe/Oslo /etc/localtime');
    expect(settings()['time_zone']).toMatch(/^file:[0-9a-f]{12}$/);
    host.shell('rm /etc/localtime');
    expect(settings()['time_zone']).toBe('UTC');
  });
});
