import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';

const owner = 'plane-1';
const DATA = '/var/lib/mysql';
const KEYS = '/var/lib/standfast-account/.ssh/authorized_keys';
let donor: Sandbox;
let target: Sandbox;
let knownHosts: string;
let count = 0;
let job: string;

beforeAll(async () => {
  [donor, target] = await Promise.all([Sandbox.start('db1'), Sandbox.start('db2')]);
  donor.join(target, { mine: '10.88.0.1', theirs: '10.88.0.2' });
  target.shell('ssh-keygen -A >/dev/null && /usr/sbin/sshd -p 2222');
  knownHosts = `[10.88.0.2]:2222 ${target.shell("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")}\n`;
  donor.installDatabase();
  target.installDatabase();
  donor.fields('configure', { owner, server_id: 1, report_host: 'db1', settings: 'log_bin=mariadb-bin' });
  target.fields('configure', { owner, server_id: 2, report_host: 'db2', settings: 'log_bin=mariadb-bin' });
  donor.serve({ owner });
  donor.sql(`SET GLOBAL read_only=0; CREATE DATABASE shop; USE shop; CREATE TABLE t (i INT PRIMARY KEY, b LONGBLOB);
    INSERT INTO t SELECT seq, REPEAT(SHA2(seq, 512), 4000) FROM seq_1_to_64`);
});
afterAll(() => Promise.all([donor.stop(), target.stop()]));

let fresh: string;
function installAnew(): void {
  target.shell(`rm -rf ${DATA}; install -d -o mysql -g mysql ${DATA}`);
  target.installDatabase();
}
const listing = () => target.shell(`cd ${DATA} && find . ! -name '*.pid' -printf '%p %U %m %s\\n' | sort`);
const keyLines = () => target.shell(`grep -c standfast-job- ${KEYS} || true`);
beforeEach(() => {
  count += 1;
  job = `shop-${String(count)}`;
  fresh = listing();
});

/** One broken test must not break the next ones. */
afterEach(() => {
  for (const host of [target, donor]) host.ask('job-clean', { owner, job });
});

const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });
/** A new attempt at the job gives one order. */
const attempt = (host: Sandbox, verb: string, args: Readonly<Record<string, string | number>> = {}) =>
  host.ask(verb, { owner, job, attempt: host.fields('job-claim', { owner, job })['attempt'] ?? '', ...args });
const fieldsOf = (answer: ReturnType<typeof attempt>) => {
  if (answer.ok) return answer.fields;
  throw new Error(`${answer.type}: ${answer.message}`);
};
const open = (bytes = 1_000_000) =>
  attempt(target, 'job-open', {
    public: fieldsOf(attempt(donor, 'job-key'))['public'] ?? '',
    from: '10.88.0.1',
    bytes,
  });
const send = (known = knownHosts) =>
  fieldsOf(
    attempt(donor, 'job-send', { target: '10.88.0.2', target_port: 2222, user: 'standfast', known_hosts: known }),
  );
const ended = (host: Sandbox) =>
  until(
    `the job ends on ${host.name}`,
    () => host.fields('job-status', { job }),
    ({ state }) => state !== 'running',
  );
const clean = () => [target.fields('job-clean', { owner, job }), donor.fields('job-clean', { owner, job })];

async function copied(): Promise<string> {
  expect(open().ok).toBe(true);
  send();
  const { state, bytes = '', log } = await ended(donor);
  expect(state, log).toBe('done');
  return bytes;
}

function expectUntouched(): void {
  expect(listing()).toBe(fresh);
  expect(keyLines()).toBe('0');
  expect(donor.shell('ls /var/lib/standfast/jobs')).toBe('');
  expect(target.shell('ls -A /var/lib/standfast/jobs')).toBe('');
  expect(donor.run('pgrep', '-x', 'mariadb-backup').stdout).toBe('');
}

