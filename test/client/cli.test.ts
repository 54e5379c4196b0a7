import { describe, expect, test } from 'vitest';
import { StandfastError } from '../../client/errors.ts';
import { plain } from '../../client/paint.ts';
import { renderPlan } from '../../client/render-plan.ts';
import { renderFailover } from '../../client/render-results.ts';
import { renderVerdict } from '../../client/render-verdict.ts';
import type { ScheduleOrder } from '../../client/schedule-changes.ts';
import type { ScheduleChange } from '../../client/schedule-plan.ts';
import type { Schedules } from '../../client/schedules.ts';
import type { CallOptions, StandfastApi } from '../../client/standfast.ts';
import { parseInventory } from '../../inventory/load.ts';
import { EXAMPLE } from '../inventory/example.ts';
import type { Scene } from './cli-world.ts';
import { run } from './cli-world.ts';
import { planned } from './failover-plan.ts';
import { failedOver } from './failover-result.ts';
import { broken, healthy } from './verdicts.ts';

/** A client with one answer for one call; what it was asked is kept. */
function answering(call: keyof StandfastApi, answer: unknown) {
  const asked: { input: unknown; options: CallOptions }[] = [];
  const method = (input: unknown, options: CallOptions) => {
    asked.push({ input, options });
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { asked, api: { [call]: method } as unknown as Partial<StandfastApi> };
}

const verified = { outcome: 'ok', cluster: 'shop', verdict: healthy };
const reference = { type: 'failover', workflowId: 'operation/shop', runId: 'r-1' };
const unhealthy = new StandfastError({ type: 'Unhealthy', message: broken.sentence, facts: { ...broken } });

describe('verify', () => {
  test('a good verdict is printed as data, and exits with 0', async () => {
    const { api } = answering('verify', verified);
    expect(await run('verify shop', { api })).toEqual({
      exitCode: 0,
      out: renderVerdict(healthy, plain),
      err: 'verify shop',
      closed: true,
    });
  });

  test('a bad verdict is data too, and exits with 10', async () => {
    const { api } = answering('verify', unhealthy);
    expect(await run('verify shop', { api })).toMatchObject({ exitCode: 10, out: renderVerdict(broken, plain) });
    const json = await run('verify shop -o json', { api });
    expect(json.exitCode).toBe(10);
    expect(JSON.parse(json.out)).toEqual({
      schema: 'standfast/v1',
      kind: 'Verify',
      outcome: 'bad',
      cluster: 'shop',
      verdict: broken,
    });
  });

  test('a verification without a verdict is an error that exits with 10', async () => {
    const { api } = answering('verify', new StandfastError({ type: 'Unhealthy', message: 'no primary is known' }));
    expect(await run('verify shop', { api })).toMatchObject({
      exitCode: 10,
      out: '',
      err: 'verify shop\nerror (Unhealthy): no primary is known',
    });
  });
});

describe('lag', () => {
  const delay = (host: string, lagMs: number | null, why: string | null = null) => ({
    ...{ cluster: 'shop', host, at: '2026-11-27T03:00:00.250Z', gtidGap: 3, why },
    lag: lagMs === null ? null : { lagMs, errorMs: 12 },
    clock: lagMs === null ? null : { offsetMs: -250, errorMs: 1.4 },
  });
  const replicas = [delay('db3', null, 'no heartbeat row has reached it'), delay('db2', 1_530)];

  test('says who is the furthest behind, and what is not known', async () => {
    const { api, asked } = answering('lag', [...replicas, { ...delay('db9', 90_000), cluster: 'other' }]);
    const { out, exitCode } = await run('lag shop', { api });
    expect(exitCode).toBe(0);
    expect(asked[0]?.input).toBe('main');
    const [sentence, , ...lines] = out.split('\n');
    expect(sentence).toBe('db2 is the furthest behind: 1.5 s ± 12 ms; of 1 the lag is not known');
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['HOST', 'LAG', 'BEHIND', 'CLOCK', 'AT'],
      ['db3', '?', '3 trx', '?', '03:00:00.250', 'no heartbeat row has reached it'],
      ['db2', '1.5 s ± 12 ms', '3 trx', '-250 ms ± 1 ms', '03:00:00.250'],
    ]);
    const json = JSON.parse((await run('lag shop --shard north -o json', { api })).out) as unknown;
    expect(asked[1]?.input).toBe('north');
    expect(json).toEqual({ schema: 'standfast/v1', kind: 'Lag', cluster: 'shop', shard: 'north', replicas });
  });

  test('says what to do when nobody watches', async () => {
    const { api } = answering('lag', []);
    expect((await run('lag shop', { api })).out).toContain('standfast verify shop measures the lag once');
  });
});

