import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { FilesResult } from '../../client/index.ts';
import { declareUploads, inUploads, makeUploads, UPLOADS, uploadsOn } from '../../lab/filesets.ts';
import { upperOf } from '../../lab/machine.ts';
import { signalPid } from '../../lab/processes.ts';
import { run, until } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';
import { useCluster, useWorker } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();
const order = { cluster: 'shop', fileset: 'uploads' };
let forget: () => void;
beforeAll(async () => {
  const { lab, restore } = cluster();
  await restore('cluster');
  forget = declareUploads(lab);
  await makeUploads(lab);
});
afterAll(() => {
  forget();
});

const standfast = (...args: readonly string[]) =>
  run([process.execPath, path.join(projectFolder, 'dist', 'bin', 'standfast.js'), ...args], {
    env: { PATH: process.env['PATH'], TEMPORAL_ADDRESS: cluster().temporal },
    timeoutMs: 100_000,
  });
const logOf = (host: string): Promise<string> => inUploads(cluster().lab, host, 'cat /var/log/standfast-files.log');

async function expectInStep(hosts: readonly string[], source: string): Promise<void> {
  const { lab } = cluster();
  const wanted = await uploadsOn(lab, source);
  for (const host of hosts) expect([host, await uploadsOn(lab, host)]).toEqual([host, wanted]);
}

/** The rsync processes of a host, once there is one. */
const senders = (host: string) =>
  until(`rsync on ${host}`, () => {
    const found = cluster().lab.host(host).processes('rsync');
    return found.length > 0 ? found : undefined;
  });

/** Waits until db2 has so much of a file that is not complete. */
const bytesOnTheWay = (size: string) =>
  until(`${size} on db2`, async () => {
    const found = await inUploads(cluster().lab, 'db2', `find . -path './.standfast-tmp/*' -size +${size}`);
    return found === '' ? undefined : true;
  });

describe('the files of a cluster', () => {
  useWorker(cluster);

  test('are brought in step on every replica, told in the log, and compared', async () => {
    const { lab, client } = cluster();
    const differs = await standfast('files', 'diff', 'shop', 'uploads', '--exit-code');
    expect(differs).toMatchObject({ exitCode: 10 });
    expect(differs.stdout).toMatch(/db2: differs: 2\d created/);
    expect(await inUploads(lab, 'db2', 'ls -A')).toBe('');
    const result = await client.syncFiles({ cluster: 'shop' });
    expect(result).toMatchObject({ outcome: 'synced', filesets: [{ fileset: 'uploads', source: 'db1' }] });
    await expectInStep(['db2', 'db3'], 'db1');
    expect(await logOf('db1')).toMatch(
      /^\[\d{4}-\d\d-\d\d [\d:]{8}\] Sync successful uploads from db1: db2: 2\d created/,
    );
    expect(await standfast('files', 'diff', 'shop', '--exit-code')).toMatchObject({ exitCode: 0 });
    expect((await client.syncFiles(order)).outcome).toBe('in-step');
    expect(await inUploads(lab, 'db2', 'grep -c standfast-job- ~standfast/.ssh/authorized_keys || true')).toBe('0');
  });

  test('are told with exact names, also those that no terminal should see', async () => {
    const { lab, client } = cluster();
    await inUploads(lab, 'db1', String.raw`echo x >$'new\nline'; echo x >$'\xff'; echo x >./-rf`);
    const diff = await client.diffFiles(order);
    const [db2] = diff.filesets[0]?.targets ?? [];
    expect(db2?.changes).toEqual(
      expect.arrayContaining([{ path: 'new\nline' }, { path: '\uFFFD', bytes: '/w==' }, { path: '-rf' }]),
    );
    await client.syncFiles(order);
    await expectInStep(['db2', 'db3'], 'db1');
  });

  test.each([
    ['SourceUnmarked', 'db1', 'mv .standfast /root/marker', `mv /root/marker ${UPLOADS}.standfast`],
    ['SourceMissing', 'db1', 'mv /srv/uploads /srv/away', 'mv /srv/away /srv/uploads'],
    ['DatabaseDirectory', 'db1', 'touch ibdata1', `rm ${UPLOADS}ibdata1`],
    ['TargetMissing', 'db2', 'mv /srv/uploads /srv/away', 'mv /srv/away /srv/uploads'],
    ['TargetUnmarked', 'db2', 'mv .standfast-fileset /root', `mv /root/.standfast-fileset ${UPLOADS}`],
    [
      'OtherFileset',
      'db2',
      'echo shop invoices >.standfast-fileset',
      `echo shop uploads >${UPLOADS}.standfast-fileset`,
    ],
    ['TooManyDeletions', 'db1', 'mv 2026 /root', `mv /root/2026 ${UPLOADS}`],
  ])('are refused for %s, with what can be done, and nothing is changed', async (code, host, breaks, mends) => {
    const { lab, client } = cluster();
    onTestFinished(async () => {
      await inUploads(lab, host, mends);
    });
    await inUploads(lab, host, breaks);
    const before = await uploadsOn(lab, 'db2');
    const refusal = await refusalOf(client.syncFiles(order));
    expect(refusal.type).toBe('Unsafe');
    expect(refusal.message).toMatch(/No file was changed\. What you can do: /);
    expect(JSON.stringify(refusal.facts['failures'])).toContain(`"code":"${code}"`);
    expect(await uploadsOn(lab, 'db2')).toBe(before);
    const logged = lab.host('db1').exec(['tail', '-n', '1', '/var/log/standfast-files.log']);
    expect((await logged).stdout).toMatch(/Sync FAILED uploads from db1: /);
  });

  test('may be larger than 4 GiB, with holes that stay holes', async () => {
    const { lab, client } = cluster();
    // rsync sends holes as zeros.
    onTestFinished(declareUploads(lab, ', compress: true'));
    const put = (text: string, offset: number) =>
      `printf ${text} | dd of=sparse conv=notrunc oflag=seek_bytes seek=${String(offset)} status=none`;
    const pieces = `${put('first', 0)}; ${put('middle', 4_297_000_001)}; ${put('last', 4_299_999_996)}`;
    // db3 has it by itself, so that it goes over the line once.
    for (const host of ['db1', 'db3'])
      await inUploads(lab, host, `truncate -s 4300000000 sparse; ${pieces}; touch -d 2026-01-01 sparse`);
    const result = await client.syncFiles(order);
    expect(result.filesets[0]?.targets.map(({ host, counts }) => [host, counts.bytes >= 4_300_000_000])).toEqual([
      ['db2', true],
      ['db3', false],
    ]);
    const files = ['db1', 'db2'].map((host) => path.join(upperOf(lab.state, host), UPLOADS, 'sparse'));
    expect(await run(['cmp', ...files])).toMatchObject({ exitCode: 0 });
    const [size, blocks] = (await inUploads(lab, 'db2', 'stat -c "%s %b" sparse')).split(' ').map(Number);
    expect(size).toBe(4_300_000_000);
    expect(blocks).toBeLessThan(1_000);
    await inUploads(lab, 'db1', 'rm sparse');
  });
});