describe('a copy job', () => {
  it('goes from host to host, is installed, and serves the same rows', async () => {
    const bytes = await copied();
    const again = send();
    expect(again).toMatchObject({ state: 'done', bytes });
    expect(target.fields('job-status', { job })).toMatchObject({ state: 'done', step: 'receive', bytes });
    expect(attempt(target, 'job-install', { bytes: Number(bytes) + 1 })).toEqual(
      refused('Unverified', 'nothing was installed'),
    );
    fieldsOf(attempt(target, 'job-install', { bytes }));
    const done = await ended(target);
    expect(done).toMatchObject({ state: 'done', step: 'installed', gtid: donor.sql('SELECT @@gtid_binlog_pos') });
    expect(target.fields('service-start', { owner })).toMatchObject({ read_only: '1' });
    const checksum = 'CHECKSUM TABLE shop.t EXTENDED';
    expect(target.sql(checksum)).toBe(donor.sql(checksum));
    expect(target.sql('SHOW DATABASES')).not.toContain('standfast');
    clean();
    await target.serverIsGone();
    expectUntouched();
  });

  it('stays when it is kept, and a later clean finds nothing to undo', async () => {
    const bytes = await copied();
    expect(target.ask('job-keep', { owner, job })).toEqual(refused('Unsafe', 'not finished'));
    fieldsOf(attempt(target, 'job-install', { bytes }));
    await ended(target);
    target.fields('job-keep', { owner, job });
    donor.fields('job-keep', { owner, job });
    const kept = listing();
    expect(kept).toContain('./shop');
    expect(kept).not.toContain('.standfast');
    clean();
    expect(listing()).toBe(kept);
    expect(keyLines()).toBe('0');
    installAnew();
  });

  it('is not undone on a host that an operation relies on, or is about to', async () => {
    const { bytes } = { bytes: await copied() };
    fieldsOf(attempt(target, 'job-install', { bytes }));
    await ended(target);
    const at = { owner, epoch: 900 + count, run: 'r' };
    const { boot = '' } = target.fields('claim', { ...at, account: 'nobody-connected' });
    target.fields('confirm', { ...at, name: 'db2', boot });
    const kept = listing();
    const refusedFor = (why: string) => {
      expect(target.ask('job-clean', { owner, job })).toEqual(refused('Unsafe', why));
      expect(listing().replace(/.*\.standfast.*\n?/g, '')).toBe(kept.replace(/.*\.standfast.*\n?/g, ''));
    };
    target.fields('keep-relay', at);
    refusedFor('counts on what it has received');
    target.fields('record-primary', { ...at, host: 'db2', mode: 'async', ackers: 'db3', k: 1 });
    target.fields('release-relay', at);
    refusedFor('recorded as the primary');
    target.fields('record-primary', { ...at, host: 'db1', mode: 'lossless', ackers: 'db2,db3', k: 1 });
    refusedFor('recorded as an acker');
    target.fields('record-sync', { ...at, mode: 'lossless', ackers: 'db3', k: 1 });
    clean();
    expectUntouched();
  });

  it('waits for a process that only seemed to be the server', async () => {
    await target.endingPretender();
    expect(target.ask('job-check', { bytes: 1_000_000 })).toMatchObject({ ok: true });
    const bytes = await copied();
    const order = { owner, job, attempt: target.fields('job-claim', { owner, job })['attempt'] ?? '', bytes };
    await target.endingPretender();
    expect(target.ask('job-install', order)).toMatchObject({ ok: true });
    await ended(target);
    clean();
  });

  it('leaves the keys of others as they are, also a last line without its end', () => {
    target.shell(`printf 'ssh-ed25519 AAAA worker' >>${KEYS}`);
    open();
    clean();
    expect(target.must('cat', KEYS)).toContain('ssh-ed25519 AAAA worker');
    target.shell(`sed -i '/AAAA worker/d' ${KEYS}`);
  });

  it('is one only, also for two askers: asking again attaches', () => {
    open();
    expect(send()['state']).toBe('running');
    const group = donor.shell(`cat /var/lib/standfast/jobs/${job}/group`);
    send();
    expect(donor.shell(`cat /var/lib/standfast/jobs/${job}/group`)).toBe(group);
    clean();
    expectUntouched();
  });

  it('outlives the call that started it, and a claim does not end it', async () => {
    donor.fields('claim', { owner, epoch: count + 100, run: 'r', account: 'nobody-connected' });
    const bytes = await copied();
    donor.fields('claim', { owner, epoch: count + 200, run: 'r', account: 'nobody-connected' });
    expect(donor.fields('job-status', { job })).toMatchObject({ state: 'done', bytes });
    clean();
    expectUntouched();
  });
});

