import { ScheduleNotFoundError } from '@temporalio/client';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { REQUIRED_GRANTS } from '../../domain/accounts.ts';
import type { Check } from '../../domain/checkup.ts';
import { useCluster } from './cluster.ts';
import { standfastIn } from './command.ts';
import { useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();
const HELPER = '/usr/local/sbin/standfast-host';

const standfast = (args: readonly string[], environment?: Readonly<Record<string, string>>) =>
  standfastIn(cluster(), args, environment);

interface Told {
  readonly ok: number;
  readonly checks: readonly Check[];
}

/** Whatever is not green. */
async function faults(environment: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const { exitCode, stdout } = await standfast(['doctor', 'shop', '-o', 'json'], environment);
  const { checks } = JSON.parse(stdout) as Told;
  const found = checks.filter(({ state }) => state !== 'ok');
  expect(exitCode).toBe(found.length === 0 ? 0 : 10);
  for (const { state, fix } of found) expect(fix === null).toBe(state !== 'bad');
  return found.map(
    ({ where, code, state, says, fix }) => `${where} ${code} ${state}: ${says}${fix === null ? '' : ` | ${fix}`}`,
  );
}

/** The lab's inventory with something else in it, in a file of its own. */
function otherInventory(name: string, from: string, to: string): Readonly<Record<string, string>> {
  const { lab } = cluster();
  const text = readFileSync(lab.etc('standfast.yaml'), 'utf8');
  expect(text).toContain(from);
  writeFileSync(lab.etc(name), text.replace(from, to));
  return { STANDFAST_CONFIG: lab.etc(name) };
}

async function on(host: string, ...argv: readonly string[]): Promise<void> {
  expect(await cluster().lab.host(host).exec(argv)).toMatchObject({ exitCode: 0 });
}

/** What an order to a host, or a write, would leave. */
async function traces(): Promise<unknown> {
  const { lab } = cluster();
  const journals = lab.hosts.map(async (host) => (await host.exec(['cat', '/var/lib/standfast/journal'])).stdout);
  const positions = lab.hosts.map((host) => host.sql('SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.read_only'));
  return Promise.all([...journals, ...positions]);
}

async function deleteSchedules(): Promise<void> {
  for await (const { scheduleId } of temporal().schedule.list())
    await temporal().schedule.getHandle(scheduleId).delete().catch(nothingToDelete);
}

/** The list shows one for a moment after it was deleted. */
function nothingToDelete(error: unknown): void {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}

beforeAll(async () => {
  const { restore } = cluster();
  await restore('cluster');
});

afterAll(deleteSchedules);

describe('the doctor of a real cluster', () => {
  test('finds everything there when it is, and changes nothing by asking', async () => {
    const { startWorker } = cluster();
    const first = await standfast(['schedule', 'apply']);
    expect(first).toMatchObject({ exitCode: 0, stdout: 'schedules: 2 created\n' });
    expect(first.stderr).toMatch(
      / create {2}standfast-verify-shop {2}every 60 s.*\n {2}create {2}standfast-audit-shop {2}/,
    );
    expect(await standfast(['schedule', 'apply'])).toMatchObject({ exitCode: 0, stdout: 'schedules: 2 as it was\n' });
    // No watcher writes heartbeat rows yet.
    const before = await traces();
    expect(hostLines(await faults())).toEqual([]);
    expect(await traces()).toEqual(before);
    await startWorker('only');
    expect(await doctorUntilWatched()).toEqual([]);
    expect(await faults(otherInventory('newer.yaml', 'rank: 101', 'rank: 102'))).toEqual([
      expect.stringMatching(/^Temporal watch bad: .* watches shop by another inventory than this one \| /),
    ]);
    const { exitCode, stdout } = await standfast(['doctor']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^everything is there: \d+ checks\n\nthis machine\n {2}✓ inventory /);
    const privileges = REQUIRED_GRANTS.reduce((sum, one) => sum + one.privileges.length, 0);
    expect(stdout).toContain(`\n  ✓ grant             ${String(privileges)} privileges are there\n`);
    expect(stdout).toContain('the host helper is of this version');
  });

  test('names a privilege that is missing on one server, and the statement', async () => {
    const { lab } = cluster();
    const grant = (verb: string) =>
      lab.host('db2').sql(`SET sql_log_bin=0; ${verb} 'standfast'@'${lab.host('db2').address.replace(/\d+$/, '%')}'`);
    await grant('REVOKE BINLOG ADMIN ON *.* FROM');
    onTestFinished(async () => {
      await grant('GRANT BINLOG ADMIN ON *.* TO');
    });
    const found = await faults({ STANDFAST_TASK_QUEUE: 'standfast' });
    expect(hostLines(found)).toEqual([
      expect.stringMatching(
        /^db2 grant bad: the operation account lacks BINLOG ADMIN ON \*\.\* \| on the primary: GRANT BINLOG ADMIN ON \*\.\* TO 'standfast'@'/,
      ),
    ]);
  });

  test('refuses to call a host green whose key nobody pinned, and goes no further there', async () => {
    const { lab } = cluster();
    const pinned = readFileSync(lab.etc('known_hosts'), 'utf8').split('\n');
    const others = pinned.filter((line) => !line.startsWith(`${lab.host('db3').address} `));
    expect(others.length).toBe(pinned.length - 1);
    writeFileSync(lab.etc('known_two'), others.join('\n'));
    const found = await faults(otherInventory('two.yaml', lab.etc('known_hosts'), lab.etc('known_two')));
    const [first, ...rest] = hostLines(found).filter((line) => !line.includes(' host-key '));
    expect(hostLines(found).filter((line) => line.includes(' bad: '))).toEqual([
      expect.stringMatching(
        /^db3 host-key bad: .*has no key that is pinned.* \| .*ssh-keyscan -t ed25519 -p 22 [\d.]+ >> .*known_two$/,
      ),
    ]);
    for (const line of [first, ...rest]) expect(line).toMatch(/^db3 [a-z-]+ not-asked: /);
  });

  test('names a key that is not the one that is pinned', async () => {
    const { lab } = cluster();
    const [db1 = '', db2 = ''] = readFileSync(lab.etc('known_hosts'), 'utf8').split('\n');
    const key = (line: string): string => line.slice(line.indexOf(' '));
    writeFileSync(lab.etc('known_swapped'), readFileSync(lab.etc('known_hosts'), 'utf8').replace(key(db1), key(db2)));
    const found = await faults(otherInventory('swapped.yaml', lab.etc('known_hosts'), lab.etc('known_swapped')));
    expect(hostLines(found).filter((line) => line.includes(' bad: '))).toEqual([
      expect.stringMatching(/^db1 host-key bad: .*another key is pinned/),
    ]);
  });

  test('says that others can read a secret, and how to mend it', async () => {
    const { lab } = cluster();
    writeFileSync(lab.etc('loose'), readFileSync(lab.etc('repl.password')));
    chmodSync(lab.etc('loose'), 0o644);
    const found = await faults(otherInventory('loose.yaml', lab.etc('repl.password'), lab.etc('loose')));
    expect(hostLines(found)).toEqual([
      expect.stringMatching(
        /^this machine secret bad: clusters\.shop\.replication\.user\.password: .*\(mode 0644\) \| run: chmod 600 .*loose$/,
      ),
    ]);
  });

  test('tells an old helper, a missing sudo rule, a foreign keepalived and an open boot apart', async () => {
    onTestFinished(async () => {
      await on('db1', 'mv', '/root/dropin', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf');
      await on('db2', 'mv', '/root/helper', HELPER);
      await on('db3', 'mv', '/root/rule', '/etc/sudoers.d/standfast');
      await on('db2', 'sed', '-i', '$d', '/etc/keepalived/keepalived.conf');
      await on('db2', 'rm', '/etc/mysql/mariadb.conf.d/zzz-site.cnf');
    });
    await on('db1', 'mv', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf', '/root/dropin');
    await on('db2', 'cp', '-p', HELPER, '/root/helper');
    await on('db2', 'sed', '-i', '2i # an earlier version', HELPER);
    await on('db2', 'sed', '-i', '$a # by hand', '/etc/keepalived/keepalived.conf');
    await on('db2', 'sh', '-c', "printf '[mysqld]\\nread-only=0\\n' >/etc/mysql/mariadb.conf.d/zzz-site.cnf");
    await on('db3', 'mv', '/etc/sudoers.d/standfast', '/root/rule');
    const found = hostLines(await faults());
    expect(found.filter((line) => line.includes(' bad: '))).toEqual([
      expect.stringMatching(/^db1 boots-closed bad: .*zz-standfast\.cnf is missing \| standfast prepare shop/),
      expect.stringMatching(/^db2 helper-version bad: /),
      expect.stringMatching(/^db2 vip bad: keepalived has a configuration that is not the one of this inventory/),
      expect.stringMatching(/^db2 boots-closed bad: its server would boot open: --read-only=0 is read after /),
      expect.stringMatching(/^db3 sudo bad: .* \| install the sudo rule of standfast as root on db3/),
    ]);
    expect(found.filter((line) => line.includes(' not-asked: ')).map((line) => line.split(':')[0])).toEqual([
      'db3 helper not-asked',
      'db3 helper-version not-asked',
      'db3 clock not-asked',
      'db3 vip not-asked',
      'db3 boots-closed not-asked',
      'db3 socket-root not-asked',
    ]);
  });

  test('goes on with a host that it does not reach, and with a server that is stopped', async () => {
    const { lab } = cluster();
    await lab.cut('control', 'db3');
    await on('db2', 'service', 'mariadb', 'stop');
    onTestFinished(async () => {
      await lab.heal();
      await on('db2', 'service', 'mariadb', 'start');
    });
    const found = hostLines(await faults());
    expect(found.filter((line) => line.includes(' bad: ')).map((line) => line.split(':')[0])).toEqual([
      'db2 sql bad',
      'db3 ssh bad',
      'db3 sql bad',
    ]);
    expect(found.join('\n')).toContain('standfast provision shop db2');
  });

  test('misses a worker at each queue, a watch, and a schedule', async () => {
    const gone = (await faults({ STANDFAST_TASK_QUEUE: 'nobody' })).filter((line) =>
      line.startsWith('Temporal worker'),
    );
    expect(gone.map((line) => line.split(' | ')[0])).toEqual(
      ['nobody', 'nobody-failover', 'nobody-watch'].map(
        (queue) => `Temporal worker bad: nobody polls the queue ${queue}`,
      ),
    );
    await deleteSchedules();
    const found = await faults();
    expect(found.filter((line) => line.startsWith('Temporal schedule'))).toEqual([
      'Temporal schedule bad: standfast-verify-shop is missing | standfast schedule apply shop',
      'Temporal schedule bad: standfast-audit-shop is missing | standfast schedule apply shop',
    ]);
    // The watcher of the first test was killed.
    expect(found.join('\n')).toContain('Temporal watch bad: nobody watches the clusters of shard main');
  });

  test('without Temporal, or with an unknown namespace, still looks at the hosts', async () => {
    const away = await faults({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(hostLines(away)).toEqual([]);
    expect(away.map((line) => line.split(':')[0])).toEqual([
      'Temporal temporal bad',
      ...['namespace', 'search-attributes', 'worker', 'watch', 'schedule'].map((code) => `Temporal ${code} not-asked`),
    ]);
    const strange = await faults({ TEMPORAL_NAMESPACE: 'nowhere' });
    expect(strange[0]).toMatch(/^Temporal namespace bad: .*has no namespace "nowhere".* \| set TEMPORAL_NAMESPACE/);
  });

  test('without an inventory still asks Temporal, and says that no host was asked', async () => {
    const found = await faults({ STANDFAST_CONFIG: '/nowhere/standfast.yaml' });
    expect(found[0]).toMatch(
      /^this machine inventory bad: .*\n\/nowhere\/standfast\.yaml:1:1: the file cannot be read/,
    );
    expect(found).toContainEqual('every host ssh not-asked: the inventory was not read');
    expect(found.join('\n')).not.toContain('Temporal temporal');
  });
});

const hostLines = (lines: readonly string[]): readonly string[] => lines.filter((line) => !line.startsWith('Temporal'));

/** A watcher takes a moment until Temporal has heard of it. */
async function doctorUntilWatched(): Promise<readonly string[]> {
  await cluster().startWatcher('watch');
  let found: readonly string[] = [];
  await expect
    .poll(
      async () => {
        found = await faults();
        return found.filter((line) => line.startsWith('Temporal watch'));
      },
      { timeout: 30_000, interval: 500 },
    )
    .toEqual([]);
  return found;
}
