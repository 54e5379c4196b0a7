import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { HostName } from '../../domain/cluster.ts';
import { SHOP } from '../domain/shop.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, open, promote, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** Where the inventory says of them that they are never promoted. */
const shopWithout = (...names: readonly HostName[]): SimulatedShop =>
  new SimulatedShop({ hosts: SHOP.hosts.map((host) => ({ ...host, promotable: !names.includes(host.name) })) });

const refused = {
  kind: 'failed',
  type: 'BadInput',
  message:
    'db2 is never promoted (promotable: false in the inventory of shop). Ask for another host (db1, db3), or change the inventory. Nothing was changed',
};

describe('a host that is never promoted', () => {
  it('covers a failover and acknowledges for the new primary, and is not the one', async () => {
    const shop = shopWithout('db2');
    shop.kill('db1');
    const decided = await decide(shop);
    expect(decided.winner).toBe('db3');
    expect(await promote(shop, decided)).toMatchObject({ kind: 'done', value: { mode: 'lossless', ackers: ['db2'] } });
    expect(shop.lostOn('db3')).toEqual([]);
    expect(shop.violations).toEqual([]);
  });

  it('is refused when a person asks for it, before anything is changed', async () => {
    const shop = shopWithout('db2');
    shop.kill('db1');
    const before = shop.log.length;
    const ordered = { ...RUN, candidate: 'db2', accepted: null };
    expect(await attempt(shop, 'fenceAndDrain', { input: ordered })).toMatchObject(refused);
    expect(await attempt(shop, 'planFailover', { input: { cluster: 'shop', candidate: 'db2' } })).toMatchObject(
      refused,
    );
    expect(shop.log.slice(before)).toEqual([]);
  });

  it('is no winner of a plan either, and a plan says so when nobody else is left', async () => {
    const input = { cluster: 'shop', candidate: null };
    const planned = await attempt(shopWithout('db2'), 'planFailover', { input });
    expect(planned).toMatchObject({ kind: 'done', value: { winner: 'db3', refusal: null } });
    const none = await attempt(shopWithout('db2', 'db3'), 'planFailover', { input });
    assert(none.kind === 'done', JSON.stringify(none));
    expect(none.value.winner).toBeNull();
    expect(none.value.refusal?.explains).toContain('db2: it is never promoted (promotable: false in the inventory)');
  });

  it('is opened again when it is the primary on record all the same', async () => {
    const shop = shopWithout('db1');
    shop.kill('db1');
    shop.database('db1').boot();
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
  });
});
