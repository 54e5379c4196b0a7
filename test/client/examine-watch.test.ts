import { expect, test } from 'vitest';
import type { WantedWatch } from '../../client/examine-watch.ts';
import { judgeWatch } from '../../client/examine-watch.ts';
import type { WatchSight } from '../../client/watch.ts';

const wanted = (...clusters: readonly string[]): readonly WantedWatch[] =>
  clusters.map((cluster) => ({ cluster, shard: 'main', digest: 'new' }));

const sight = (clusters: Readonly<Record<string, string>>, withoutPrimary: readonly string[] = []): WatchSight => ({
  watcher: 'w1',
  details: { delays: [], clusters, withoutPrimary },
});

const says = (seen: WatchSight, ...clusters: readonly string[]): readonly string[] =>
  judgeWatch('main', seen, wanted(...clusters)).map((check) => `${check.state}: ${check.says}`);

test('a cluster is watched that the watcher of its shard has taken up by this inventory', () => {
  expect(says(sight({ shop: 'new', other: 'new' }), 'shop')).toEqual(['ok: w1 watches shop (shard main)']);
});

test('a watcher of the shard does not watch a cluster that it has not taken up, or that it knows by another inventory', () => {
  expect(says(sight({ shop: 'new', blog: 'old' }), 'shop', 'blog', 'news')).toEqual([
    'ok: w1 watches shop (shard main)',
    'bad: w1 watches blog by another inventory than this one',
    'bad: w1, which watches shard main, has not taken up news: no failover of it starts by itself',
  ]);
});

test('one that has said nothing yet has taken up nothing', () => {
  expect(says({ watcher: 'w1', details: null }, 'shop')).toEqual([
    'bad: w1, which watches shard main, has not taken up shop: no failover of it starts by itself',
  ]);
});

test('nobody is watched where nobody is known as primary', () => {
  expect(says(sight({ shop: 'new' }, ['shop']), 'shop')).toEqual([
    'bad: w1 watches nobody of shop: no majority of its members answered and agreed on a primary',
  ]);
});

test('what the last watcher said does not count when nobody watches now', () => {
  const gone = judgeWatch('main', { ...sight({ shop: 'new' }), watcher: null }, wanted('shop', 'blog'));
  expect(gone).toMatchObject([
    { state: 'bad', says: expect.stringMatching(/^nobody watches the clusters of shard main/) },
  ]);
});

test('many clusters are counted', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  expect(says(sight(Object.fromEntries(names.map((name) => [name, 'new']))), ...names)).toEqual([
    'ok: w1 watches 6 clusters (shard main)',
  ]);
});