describe('a target', () => {
  it.each([
    ['a foreign file', `echo x >${DATA}/precious.txt`, `rm ${DATA}/precious.txt`, 'precious.txt'],
    ['another database', `mkdir ${DATA}/shop`, `rmdir ${DATA}/shop`, 'shop'],
    ['a test database with a table', `mkdir ${DATA}/test; echo >${DATA}/test/t.frm`, `rm -r ${DATA}/test`, 'test'],
    ['a binlog', `echo >${DATA}/mariadb-bin.000001`, `rm ${DATA}/mariadb-bin.000001`, 'mariadb-bin.000001'],
    ['the rest of another job', `mkdir -p ${DATA}/.standfast/aside-x`, `rm -r ${DATA}/.standfast`, '.standfast'],
  ])('with %s is refused by name, and nothing is changed', (_, make, remove, name) => {
    target.shell(make);
    const asked = target.ask('job-check', { bytes: 1_000_000 });
    expect(asked).toEqual(refused('Unsafe', `not a fresh installation, it has: ${name} ;`));
    expect(open()).toEqual(refused('Unsafe', `not a fresh installation, it has: ${name} ;`));
    target.shell(remove);
    clean();
    expectUntouched();
  });

  it('that holds a copy that was not cleaned up says which order removes it, and is fresh again after it', () => {
    expect(target.ask('job-claim', { owner, job: 'shop-old' })).toMatchObject({ ok: true });
    target.shell(`mkdir -p ${DATA}/.standfast/staging-shop-old/shop`);
    const order = `as root on db2: standfast-host job-clean owner=${owner} job=shop-old; if that data`;
    for (const answer of [target.ask('job-check', { bytes: 1_000_000 }), open()])
      expect(answer).toEqual(refused('Unsafe', order));
    target.fields('job-clean', { owner, job: 'shop-old' });
    expect(target.ask('job-check', { bytes: 1_000_000 })).toMatchObject({ ok: true });
    clean();
    expectUntouched();
  });

  it('is refused when it is too small, or runs', () => {
    expect(target.ask('job-check', { bytes: 1_000_000 })).toMatchObject({ ok: true });
    expect(target.ask('job-check', { bytes: 10 ** 15 })).toEqual(refused('Unsafe', '× 1.3'));
    expectUntouched();
    expect(open(10 ** 15)).toEqual(refused('Unsafe', '× 1.3'));
    target.serve({ owner });
    expect(open()).toEqual(refused('Unsafe', 'mysqld runs on db2'));
    target.fields('service-stop', { owner });
    expect(open()).toEqual(refused('Unsafe', 'mariadb-bin.000001'));
    clean();
    installAnew();
  });

  it('lets the key of a job do nothing but send that job, once', async () => {
    await copied();
    const key = `/var/lib/standfast/jobs/${job}/key`;
    const ssh = (...rest: string[]) =>
      donor.run(
        ...['ssh', '-F', '/dev/null', '-p', '2222', '-i', key, '-o', 'BatchMode=yes'],
        ...['-o', `UserKnownHostsFile=/var/lib/standfast/jobs/${job}/known_hosts`],
        ...rest,
      );
    const answer = ssh('standfast@10.88.0.2', 'id');
    expect(answer.stdout).toContain('does not wait for a stream');
    expect(answer.stdout).not.toContain('uid=');
    expect(
      ssh('-N', '-o', 'ExitOnForwardFailure=yes', '-R', '9999:127.0.0.1:1', 'standfast@10.88.0.2').exitCode,
    ).not.toBe(0);
    clean();
    expect(
      donor.run('ssh', '-p', '2222', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', 'standfast@10.88.0.2')
        .exitCode,
    ).not.toBe(0);
    expectUntouched();
  });
});

describe('a job that breaks', () => {
  it("fails by name when the target's host key is another one", async () => {
    open();
    send(knownHosts.replace(/AAAA.*$/m, 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'));
    const { state, exit, log } = await ended(donor);
    expect({ state, exit }).toEqual({ state: 'failed', exit: expect.stringContaining('ssh:255') });
    expect(log).toContain('Host key verification failed');
    expect(send()['state']).toBe('failed');
    clean();
    expectUntouched();
  });

  it('is seen as failed when its processes were killed, and cleans up half-way through a copy', async () => {
    open();
    send();
    donor.shell(
      `read -r group _ </var/lib/standfast/jobs/${job}/group; until kill -KILL -- -$group; do kill -0 $group || exit 1; done`,
    );
    expect(await ended(donor)).toMatchObject({ state: 'failed', exit: 'lost' });
    await ended(target);
    clean();
    expectUntouched();
  });

  it.each(['prepare', 'aside', 'move', 'own'])(
    'puts the fresh directory back when the installation died in "%s"',
    async (step) => {
      const bytes = await copied();
      // Each step is one command; a command that hangs stands for a death in the middle of it.
      const command = { prepare: 'mariadb-backup', aside: 'mv', move: 'mv', own: 'chown' }[step] ?? '';
      const when = step === 'move' ? '*staging-*' : step === 'aside' ? '*aside-*' : '*';
      target.shell(`real=$(command -v ${command}); cp "$real" "$real.real"
      printf '#!/bin/bash\\ncase "$*" in ${when}) [[ "$*" != *--target-dir=*aside* ]] && { "$0.real" "$@"; exec sleep 600; } ;; esac; exec "$0.real" "$@"\\n' >/tmp/hang
      chmod 755 /tmp/hang; cp /tmp/hang "$real"`);
      try {
        fieldsOf(attempt(target, 'job-install', { bytes }));
        await until(
          `the installation is in ${step}`,
          () => target.fields('job-status', { job })['step'],
          (seen) => seen === step,
        );
        await until(
          'the command hangs',
          () => target.run('pgrep', '-x', 'sleep').stdout,
          (seen) => seen !== '',
        );
      } finally {
        target.shell(
          `real=$(command -v ${command}); mv -f "$real.real" "$real" 2>/dev/null || ${command}.real -f "$real.real" "$real"`,
        );
      }
      expect(target.ask('service-start', { owner })).toEqual(refused('Unsafe', `in the middle of the job`));
      clean();
      clean();
      expectUntouched();
      expect(target.run('pgrep', '-x', 'sleep').stdout).toBe('');
    },
  );

  it('is cleaned without complaint when nothing ever happened', () => {
    clean();
    expectUntouched();
  });
});
