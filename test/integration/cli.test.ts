import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';
import { useCluster, useWorker } from './cluster.ts';
import { keepPolicy } from './policy.ts';

const cluster = useCluster();
keepPolicy(cluster);
const program = path.join(projectFolder, 'dist', 'bin', 'standfast.js');

/** The command as somebody types it in a script: no terminal, nobody to ask. */
const standfast = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run([process.execPath, program, ...args], {
    env: { PATH: process.env['PATH'], TEMPORAL_ADDRESS: cluster().temporal, ...environment },
    timeoutMs: 100_000,
  });

/** What every host keeps, whether it takes writes, and whether it has the VIP. */
const stateOfHosts = (): Promise<readonly string[]> => {
  const look = `cd /var/lib/standfast; grep -r '' --exclude='*.lock' . | sort; mariadb -N -e 'SELECT @@read_only' || true; ip -br addr show eth0; nft list ruleset`;
  return Promise.all(cluster().lab.hosts.map(async (host) => (await host.exec(['bash', '-c', look])).stdout));
};

const json = (stdout: string): unknown => JSON.parse(stdout) as unknown;

describe('the command line on a sound cluster', () => {
  test('verify and its JSON say that all is well, with exit code 0', async () => {
    const { restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const text = await standfast(['verify', 'shop']);
    expect(text).toMatchObject({ exitCode: 0 });
    expect(text.stdout).toMatch(/^ok: 3 of 3 hosts healthy; can lose 1\n/);
    expect(text.stderr).toMatch(/^verify shop\n/);
    const verify = await standfast(['verify', 'shop', '-o', 'json']);
    expect(verify.exitCode).toBe(0);
    expect(json(verify.stdout)).toMatchObject({
      schema: 'standfast/v1',
      kind: 'Verify',
      outcome: 'ok',
      verdict: { primary: 'db1', vipHolders: ['db1'] },
    });
  });

  describe('and one worker', () => {
    useWorker(cluster);

    test('verify exits with 10 and prints the verdict when it is bad', async () => {
      const { lab } = cluster();
      lab.configure({ lagFail: '3s' });
      await lab.host('db2').sql('STOP SLAVE SQL_THREAD');
      const verify = await standfast(['verify', 'shop', '-o', 'json']);
      const text = await standfast(['verify', 'shop']);
      await lab.host('db2').sql('START SLAVE SQL_THREAD');
      expect(verify.exitCode).toBe(10);
      expect(json(verify.stdout)).toMatchObject({ kind: 'Verify', outcome: 'bad', verdict: { state: 'bad' } });
      expect(text.exitCode).toBe(10);
      expect(text.stdout).toMatch(/^BAD: 2 of 3 hosts healthy/);
      expect(text.stdout).toContain('ApplierStopped');
    });

    test('failover is not begun without a confirmation (2), and not while the primary lives (4)', async () => {
      const { lab } = cluster();
      const unconfirmed = await standfast(['failover', 'shop']);
      expect(unconfirmed).toMatchObject({ exitCode: 2, stdout: '' });
      expect(unconfirmed.stderr).toMatch(/it needs --confirm shop \(or --yes\).*nothing was started/);
      const mistaken = await standfast(['failover', 'shop', '--confirm', 'blog']);
      expect(mistaken).toMatchObject({ exitCode: 2, stdout: '' });
      const refused = await standfast(['failover', 'shop', '--yes', '-o', 'json']);
      expect(refused.exitCode).toBe(4);
      expect(json(refused.stdout)).toMatchObject({
        kind: 'Error',
        type: 'Unsafe',
        exitCode: 4,
        message: expect.stringContaining('db1 is alive'),
        facts: { changed: false },
      });
      expect(await lab.host('db1').sql('SELECT @@read_only')).toEqual([['0']]);
    });

    test('a wrong command line exits with 2, an unknown host or cluster is named', async () => {
      for (const args of [['verify'], ['verify', 'Shop!'], ['no-such-command'], ['verify', 'shop', '-o', 'xml']])
        expect(await standfast(args)).toMatchObject({ exitCode: 2 });
      const stranger = await standfast(['provision', 'shop', 'db9']);
      expect(stranger.exitCode).toBe(2);
      expect(stranger.stderr).toContain('db9 is not a database host of shop (it has db1, db2, db3)');
      const typo = await standfast(['verify', 'shpo']);
      expect(typo.exitCode).toBe(2);
      expect(typo.stderr).toContain('did you mean "shop"?');
    });

    test('a broken inventory exits with 3 and its place', async () => {
      const { lab } = cluster();
      const file = lab.etc('standfast.yaml');
      const text = readFileSync(file, 'utf8');
      onTestFinished(() => {
        writeFileSync(file, text);
      });
      writeFileSync(file, text.replace('rank: 101', 'rang: 101'));
      const broken = await standfast(['verify', 'shop']);
      expect(broken.exitCode).toBe(3);
      expect(broken.stderr).toMatch(/standfast\.yaml:\d+:\d+: .*unknown key "rang"/);
    });
  });

  test.each([
    ['known_hosts', 'access.ssh.knownHosts'],
    ['ssh_key', 'access.ssh.key'],
  ])(
    'a file %s that the worker cannot read exits with 3 in every runbook, and nothing is changed',
    async (name, key) => {
      const { lab, startWorker } = cluster();
      await startWorker('only');
      const before = await stateOfHosts();
      const file = lab.etc(name);
      renameSync(file, `${file}.away`);
      onTestFinished(() => {
        renameSync(`${file}.away`, file);
      });
      for (const args of [
        ['failover', 'shop', '--yes'],
        ['failover', 'shop', '--dry-run'],
        ['prepare', 'shop', 'db1'],
        ['rejoin', 'shop', 'db2'],
        ['verify', 'shop'],
        ['audit', 'shop'],
      ]) {
        const ended = await standfast(args);
        expect({ args, ...ended }).toMatchObject({ args, exitCode: 3, stdout: '' });
        expect(ended.stderr).toContain(`${key} of the inventory cannot be used on the worker`);
        expect(ended.stderr).toContain(`${file} cannot be read`);
      }
      expect(await stateOfHosts()).toEqual(before);
    },
  );

  test('without a worker the wait ends with 7 and the run goes on; without Temporal the exit code is 8', async () => {
    const { startWorker } = cluster();
    const waited = await standfast(['verify', 'shop', '--timeout', '2s', '-o', 'json']);
    expect(waited.exitCode).toBe(7);
    const { run: begun } = json(waited.stdout) as { readonly run: { readonly workflowId: string } };
    expect(begun.workflowId).toMatch(/^verify\/shop\//);
    await startWorker('late');
    const away = await standfast(['verify', 'shop'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(away.exitCode).toBe(8);
    expect(away.stderr).toContain('Temporal does not answer at 127.0.0.1:1');
  });
});

test('the command line fails a cluster over, with a line per phase and the report', async () => {
  const { lab, restoreWithWorker } = cluster();
  await restoreWithWorker('cluster', 'only');
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  const before = await stateOfHosts();
  const mistyped = await standfast(['failover', 'shop', '--yes', '--to', 'db9']);
  expect(mistyped).toMatchObject({ exitCode: 2, stdout: '' });
  expect(mistyped.stderr).toContain('db9 is not a database host of shop (it has db1, db2, db3)');
  expect(await stateOfHosts()).toEqual(before);
  const done = await standfast(['failover', 'shop', '--confirm', 'shop', '--to', 'db3', '--reason', 'rehearsal']);
  expect(done).toMatchObject({ exitCode: 0 });
  expect(done.stderr).toMatch(/^fail over shop to db3\n/);
  expect(done.stdout).toContain('db3 is the primary of shop instead of db1');
  expect(await lab.host('db3').sql('SELECT @@read_only')).toEqual([['0']]);
});
