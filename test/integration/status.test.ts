import { describe, expect, onTestFinished, test } from 'vitest';
import { useCluster } from './cluster.ts';
import { standfastIn } from './command.ts';

const cluster = useCluster();

const standfast = (args: readonly string[], environment?: Readonly<Record<string, string>>) =>
  standfastIn(cluster(), args, environment);

interface Told {
  readonly state: string;
  readonly sentence: string;
  readonly next: string;
  readonly reasons: readonly { readonly code: string; readonly host: string | null }[];
  readonly hosts: readonly { readonly host: string; readonly server: string }[];
  readonly takeovers: readonly { readonly host: string; readonly isReady: boolean; readonly loss: string }[];
  readonly operation: object | null;
  readonly temporal: string | null;
}

/** The machine may be so busy that a host needs longer than half a second: what is tested is not how fast it is. */
async function status(
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly told: Told }> {
  const { exitCode, stdout, stderr } = await standfast(
    ['status', 'shop', '-o', 'json', '--timeout', '4s'],
    environment,
  );
  expect(stderr).toBe('status of shop\n');
  return { exitCode, told: JSON.parse(stdout) as Told };
}

const codes = ({ reasons }: Told): readonly string[] => reasons.map(({ code }) => code);

/** What an order to a host, a write, or a run would leave. */
async function traces(): Promise<unknown> {
  const { lab } = cluster();
  const journals = lab.hosts.map(async (host) => (await host.exec(['cat', '/var/lib/standfast/journal'])).stdout);
  const positions = lab.hosts.map((host) => host.sql('SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.read_only'));
  return Promise.all([...journals, ...positions]);
}

describe('status of a real cluster', () => {
  test('that is sound is protected, without a worker, and nothing is changed by asking', async () => {
    const { restore, startWorker, client } = cluster();
    await restore('cluster');
    const worker = await startWorker('only');
    await client.verify({ cluster: 'shop' });
    await worker.kill();
    const before = await traces();
    const { exitCode, stdout } = await standfast(['status', 'shop', '--timeout', '4s']);
    expect(await traces()).toEqual(before);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^shop: protected: db2 and db3 can take over now without loss; last verified \d+ s ago\n/);
    expect(stdout).toMatch(/\n {2}db1 +primary +accepts writes +VIP /);
    expect(stdout).toContain(
      '\n  db1  primary, accepts writes, VIP\n  ├─ db2  read-only, acknowledges\n  └─ db3  read-only',
    );
    expect(stdout).toContain('db1, on record since epoch');
    expect(stdout).toContain('by 3 of 3 members');
    expect(stdout).toMatch(/\nnext: standfast worker start/);
  });

  test('with a replica that stopped to apply is protected by the other one, and says so', async () => {
    const { lab } = cluster();
    await lab.host('db2').sql('STOP SLAVE SQL_THREAD');
    onTestFinished(async () => {
      await lab.host('db2').sql('START SLAVE SQL_THREAD');
    });
    const { exitCode, told } = await status();
    expect(exitCode).toBe(0);
    expect(told.sentence).toContain(
      'protected: db3 can take over now without loss; db2 cannot: its SQL thread is stopped',
    );
    expect(told.next).toContain('START SLAVE SQL_THREAD');
  });

  test('with a host that it does not reach never says that it is protected, and shows the others', async () => {
    const { lab } = cluster();
    await lab.cut('control', 'db3');
    onTestFinished(() => lab.heal());
    const { exitCode, told } = await status();
    expect(exitCode).toBe(11);
    expect(told.sentence).toMatch(/^shop: NOT KNOWN: db3 was not seen/);
    expect(told.reasons).toMatchObject([{ code: 'HostUnseen', host: 'db3' }]);
    expect(told.hosts).toMatchObject([
      { host: 'db1', server: 'open' },
      { host: 'db2', server: 'closed' },
      { host: 'db3', server: 'silent' },
    ]);
  });

  test('whose VIP two hosts hold is not protected, and that is said first', async () => {
    const { lab } = cluster();
    const address = `${lab.vip}/24`;
    await lab.host('db3').exec(['ip', 'address', 'add', address, 'dev', 'eth0']);
    onTestFinished(async () => {
      await lab.host('db3').exec(['ip', 'address', 'del', address, 'dev', 'eth0']);
    });
    const { exitCode, told } = await status();
    expect([exitCode, codes(told)[0]]).toEqual([10, 'TwoVipHolders']);
    expect(told.sentence).toMatch(/^shop: NOT PROTECTED: db1 and db3 hold the VIP at the same time/);
  });

  test('without Temporal tells what the hosts say, and what it could not ask', async () => {
    const { exitCode, told } = await status({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect([exitCode, codes(told)]).toEqual([11, ['TemporalUnseen']]);
    expect(told.temporal).toContain('Temporal does not answer at 127.0.0.1:1');
    expect(told.takeovers).toMatchObject([
      { host: 'db2', isReady: true, loss: 'none' },
      { host: 'db3', isReady: true, loss: 'none' },
    ]);
  });

  test('that an operation holds is not judged before its end', async () => {
    const { client } = cluster();
    await client.preparePrimary({ cluster: 'shop', host: 'db1' }, { detach: true });
    const { exitCode, told } = await status();
    expect([exitCode, codes(told)]).toEqual([11, ['OperationRuns']]);
    expect(told.operation).toMatchObject({ type: 'preparePrimary', workflowId: 'operation/shop' });
    expect(told.next).toBe('standfast status shop -w');
  });

  test('of a wrong name exits with 2 and says what there is', async () => {
    const typo = await standfast(['status', 'shpo']);
    expect(typo).toMatchObject({ exitCode: 2, stdout: '' });
    expect(typo.stderr).toContain('did you mean "shop"?');
    const nowhere = await standfast(['status', 'shop'], { STANDFAST_CONFIG: '/nowhere/standfast.yaml' });
    expect(nowhere).toMatchObject({ exitCode: 3, stdout: '' });
    expect(nowhere.stderr).toMatch(/no host was asked: .*\n\/nowhere\/standfast.yaml:1:1: the file cannot be read/);
  });

  test('whose primary is dead is not protected, names who can take over, and the command', async () => {
    const { lab } = cluster();
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const { exitCode, told } = await status();
    expect([exitCode, codes(told)[0]]).toEqual([10, 'PrimaryProcessDead']);
    expect(told.sentence).toContain('db2 and db3 can take over without loss');
    expect(told.next).toBe('standfast failover shop');
  });
});