describe('changes', () => {
  test('a failover is told in text, and as JSON', async () => {
    const { api, asked } = answering('failover', failedOver);
    const text = await run('failover shop --to db2 --reason fire --confirm shop', { api });
    expect(text).toMatchObject({ exitCode: 0, out: renderFailover(failedOver, plain), err: 'fail over shop to db2' });
    expect(asked[0]?.input).toEqual({ cluster: 'shop', candidate: 'db2', reason: 'fire' });
    const json = await run('failover shop --yes -o json', { api });
    expect(JSON.parse(json.out)).toEqual({ schema: 'standfast/v1', kind: 'Failover', ...failedOver });
    expect(asked[1]?.input).toEqual({ cluster: 'shop' });
  });

  test('a plan needs no confirmation, and exits as the refusal would that it foresees', async () => {
    const { api, asked } = answering('planFailover', planned);
    const text = await run('failover shop --to db3 --dry-run', { api });
    expect(text).toMatchObject({ exitCode: 0, out: renderPlan(planned, plain) });
    expect(asked[0]?.input).toEqual({ cluster: 'shop', candidate: 'db3' });
    expect(text.out).toContain('shop: db2 would be promoted without loss if db1 died now (nothing was changed)');
    expect(text.out).toMatch(/salvage +what only db1 .*\n +-- point of no return.*\n +record/);
    const refused = answering('planFailover', { ...planned, outcome: 'would-refuse' });
    const json = await run('failover shop --dry-run -o json', refused);
    expect(json.exitCode).toBe(4);
    expect(JSON.parse(json.out)).toMatchObject({ kind: 'FailoverPlan', outcome: 'would-refuse', winner: 'db2' });
  });

  test('a detached call prints the run', async () => {
    const { api, asked } = answering('failover', reference);
    const text = await run('failover shop --yes --detach', { api });
    expect(text).toMatchObject({ exitCode: 0, out: 'failover runs by itself as operation/shop (run r-1)' });
    expect(asked[0]?.options.detach).toBe(true);
    const json = JSON.parse((await run('failover shop --yes --detach -o json', { api })).out) as unknown;
    expect(json).toEqual({ schema: 'standfast/v1', kind: 'Run', detached: true, ...reference });
  });

  test('provision and prepare pass what was asked for', async () => {
    const failure = new StandfastError({ type: 'Unsafe', message: 'no', facts: { changed: false } });
    const provision = answering('provisionReplica', failure);
    expect(await run('provision shop db3 --from db2', provision)).toMatchObject({ exitCode: 4 });
    expect(provision.asked[0]?.input).toEqual({ cluster: 'shop', host: 'db3', from: 'db2' });
    const prepare = answering('preparePrimary', failure);
    expect(await run('prepare shop db1', prepare)).toMatchObject({ exitCode: 4 });
    expect(prepare.asked[0]?.input).toEqual({ cluster: 'shop', host: 'db1' });
  });

  test('progress goes beside the data, a line each', async () => {
    const failover = ((_: unknown, options: CallOptions) => {
      options.onProgress?.({ kind: 'started', run: reference, attached: false });
      options.onProgress?.({ kind: 'phase', phase: 'fence and drain' });
      return Promise.resolve(failedOver);
    }) as unknown as StandfastApi['failover'];
    expect((await run('failover shop --yes', { api: { failover } })).err).toBe(
      'fail over shop\n  started operation/shop, run r-1\n  fence and drain',
    );
  });

  test('Ctrl-C leaves the run to itself, says so, and exits with 7', async () => {
    const pressed: (() => void)[] = [];
    const interrupt = new Promise<void>((resolve) => pressed.push(resolve));
    const failover = ((_: unknown, { signal }: CallOptions) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new StandfastError({ type: 'Detached', message: 'failover goes on by itself', run: reference }));
        });
        for (const press of pressed) press();
      })) as unknown as StandfastApi['failover'];
    const left = await run('failover shop --yes', { api: { failover }, interrupt });
    expect(left).toMatchObject({ exitCode: 7, out: '', closed: true });
    expect(left.err).toContain('failover goes on by itself');
  });
});

