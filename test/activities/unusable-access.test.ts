import { describe, expect, it } from 'vitest';
import type { Activities } from '../../activities/contract.ts';
import type { ClusterPorts, RunsPort } from '../../adapters/ports.ts';
import { WatchedCluster } from '../../activities/watched-cluster.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import { Turns } from '../../adapters/turns.ts';
import type { Transition } from '../../domain/watch.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { RUN } from './sim/runs.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const FAULT = {
  type: 'BadInput' as const,
  message: 'access of the inventory cannot be used on the worker w1: ENOENT',
  facts: { about: 'configuration' },
};
const refuse = (): Promise<never> => Promise.reject(new AdapterFailure({ ...FAULT, host: 'db1' }));

const WITHOUT = {
  helpers: { helper: () => ({ request: refuse }), pinnedKeys: refuse },
  servers: { session: refuse, vipSession: refuse },
} satisfies Record<string, Partial<ClusterPorts>>;

/** As a worker that cannot read what it reaches them with. */
async function unable(kind: keyof typeof WITHOUT): Promise<SimulatedShop> {
  const shop = new SimulatedShop();
  const cluster = { ...(await shop.cluster('shop')), ...WITHOUT[kind] };
  return Object.assign(shop, { cluster: () => Promise.resolve(cluster) });
}

const PIECES: readonly (readonly [keyof Activities, object])[] = [
  ['gatherAuditFacts', { cluster: 'shop' }],
  ['observeCluster', { cluster: 'shop' }],
  ['planFailover', { cluster: 'shop', candidate: null }],
  ['fenceAndDrain', { ...RUN, candidate: null }],
  ['openPrimary', { ...RUN, host: 'db1' }],
  ['rejoinHost', { ...RUN, host: 'db2' }],
  ['planProvision', { cluster: 'shop', host: 'db2', from: null }],
];

describe.each(['helpers', 'servers'] as const)('what the %s are reached with cannot be used on this side', (kind) => {
  it.each(PIECES)('%s ends at once, says it, and has changed nothing', async (name, input) => {
    const shop = await unable(kind);
    expect(await attempt(shop, name, { input: input as never })).toMatchObject({ kind: 'failed', ...FAULT });
    // A claimed epoch only makes the next one higher.
    expect(shop.log.filter((event) => !event.endsWith(' claim'))).toEqual([]);
  });

  it('a failover has nothing to undo then, unless an earlier attempt of it came farther', async () => {
    const input = { ...RUN, candidate: null };
    const first = await attempt(await unable(kind), 'fenceAndDrain', { input });
    expect(first).toMatchObject({ facts: { changed: false } });
    const second = await attempt(await unable(kind), 'fenceAndDrain', { input, attempt: 2 });
    expect(second).toMatchObject({ kind: 'failed', facts: { about: 'configuration' } });
    expect(second).not.toMatchObject({ facts: { changed: false } });
  });
});

it('the watcher of the cluster is not quiet about it', async () => {
  const shop = await unable('helpers');
  const told: Transition[] = [];
  const tell = (one: Transition): void => void told.push(one);
  const plane = {
    runs: {} as RunsPort,
    tell,
    beginning: new Turns(1),
    rehearsing: new Turns(1),
  };
  const over = new AbortController();
  const watching = new WatchedCluster(await shop.cluster('shop'), plane, null).run(over.signal);
  await pass(10_000);
  over.abort();
  await watching;
  expect(told).toEqual([
    expect.objectContaining({
      code: 'PrimaryUnknown',
      explains: `${FAULT.message}, so nobody is watched`,
      reaction: 'standfast doctor',
    }),
  ]);
});
