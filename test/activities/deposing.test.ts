import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, open, promote } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** db1 serves its clients, cut off from everybody else, and cannot acknowledge any more; db2 is about to be recorded in its place. */
async function deprived() {
  const shop = new SimulatedShop({ fence: ['revocation'] });
  shop.cutFromWorker.add('db1');
  for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
  return { shop, decision: await decide(shop) };
}

const heal = (shop: SimulatedShop): void => {
  shop.cutFromWorker.clear();
  shop.cut.clear();
};

const depose = (shop: SimulatedShop, epoch?: number) =>
  attempt(shop, 'fenceDeposed', { input: { cluster: 'shop', host: 'db1', ...(epoch === undefined ? {} : { epoch }) } });

const FENCED = { kind: 'done', value: { kind: 'fenced' } };

describe('a deposed primary', () => {
  it('is shut off as soon as it answers', async () => {
    const { shop, decision } = await deprived();
    await promote(shop, decision);
    expect(await depose(shop, decision.epoch.number)).toMatchObject({ kind: 'failed', type: 'Unreachable' });
    heal(shop);
    expect(shop.database('db1').process).toBe('running');
    expect(await depose(shop, decision.epoch.number)).toMatchObject(FENCED);
    expect(shop.write('db1')).toBe('refused');
    expect(shop.violations).toEqual([]);
  });

  it('is waited for while too few members say who is primary', async () => {
    const { shop, decision } = await deprived();
    await promote(shop, decision);
    heal(shop);
    for (const host of ['db2', 'db3']) shop.cutFromWorker.add(host);
    expect(await depose(shop)).toMatchObject({
      ...{ kind: 'failed', type: 'NotYet', message: expect.stringContaining('1 of 3 members answered') },
    });
    expect(shop.write('db1')).not.toBe('refused');
    shop.cutFromWorker.clear();
    expect(await depose(shop)).toMatchObject(FENCED);
  });

  it('is waited for while the failover that deposes it has recorded nobody else yet', async () => {
    const { shop, decision } = await deprived();
    heal(shop);
    expect(await depose(shop, decision.epoch.number)).toMatchObject({ kind: 'failed', type: 'NotYet' });
    expect(shop.member('db1').fenced).toBe(false);
    await promote(shop, decision);
    expect(await depose(shop, decision.epoch.number)).toMatchObject(FENCED);
  });

  it('is left alone when it was opened again since', async () => {
    const { shop, decision } = await deprived();
    heal(shop);
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    for (const epoch of [decision.epoch.number, undefined])
      expect(await depose(shop, epoch)).toMatchObject({ kind: 'done', value: { kind: 'left-alone' } });
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('is not waited for where nobody was ever recorded', async () => {
    const shop = new SimulatedShop();
    for (const member of shop.members.values()) member.primary = { epoch: 0, host: '', run: '' };
    expect(await depose(shop)).toMatchObject({ kind: 'failed', type: 'Unsafe' });
  });
});