describe('the confirmation of a failover', () => {
  const answer = (typed?: string): Scene => ({
    ...answering('failover', failedOver),
    ...(typed !== undefined && { typed }),
  });

  test('is asked for on a terminal, by the name of the cluster', async () => {
    expect(await run('failover shop', answer('shop'))).toMatchObject({ exitCode: 0 });
    const wrong = await run('failover shop', answer('yes'));
    expect(wrong).toMatchObject({ exitCode: 2, out: '', closed: false });
    expect(wrong.err).toContain('"yes" is not "shop"; nothing was started');
  });

  test('must be a flag when nobody can be asked', async () => {
    for (const refused of [
      await run('failover shop', answer()),
      await run('failover shop --no-input', answer('shop')),
    ]) {
      expect(refused.exitCode).toBe(2);
      expect(refused.err).toContain('--confirm shop (or --yes)');
    }
  });

  test('of another cluster is refused', async () => {
    const other = await run('failover shop --confirm store', answer('shop'));
    expect(other.exitCode).toBe(2);
    expect(other.err).toContain('--confirm names "store", but the command is for "shop"');
  });
});

describe('schedules and the worker', () => {
  const inventory = parseInventory('standfast.yaml', EXAMPLE);
  const noHost = () => Promise.reject(new Error('no host is asked'));
  const openHosts = () =>
    Promise.resolve({
      inventory,
      observe: noHost,
      examine: noHost,
      close: () => undefined,
    });
  const change = (action: ScheduleChange['action']): ScheduleChange => ({
    scheduleId: 's',
    action,
    cluster: 'shop',
    why: 'because',
    wanted: null,
  });

  /** Schedules that answer with this plan; what they were told is kept. */
  function planning(...changes: readonly ScheduleChange[]) {
    const told: unknown[] = [];
    const schedules = {
      plan: ({ wanted, cluster }: ScheduleOrder) => {
        told.push(['plan', wanted.map(({ scheduleId }) => scheduleId), cluster]);
        return Promise.resolve(changes);
      },
      apply: (applied: readonly ScheduleChange[]) => {
        told.push(['apply', applied.map(({ action }) => action)]);
        return Promise.resolve();
      },
      list: (cluster?: string) => {
        told.push(['list', cluster]);
        return Promise.resolve([]);
      },
    };
    return { told, scene: { api: { schedules: schedules as unknown as Schedules }, openHosts } };
  }
  const ids = ['standfast-verify-shop', 'standfast-files-shop.uploads', 'standfast-audit-shop'];

  test('apply shows the difference before it makes it', async () => {
    const { told, scene } = planning(change('create'), change('keep'));
    const ran = await run('schedule apply', scene);
    expect(ran).toMatchObject({ exitCode: 0, out: 'schedules: 1 created, 1 as it was' });
    expect(ran.err).toContain('create  s  because');
    expect(told).toEqual([
      ['plan', ids, undefined],
      ['apply', ['create', 'keep']],
    ]);
  });

  test('apply --dry-run changes nothing, and the difference is its answer', async () => {
    const { told, scene } = planning(change('delete'));
    const text = await run('schedule apply shop --dry-run', scene);
    expect(text).toMatchObject({ exitCode: 0, out: '  delete  s  because' });
    expect((await run('schedule apply --dry-run', planning(change('refuse')).scene)).exitCode).toBe(4);
    const json = await run('schedule apply shop --dry-run -o json', scene);
    expect(JSON.parse(json.out)).toMatchObject({
      kind: 'SchedulePlan',
      applied: false,
      changes: [{ action: 'delete', scheduleId: 's', cluster: 'shop', kind: null, why: 'because' }],
    });
    expect(told).toEqual([
      ['plan', ids, 'shop'],
      ['plan', ids, 'shop'],
    ]);
  });

  test('apply for a cluster that the inventory does not have changes nothing', async () => {
    const { told, scene } = planning(change('delete'));
    const ran = await run('schedule apply shpo', scene);
    expect([ran.exitCode, told]).toEqual([2, []]);
    expect(ran.err).toContain('did you mean "shop"?');
  });

  test('ls asks for one cluster, or all, and needs no inventory', async () => {
    const { told, scene } = planning();
    const json = await run('schedule ls shop -o json', { api: scene.api });
    expect(JSON.parse(json.out)).toEqual({ schema: 'standfast/v1', kind: 'ScheduleList', schedules: [] });
    await run('schedule ls', { api: scene.api });
    expect(told).toEqual([
      ['list', 'shop'],
      ['list', undefined],
    ]);
  });

  test('worker start --role observe needs the site that it looks from, and nothing else has one', async () => {
    const started: unknown[] = [];
    const startWorker = (order: unknown) => {
      started.push(order);
      return Promise.resolve(0);
    };
    for (const line of ['', ' --role watch', ' --role observe --site bergen'])
      expect(await run(`worker start${line}`, { startWorker })).toMatchObject({ exitCode: 0, err: '' });
    expect(started).toEqual([{ role: undefined }, { role: 'watch' }, { role: 'observe', site: 'bergen' }]);
    const siteless = await run('worker start --role observe', { startWorker });
    expect(siteless.exitCode).toBe(2);
    expect(siteless.err).toContain('--role observe needs --site <name>, one of policy.watch.observers');
    for (const line of ['--site bergen', '--role runbooks --site bergen']) {
      const refused = await run(`worker start ${line}`, { startWorker });
      expect(refused.exitCode).toBe(2);
      expect(refused.err).toContain('--site is of --role observe alone; leave it out, or add that');
    }
    expect(started).toHaveLength(3);
  });

  test('worker start runs the worker, and explains a bad inventory', async () => {
    expect(await run('worker start')).toMatchObject({ exitCode: 0, err: '' });
    const fault = Object.assign(new Error('standfast.yaml:3:5: unknown key'), { name: 'InventoryError' });
    const refused = await run('worker start', { startWorker: () => Promise.reject(fault) });
    expect(refused).toMatchObject({
      exitCode: 3,
      err: 'error (Configuration): no worker was started: standfast.yaml:3:5: unknown key',
    });
  });
});