describe('files', () => {
  test('are not asked for under a name that is none, and one fileset is synchronised once at a time', async () => {
    const { client, startWorker } = cluster();
    await client.diffFiles(order, { detach: true });
    expect(await refusalOf(client.syncFiles(order))).toMatchObject({ type: 'Busy', exitCode: 4 });
    await startWorker('only');
    const wrong = await standfast('files', 'sync', 'shop', 'uplods');
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.stderr).toContain('uplods is no fileset of shop (it has uploads); nothing was changed');
  });
});

describe('a run of files that is killed converges in the next one', () => {
  const big = 'head -c 30M /dev/urandom >big';

  test('and goes on without its worker, whose successor attaches to the same rsync', async () => {
    const { lab, client, startWorker } = cluster();
    onTestFinished(declareUploads(lab, ', bandwidthKiBps: 6000'));
    const first = await startWorker('first');
    await inUploads(lab, 'db1', big);
    const running = client.syncFiles(order);
    const before = await senders('db1');
    await bytesOnTheWay('1M');
    expect(await inUploads(lab, 'db2', 'ls')).not.toContain('big');
    await first.kill();
    await startWorker('second');
    expect(await running).toMatchObject({ outcome: 'synced' });
    expect(before.length).toBeGreaterThan(0);
    await expectInStep(['db2', 'db3'], 'db1');
  });

  test.each(['db1', 'db2'])('when rsync is killed on %s', async (victim) => {
    const { lab, client, startWorker } = cluster();
    onTestFinished(declareUploads(lab, ', bandwidthKiBps: 6000'));
    await startWorker('only');
    await inUploads(lab, 'db1', big);
    const running = client.syncFiles(order);
    await bytesOnTheWay('1M');
    for (const pid of lab.host(victim).processes('rsync')) signalPid(pid, 'SIGKILL');
    expect(await running).toMatchObject({ outcome: 'synced' });
    await expectInStep(['db2', 'db3'], 'db1');
    expect(await inUploads(lab, 'db2', 'ls -A')).not.toContain('.standfast-tmp');
  });
});

describe('after a failover the files go the other way', () => {
  test('what is on its way to the new primary is ended, and what only the old one has is set aside', async () => {
    const { lab, client, startWorker } = cluster();
    const restore = declareUploads(lab, ', bandwidthKiBps: 2000');
    await startWorker('only');
    await inUploads(lab, 'db1', 'echo late >only-on-db1; echo newer >2026/1; head -c 40M /dev/urandom >big-late');
    const running = refusalOf(client.syncFiles(order));
    await bytesOnTheWay('500k');
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    await client.failover({ cluster: 'shop', candidate: 'db2' });
    expect(lab.host('db2').processes('rsync')).toEqual([]);
    expect(await inUploads(lab, 'db2', 'ls')).not.toContain('big-late');
    expect((await running).message).toContain('files go from the recorded primary to the others only');
    restore();
    onTestFinished(declareUploads(lab));
    await inUploads(lab, 'db2', 'echo fresh >only-on-db2');
    const turned = await standfast('files', 'sync', 'shop', 'uploads', '-o', 'json');
    expect(turned.exitCode).toBe(10);
    const { filesets } = JSON.parse(turned.stdout) as FilesResult;
    const old = filesets[0]?.targets.find(({ host }) => host === 'db1');
    expect(old?.setAside?.names).toEqual(expect.arrayContaining([{ path: 'big-late' }]));
    await expectInStep(['db1', 'db3'], 'db2');
    const aside = await inUploads(lab, 'db1', `cd ${old?.setAside?.folder ?? '/nowhere'} && find . -type f | sort`);
    expect(aside).toContain('./big-late');
    const kept = 'grep -rlxa -e late -e newer .standfast-aside | wc -l';
    expect(await inUploads(lab, 'db1', kept)).toBe('2');
    expect(await logOf('db2')).toMatch(/Sync successful uploads from db2: .*that only db1 had/);
    expect(await standfast('files', 'sync', 'shop')).toMatchObject({ exitCode: 0 });
  });
});
