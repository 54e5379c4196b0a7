import { describe, expect, test } from 'vitest';
import type { RunsAnswer } from '../../domain/cluster-runs.ts';
import type { ClusterObservation } from '../../domain/observation.ts';
import { parseInventory } from '../../inventory/load.ts';
import { observed, told } from '../domain/protected-shop.ts';
import { helper, SHOP, silence } from '../domain/shop.ts';
import { EXAMPLE } from '../inventory/example.ts';
import type { Scene } from './cli-world.ts';
import { run } from './cli-world.ts';

const inventory = parseInventory('standfast.yaml', EXAMPLE);

interface Shown {
  readonly scene: Scene;
  readonly asked: string[];
}

/** Hosts and a Temporal that say this of every cluster. */
function saying(
  observation: ClusterObservation,
  runs: RunsAnswer = told(),
  names: readonly string[] = ['shop'],
): Shown {
  const asked: string[] = [];
  const [shop] = inventory.clusters;
  if (shop === undefined) throw new Error('the example has a cluster');
  return {
    asked,
    scene: {
      openHosts: () =>
        Promise.resolve({
          inventory: { ...inventory, clusters: names.map((name) => ({ ...shop, name })) },
          observe: (name, silentMs) => {
            asked.push(`${name} ${String(silentMs)}`);
            return Promise.resolve({ cluster: { ...SHOP, cluster: name }, observation });
          },
          examine: () => Promise.reject(new Error('status examines nothing')),
          close: () => asked.push('hosts closed'),
        }),
      openRuns: () =>
        Promise.resolve({
          runs: ({ cluster, shard }) => {
            asked.push(`runs of ${cluster} in ${shard}`);
            return Promise.resolve(runs);
          },
          close: () => {
            asked.push('runs closed');
            return Promise.resolve();
          },
        }),
    },
  };
}

const TWO_HOLDERS = observed({ db2: { helper: helper({ holdsVip: true }) } });
const CUT_OFF = observed({ db3: { helper: silence(), server: silence() } });