describe('errors', () => {
  test('are text for people, and JSON as well for programs that asked for it', async () => {
    const facts = { changed: true, undone: ['fence of db1'], notUndone: [] };
    const { api } = answering(
      'failover',
      new StandfastError({ type: 'Unsafe', message: 'stopped', facts, run: reference }),
    );
    const both = await run('failover shop --yes -o json', { api });
    expect(both.exitCode).toBe(5);
    expect(both.err).toContain('error (Unsafe): stopped\n  undone: fence of db1');
    expect(JSON.parse(both.out)).toEqual({
      schema: 'standfast/v1',
      kind: 'Error',
      type: 'Unsafe',
      message: 'stopped',
      exitCode: 5,
      facts,
      run: reference,
    });
    expect((await run('failover shop --yes', { api })).out).toBe('');
  });

  test('that nobody foresaw keep their stack, and exit with 1', async () => {
    const { api } = answering('failover', new TypeError('x is not a function'));
    const bug = await run('failover shop --yes', { api });
    expect(bug.exitCode).toBe(1);
    expect(bug.err).toMatch(/error \(Internal\): TypeError: x is not a function\n +at /);
  });

  test.each([
    ['', 'Usage: standfast'],
    ['verify', "missing required argument 'cluster'"],
    ['verifi shop', '(Did you mean verify?)'],
    ['verify shop -o yaml', 'Allowed choices are text, json'],
    ['verify shop --timeout 90', 'a duration with a unit, such as 90s'],
    ['verify shop --timeout 0s', 'a duration with a unit, such as 90s'],
    ['verify Shop!', 'verifyReplication was given "Shop!" as "cluster"'],
    ['provision shop', "missing required argument 'host'"],
    ['status shop --detach', 'status has nothing to detach from'],
    ['accept shop --by me --reason why --fence --detach', 'accept has nothing to detach from'],
    ['lag Shop_1', 'lag was given "Shop_1" as the cluster'],
    ['schedule ls Shop_1', 'schedule ls was given "Shop_1" as the cluster'],
    ['schedule pause Shop_1', 'schedule pause was given "Shop_1" as the cluster'],
    ['schedule resume Shop_1', 'schedule resume was given "Shop_1" as the cluster'],
    ['init --from db1 --cluster Shop_1', 'init was given "Shop_1" as the cluster'],
    ['schedule', 'Usage: standfast schedule'],
  ])('"standfast %s" exits with 2 and says why', async (line, why) => {
    const refused = await run(line);
    expect(refused).toMatchObject({ exitCode: 2, out: '' });
    expect(refused.err).toContain(why);
  });

  test('of usage are JSON too when the command line says so', async () => {
    const refused = await run('-o json verify');
    expect(refused.exitCode).toBe(2);
    expect(JSON.parse(refused.out)).toMatchObject({ kind: 'Error', type: 'BadInput', exitCode: 2 });
  });

  test('help and version are data, and exit with 0', async () => {
    const version = await run('--version');
    expect(version).toMatchObject({ exitCode: 0, err: '' });
    expect(version.out).toMatch(/^\d+\.\d+\.\d+/);
    const help = await run('failover --help');
    expect(help).toMatchObject({ exitCode: 0, err: '' });
    expect(help.out).toContain('--confirm <cluster>');
    expect(help.out).toContain('--timeout <duration>');
  });
});
