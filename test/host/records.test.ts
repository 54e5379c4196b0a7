import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assembleHelper } from '../../adapters/host/assemble.ts';
import { parseAnswer, Sandbox, until, WORKER_KEY } from './sandbox.ts';

const HELPER = '/usr/local/sbin/standfast-host';
const owner = 'plane-1';
const at = (epoch: number, run: string) => ({ owner, epoch, run });
const claim = (epoch: number, run: string) => ({ ...at(epoch, run), account: 'standfast' });

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
});
afterAll(() => host.stop());
beforeEach(() => {
  host.shell('rm -rf /var/lib/standfast/*');
});

const refused = (type: string, message: RegExp | string) => ({
  ok: false,
  type,
  message: message instanceof RegExp ? expect.stringMatching(message) : expect.stringContaining(message),
});

describe('the installed helper', () => {
  it('is the text that the worker assembles, and says so', async () => {
    const { text, version } = await assembleHelper();
    expect(host.must('cat', HELPER)).toBe(text.trimEnd());
    expect(host.fields('hello')).toMatchObject({ version, protocol: '1', hostname: 'db1' });
  });

  it('passes shellcheck', async () => {
    const { text } = await assembleHelper();
    const { stdout, status } = spawnSync('shellcheck', ['--shell=bash', '-'], { input: text, encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('is reached by the account through sudo, which allows nothing else', () => {
    const asAccount = (command: string) => host.run('su', 'standfast', '-s', '/bin/bash', '-c', command);
    expect(parseAnswer(asAccount(`sudo -n ${HELPER} hello`).stdout.trimEnd()).ok).toBe(true);
    expect(asAccount('sudo -n id').exitCode).not.toBe(0);
    expect(asAccount('echo x >>~/.ssh/authorized_keys').exitCode).not.toBe(0);
  });

  it('is installed again without a change, and refuses a key that is not one line', () => {
    const again = host.must('/opt/shown/install.sh', '--key', WORKER_KEY);
    expect(again).not.toContain('wrote');
    expect(host.run('/opt/shown/install.sh', '--key', 'ssh-ed25519 AAAA\nevil').exitCode).toBe(2);
  });

  it('replaces itself only by the content that was meant, and goes on in the new version', async () => {
    const { text } = await assembleHelper();
    const next = `${text}# a newer one\n`;
    const sum = (content: string) => spawnSync('sha256sum', { input: content, encoding: 'utf8' }).stdout.slice(0, 64);
    const channel = host.channel();
    const before = await channel.ask('upgrade', { owner, content: next, sha256: sum(text) });
    expect(before).toEqual(refused('BadInput', 'nothing was changed'));
    expect(await channel.ask('upgrade', { owner, content: 'if', sha256: sum('if\n') })).toEqual(
      refused('BadInput', 'bash'),
    );
    expect((await channel.ask('upgrade', { owner, content: next, sha256: sum(next) })).ok).toBe(true);
    expect(await channel.ask('hello')).toMatchObject({ fields: { version: sum(next).slice(0, 12) } });
    expect((await channel.ask('upgrade', { owner, content: text, sha256: sum(text) })).ok).toBe(true);
    await channel.close();
  });
});

describe('claims', () => {
  it('accepts a greater number, and the same number from the same run', () => {
    expect(host.fields('records')).toMatchObject({ owner: '', epoch: '', run: '', fenced: 'no' });
    expect(host.fields('claim', claim(3, 'run-a'))).toMatchObject({ epoch: '3', run: 'run-a', mysqld: 'stopped' });
    expect(host.ask('claim', claim(3, 'run-a')).ok).toBe(true);
    expect(host.ask('claim', claim(10, 'run-b')).ok).toBe(true);
    expect(host.fields('records')).toMatchObject({ owner, epoch: '10', run: 'run-b' });
  });

  it('refuses a lower number, and the same number from another run', () => {
    host.fields('claim', claim(10, 'run-a'));
    expect(host.ask('claim', claim(9, 'run-a'))).toEqual(refused('Stale', 'nothing was changed'));
    expect(host.ask('claim', claim(10, 'run-b'))).toEqual(refused('Stale', 'epoch 10 of run "run-a"'));
    expect(host.fields('records')).toMatchObject({ epoch: '10', run: 'run-a' });
  });

  it('executes an order only at the accepted epoch and run', () => {
    host.fields('claim', claim(4, 'run-a'));
    expect(host.ask('record-primary', { ...at(3, 'run-a'), host: 'db1' })).toEqual(refused('Stale', 'not carried out'));
    expect(host.ask('record-primary', { ...at(4, 'run-b'), host: 'db1' })).toEqual(refused('Stale', 'not carried out'));
    expect(host.ask('record-primary', { ...at(5, 'run-a'), host: 'db1' })).toEqual(refused('Stale', 'not carried out'));
    expect(host.ask('job-key', { ...at(3, 'run-a'), job: 'j', attempt: 1 })).toEqual(
      refused('Stale', 'not carried out'),
    );
    host.fields('record-primary', { ...at(4, 'run-a'), host: 'db2' });
    host.fields('record-sync', { ...at(4, 'run-a'), mode: 'lossless', ackers: 'db1,db3', k: 1 });
    expect(host.fields('records')).toMatchObject({
      ...{ primary: 'db2', primary_epoch: '4', mode: 'lossless', ackers: 'db1,db3', k: '1', sync_epoch: '4' },
    });
    host.fields('record-sync', { ...at(4, 'run-a'), mode: 'async', ackers: '', k: 0 });
    expect(host.fields('records')).toMatchObject({ mode: 'async', ackers: '', k: '0' });
    expect(host.ask('assert', at(4, 'run-a')).ok).toBe(true);
    expect(host.ask('assert', at(4, 'run-b'))).toEqual(refused('Stale', 'epoch 4'));
  });

  it('obeys the first owner until a person hands the host over', () => {
    host.fields('claim', claim(4, 'run-a'));
    const stranger = { owner: 'plane-2', epoch: 5, run: 'run-b', account: 'standfast' };
    expect(host.ask('claim', stranger)).toEqual(refused('Unsafe', 'hand-over owner=plane-2'));
    const byAccount = host.run('su', 'standfast', '-s', '/bin/bash', '-c', `sudo -n ${HELPER} hand-over owner=plane-2`);
    expect(parseAnswer(byAccount.stdout.trimEnd())).toEqual(refused('Unsafe', 'for a person'));
    expect(host.fields('records')).toMatchObject({ owner, epoch: '4' });
    host.fields('hand-over', { owner: 'plane-2' });
    expect(host.ask('claim', stranger).ok).toBe(true);
    expect(host.ask('assert', at(4, 'run-a'))).toEqual(refused('Unsafe', 'plane-2'));
  });

  it('takes no part while a record is damaged, instead of reading it as nothing', () => {
    host.fields('claim', claim(7, 'run-a'));
    host.shell(': >/var/lib/standfast/epoch');
    expect(host.ask('claim', claim(1, 'run-b'))).toEqual(refused('Unsafe', 'damaged'));
    expect(host.ask('records')).toEqual(refused('Unsafe', 'damaged'));
  });

  it.each([
    ['owner', 'write the line of the other members'],
    ['epoch', 'write the line with the highest number of all members'],
    ['primary', 'never copy it, but remove it and /var/lib/standfast/standing'],
    ['sync', 'never copy it, but remove it and /var/lib/standfast/standing'],
  ])('says how a person mends the record %s', (name, how) => {
    host.shell(`: >/var/lib/standfast/${name}`);
    expect(host.ask('records')).toEqual(refused('Unsafe', how));
  });

  it('keeps a journal of executed orders by run', () => {
    host.fields('claim', claim(1, 'run-a'));
    host.fields('record-primary', { ...at(1, 'run-a'), host: 'db1' });
    host.fields('claim', claim(2, 'run-b'));
    const entries = (host.fields('journal', { run: 'run-a' })['entries'] ?? '').split('\n');
    expect(entries.map((line) => line.split(' ').slice(2, 6).join(' '))).toEqual([
      ...['1 run-a claim begin', '1 run-a claim ok', '1 run-a record-primary begin', '1 run-a record-primary ok'],
    ]);
    expect(host.fields('journal', { run: 'nobody' })).toEqual({ entries: '' });
  });
});

describe('the lock', () => {
  /** Holds the lock as an order does: a process group of its own, noted as the holder. */
  const hold = async () => {
    const holder = host.start(
      'setsid',
      'bash',
      '-c',
      `exec 9>/run/standfast/lock; flock 9; read -ra s </proc/$$/stat
      echo "$$ \${s[21]} held" >/run/standfast/holder; echo held; sleep 600`,
    );
    await once(holder.stdout, 'data');
    return holder;
  };

  it('makes an order wait no longer than its deadline', async () => {
    host.fields('claim', claim(1, 'run-a'));
    const holder = await hold();
    expect(host.ask('record-primary', { ...at(1, 'run-a'), host: 'db1' })).toEqual(
      refused('NotYet', 'another order (held)'),
    );
    expect(host.ask('claim', claim(1, 'run-b'))).toEqual(refused('Stale', 'epoch 1'));
    expect(holder.exitCode).toBeNull();
    expect(host.ask('claim', claim(2, 'run-b')).ok).toBe(true);
    await until(
      'the holder is ended by the newer claim',
      () => holder.exitCode ?? holder.signalCode,
      (seen) => seen !== null,
    );
  });

  it('is left to whoever gets it when the order that was to be ended is gone', async () => {
    host.fields('claim', claim(1, 'run-a'));
    const take = (what: string, then: string) =>
      host.start(
        ...['setsid', 'bash', '-c'],
        `exec 9>/run/standfast/lock; echo waits; flock 9; read -ra s </proc/$$/stat
        echo "$$ \${s[21]} ${what}" >/run/standfast/holder; ${then}`,
      );
    const ofTheJob = take('job-key copy', 'echo held; sleep 600');
    await until(
      'the order of the job',
      () => host.run('cat', '/run/standfast/holder').stdout,
      (seen) => seen.includes('job-key'),
    );
    const next = take('fence', 'sleep 1');
    await once(next.stdout, 'data');
    const ended = once(next, 'exit');
    expect(host.ask('job-clean', { owner, job: 'copy' }).ok).toBe(true);
    expect(await ended).toEqual([0, null]);
    expect(ofTheJob.exitCode ?? ofTheJob.signalCode).not.toBeNull();
  });

  it('is free as soon as its order is ended, though a client of the server still waits', async () => {
    host.fields('claim', claim(1, 'run-a'));
    host.shell(`mkdir -p /run/mysqld; install /bin/sleep /run/mariadbd
      printf '#!/bin/sh\\nsleep 30\\n' >/usr/sbin/mariadb; chmod 755 /usr/sbin/mariadb`);
    const hung = [
      host.start('/run/mariadbd', '60'),
      host.start('socat', 'UNIX-LISTEN:/run/mysqld/mysqld.sock', 'PIPE'),
    ];
    host.shell('until pgrep -x mariadbd && [[ -S /run/mysqld/mysqld.sock ]]; do sleep 0.01; done');
    const channel = host.channel();
    const first = channel.ask('claim', claim(2, 'run-b'));
    await until(
      'its client',
      () => host.run('pgrep', '-x', 'mariadb').stdout,
      (seen) => seen !== '',
    );
    expect(host.fields('claim', claim(3, 'run-c'))).toMatchObject({ epoch: '3', mysqld: 'hung' });
    expect(await first).toEqual(refused('Unverified', 'ended before it was finished'));
    await channel.close();
    for (const one of hung) one.kill('SIGKILL');
    host.must('rm', '/usr/sbin/mariadb', '/run/mariadbd', '/run/mysqld/mysqld.sock');
  });

  it('answers for an order that a newer claim ended', async () => {
    host.fields('claim', claim(1, 'run-a'));
    host.must('mkfifo', '/etc/standfast-test-slow');
    const channel = host.channel();
    // An order that hangs: its service command reads a pipe that nobody writes to.
    host.shell(
      `mkdir -p /etc/keepalived; printf '#!/bin/sh\\nread x </etc/standfast-test-slow\\n' >/usr/sbin/keepalived; chmod 755 /usr/sbin/keepalived`,
    );
    const slow = channel.ask('configure-vip', { owner, content: 'x' });
    await until(
      'the slow order runs',
      () => host.run('cat', '/run/standfast/holder').stdout,
      (seen) => seen.includes('configure-vip'),
    );
    expect(host.ask('claim', claim(2, 'run-b')).ok).toBe(true);
    expect(await slow).toEqual(refused('Unverified', 'ended before it was finished'));
    expect((await channel.ask('hello')).ok).toBe(true);
    await channel.close();
  });
});

describe('the wire form', () => {
  it('carries odd values both ways', async () => {
    const channel = host.channel();
    const odd = 'one%two\tthree\nfour\rfive %0A ü & * $(id) "\' \\';
    const answer = await channel.ask('claim', { ...claim(1, 'r'), account: odd });
    expect(answer).toMatchObject({ ok: false, type: 'BadInput', message: expect.stringContaining(odd.slice(0, 60)) });
    await channel.close();
  });

  it.each([
    ['an unknown verb', '1\tdance', /no verb "dance"; there are:.*claim/],
    ['a missing argument', '1\tclaim\towner=o\trun=r', /missing epoch account/],
    [
      'an unknown argument',
      '1\tassert\towner=o\tepoch=1\trun=r\tvpi=1',
      /does not take "vpi"; it takes: owner epoch run/,
    ],
    ['a repeated argument', '1\tassert\towner=o\towner=p\tepoch=1\trun=r', /"owner" is there twice/],
    ['a number that is none', '1\tassert\towner=o\tepoch=01\trun=r', /"epoch" cannot be "01"/],
    ['a text that is too long', `1\tassert\towner=${'o'.repeat(201)}\tepoch=1\trun=r`, /201 characters, and 200 are/],
    ['an unknown escape', '1\tassert\towner=%41\tepoch=1\trun=r', /control character or a %/],
    ['a control character', '1\tassert\towner=a\u0007\tepoch=1\trun=r', /control character or a %/],
    ['no verb', '1', /a request is ID, tab, VERB/],
    ['a stream in a channel', '1\tjob-receive\tjob=j', /not for a channel/],
  ])('refuses %s by name', async (_, line, message) => {
    const channel = host.channel();
    expect(parseAnswer(await channel.raw(line))).toEqual(refused('BadInput', message));
    await channel.close();
  });

  it('does not carry out half a request', async () => {
    const channel = host.channel();
    const gone = once(channel.process, 'exit');
    channel.process.stdin.end('1\tclaim\towner=o\tepoch=99\trun=r\taccount=standfast');
    await gone;
    expect(host.fields('records')).toMatchObject({ epoch: '' });
  });
});

describe('another control plane', () => {
  const every = {
    ...{ epoch: 9, run: 'run-x', account: 'standfast', job: 'j', attempt: 1, bytes: 1, tables: 1, position: '0-1-1' },
    ...{ host: 'db9', name: 'db9', boot: 'b', mode: 'async', ackers: '', k: 0, vip: '10.0.0.9', prefix: 24, n: 3 },
    ...{ interface: 'lo', server_id: 9, report_host: 'db9', content: 'x', sha256: 'a'.repeat(64) },
    ...{ address: '10.0.0.7', refused_at: 1, limit: 12 },
    ...{ logs: 'binlog', beyond: '0-1-1', tail: '1-binlog', offset: 0, piece: 'AAAA' },
    ...{ public: 'ssh-ed25519 AAAA', from: '10.0.0.1', target: '10.0.0.2', user: 'standfast', known_hosts: 'x' },
    ...{
      source: 'db9',
      cluster: 'shop',
      fileset: 'uploads',
      path: '/srv/uploads/',
      marker: '.standfast',
      max: 1,
      well: 'no',
    },
    ...{
      deletes: 'none',
      stamp: '20260101T000000Z',
      bandwidth: 0,
      compress: 'no',
      diff: 'no',
      role: 'target',
      line: 'x',
    },
  } as const;
  const text = () => host.must('cat', HELPER);
  /** Names and arguments of every verb that changes something, from the helper's own tables. */
  const changing = () => {
    const [, kinds = ''] = /declare -A KIND=\(([^]*?)\n\)/.exec(text()) ?? [];
    const [, needs = ''] = /declare -A NEEDS=\(([^]*?)\n\)/.exec(text()) ?? [];
    const looks = ['quick', 'look', 'stream', 'person'];
    return [...kinds.matchAll(/\[([a-z-]+)\]=([a-z]+)/g)]
      .filter(([, , kind]) => !looks.includes(kind ?? ''))
      .map(
        ([, verb = '']) => [verb, new RegExp(`\\[${verb}\\]='([^']*)'`).exec(needs)?.[1]?.split(' ') ?? []] as const,
      );
  };

  it('is refused by every verb that changes something, which names both and the remedy, and nothing changes', () => {
    host.fields('claim', claim(4, 'run-a'));
    const state = () =>
      host.shell('cd /var/lib/standfast && find . -type f ! -name journal -exec sha256sum {} + | sort');
    const before = state();
    const verbs = changing();
    expect(verbs.length).toBeGreaterThan(20);
    for (const [verb, needs] of verbs) {
      const args = Object.fromEntries(needs.map((key) => [key, every[key as keyof typeof every]]));
      const answer = host.ask(verb, { ...args, owner: 'plane-2' });
      expect(answer, verb).toEqual(
        refused(
          'Unsafe',
          /db1 obeys the control plane "plane-1", not "plane-2"; nothing was changed; .*standfast-host hand-over owner=plane-2/,
        ),
      );
      expect(state(), verb).toBe(before);
    }
  });
});
