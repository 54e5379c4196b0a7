import { describe, expect, it } from 'vitest';
import { SHOP } from '../domain/shop.ts';
import type { Circumstances } from './sim/attempt.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, firstOf, promote, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** db1 of two is off, and db2 was promoted in its place. */
async function promotedAlone() {
  const shop = new SimulatedShop({ hosts: SHOP.hosts.slice(0, 2), alone: 'async' });
  shop.powerOff('db1');
  const decision = await decide(shop);
  expect(await promote(shop, decision)).toMatchObject({ kind: 'done' });
  const asked: string[] = [];
  shop.powerHook = (host) => {
    asked.push(host);
    return `${host} is off`;
  };
  const { fence, epoch } = decision;
  const settle = (how: Circumstances = {}) =>
    attempt(shop, 'settleCluster', { ...how, input: { ...RUN, primary: 'db2', epoch, fence } });
  return { shop, asked, settle };
}

describe('settling', () => {
  it('of a two-host cluster counts the fence of the host that is off, and asks nobody again', async () => {
    const { shop, asked, settle } = await promotedAlone();
    expect(await settle()).toMatchObject({ kind: 'done' });
    expect(shop.database('db2').channel).toBeNull();
    expect(asked).toEqual([]);
    expect(shop.write('db2')).toBe('acknowledged');
  });

  it('has the host proven off anew when another attempt claims', async () => {
    const { shop, asked, settle } = await promotedAlone();
    expect(await settle({ attempt: 2 })).toMatchObject({ kind: 'done' });
    expect(shop.database('db2').channel).toBeNull();
    expect(asked).toEqual(['db1']);
  });

  it('touches nothing on a host that is not primary any more', async () => {
    const shop = new SimulatedShop();
    const outcome = await attempt(shop, 'settleCluster', {
      input: { ...RUN, primary: 'db2', epoch: { number: 5, run: RUN.run } },
    });
    expect(firstOf(shop, /RESET SLAVE ALL/)).toBe(Infinity);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
  });

  it('touches nothing when another operation has claimed since', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const { epoch, ...decision } = await decide(shop);
    await promote(shop, { epoch, ...decision });
    shop.claimByOther('run-other');
    const outcome = await attempt(shop, 'settleCluster', { input: { ...RUN, primary: 'db2', epoch } });
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(shop.database('db2').channel).not.toBeNull();
  });
});