describe('status', () => {
  test.each([
    ['a protected cluster', observed(), told(), 0, /^shop: protected: db2 and db3 can take over now without loss; /],
    ['one that is not', TWO_HOLDERS, told(), 10, /^shop: NOT PROTECTED: db1 and db2 hold the VIP at the same time; /],
    ['one that was not seen', CUT_OFF, told(), 11, /^shop: NOT KNOWN: db3 was not seen/],
    [
      'one without Temporal',
      observed(),
      { reach: 'silent', why: 'gone' } as const,
      11,
      /^shop: NOT KNOWN: Temporal did/,
    ],
  ])('of %s begins with the sentence, and exits by it', async (_, observation, runs, exitCode, sentence) => {
    const shown = await run('status shop', saying(observation, runs).scene);
    expect(shown).toMatchObject({ exitCode, err: 'status of shop' });
    expect(shown.out).toMatch(sentence);
    expect(shown.out).toMatch(/\nnext: \S.*$/);
    const json = await run('status shop -o json', saying(observation, runs).scene);
    expect(json.exitCode).toBe(exitCode);
    const data = JSON.parse(json.out) as { readonly sentence: string };
    expect(data).toMatchObject({ schema: 'standfast/v1', kind: 'Status', cluster: 'shop' });
    expect(data.sentence).toMatch(sentence);
  });

  test('asks the hosts and Temporal, and closes both', async () => {
    const { scene, asked } = saying(observed());
    await run('status shop', scene);
    expect(asked).toEqual(['shop 400', 'runs of shop in main', 'hosts closed', 'runs closed']);
    const patient = saying(observed());
    await run('status shop --timeout 2s', patient.scene);
    expect(patient.asked[0]).toBe('shop 2000');
  });

  test('in JSON keeps the verdict and the operation, and says what was not told', async () => {
    const operation = {
      type: 'failover',
      workflowId: 'operation/shop',
      runId: 'r-1',
      since: '2026-03-02T03:00:00.000Z',
      phase: 'asks a person',
      asksPerson: true,
    };
    const busy = await run('status shop -o json', saying(observed(), told({ operation })).scene);
    expect(JSON.parse(busy.out)).toMatchObject({
      state: 'not-known',
      operation,
      verdict: { primary: 'db1', vipHolders: ['db1'] },
      temporal: null,
      next: expect.stringContaining('standfast accept shop'),
    });
    const alone = await run('status shop -o json', saying(observed(), { reach: 'silent', why: 'gone' }).scene);
    expect(JSON.parse(alone.out)).toMatchObject({
      operation: null,
      runs: null,
      temporal: 'gone',
      primary: { host: 'db1' },
    });
  });

  test('of every cluster of the inventory is a line each, the worst first, and exits by the worst', async () => {
    const { scene, asked } = saying(observed(), told(), ['books', 'shop']);
    const worst = await scene.openHosts?.();
    if (worst === undefined) throw new Error('there are hosts');
    const mixed: Scene = {
      ...scene,
      openHosts: () =>
        Promise.resolve({
          ...worst,
          observe: async (name, ms) => ({
            ...(await worst.observe(name, ms)),
            observation: name === 'shop' ? TWO_HOLDERS : observed(),
          }),
        }),
    };
    const shown = await run('status', mixed);
    expect(shown).toMatchObject({ exitCode: 10, err: 'status of every cluster' });
    expect(shown.out.split('\n').map((line) => line.replace(/: db.*/, ''))).toEqual([
      'shop: NOT PROTECTED',
      'books: protected',
      '',
      'next: standfast status shop',
    ]);
    expect(asked.filter((one) => one.endsWith(' 400'))).toEqual(['books 400', 'shop 400']);
    const json = JSON.parse((await run('status -o json', mixed)).out) as unknown;
    expect(json).toMatchObject({
      kind: 'StatusList',
      clusters: [
        { cluster: 'shop', state: 'not-protected' },
        { cluster: 'books', state: 'protected' },
      ],
    });
  });

  test('is watched until Ctrl-C, and exits by what it saw last', async () => {
    let looks = 0;
    let press = (): void => undefined;
    const interrupt = new Promise<void>((resolve) => {
      press = resolve;
    });
    const { scene } = saying(observed());
    const hosts = await scene.openHosts?.();
    if (hosts === undefined) throw new Error('there are hosts');
    const watched: Scene = {
      ...scene,
      interrupt,
      openHosts: () =>
        Promise.resolve({
          ...hosts,
          observe: async (name, ms) => {
            looks += 1;
            if (looks === 3) press();
            return { ...(await hosts.observe(name, ms)), observation: looks === 1 ? observed() : CUT_OFF };
          },
        }),
    };
    const shown = await run('status shop -w', watched);
    expect(shown.exitCode).toBe(11);
    const drawn = shown.out.split('\n').filter((line) => line.startsWith('redrawn: '));
    expect(drawn.map((line) => line.slice(9).split(':')[1])).toEqual([' protected', ' NOT KNOWN']);
  });
});

describe('status of a wrong input', () => {
  const { scene } = saying(observed());

  test.each([
    ['status Shop!', 'standfast.yaml has no cluster "Shop!"; it has shop; did you mean "shop"?'],
    ['status shop --detach', 'status has nothing to detach from'],
    ['status shop books', 'too many arguments'],
    ['status shpo', 'standfast.yaml has no cluster "shpo"; it has shop; did you mean "shop"? (no host was asked)'],
  ])('"standfast %s" exits with 2 and says why', async (line, why) => {
    const refused = await run(line, scene);
    expect(refused).toMatchObject({ exitCode: 2, out: '' });
    expect(refused.err).toContain(why);
  });

  test('an inventory that cannot be used exits with 3 and its place', async () => {
    const fault = Object.assign(new Error('standfast.yaml:3:5: unknown key'), { name: 'InventoryError' });
    const refused = await run('status shop', { ...scene, openHosts: () => Promise.reject(fault) });
    expect(refused).toMatchObject({ exitCode: 3, out: '' });
    expect(refused.err).toContain('no host was asked: standfast.yaml:3:5: unknown key');
  });
});
