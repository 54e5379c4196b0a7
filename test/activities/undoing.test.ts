import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, fence, firstOf, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const undo = (shop: SimulatedShop, run = RUN.run) => attempt(shop, 'undoFence', { input: { ...RUN, run } });

describe('the undo of a fence', () => {
  it('opens the old primary again, with its replicas', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    await decide(shop);
    expect(await undo(shop)).toMatchObject({ kind: 'done', value: { notUndone: [] } });
    expect(shop.write('db1')).toBe('acknowledged');
    expect(shop.violations).toEqual([]);
    for (const host of ['db2', 'db3']) expect(shop.lostOn(host)).toEqual([]);
  });

  it('does nothing for a run that claimed nothing', async () => {
    const shop = new SimulatedShop();
    expect(await undo(shop, 'run-of-nobody')).toEqual({ kind: 'done', value: { undone: [], notUndone: [] } });
    expect(shop.log).toEqual([]);
  });

  it('does not start the threads of a replica that would throw away what it has not applied, and says so', async () => {
    const shop = new SimulatedShop();
    const db3 = shop.database('db3');
    db3.applierPace = 0;
    for (let row = 0; row < 5; row += 1) shop.write('db1');
    db3.stop('applier');
    db3.stop('receiver');
    shop.powerOff('db1');
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'refused' } });
    const outcome = await undo(shop);
    expect(firstOf(shop, /^db3 sql /)).toBe(Infinity);
    expect(db3.channel?.relay).toHaveLength(5);
    expect(outcome).toMatchObject({
      kind: 'done',
      value: { notUndone: expect.arrayContaining([expect.stringContaining('starting its threads would delete them')]) },
    });
  });
});

describe('a replica with both threads stopped', () => {
  it('is left as it is by a failover while its relay log holds what it has not applied', async () => {
    const shop = new SimulatedShop();
    const db3 = shop.database('db3');
    db3.applierPace = 0;
    for (let row = 0; row < 5; row += 1) shop.write('db1');
    db3.stop('applier');
    db3.stop('receiver');
    shop.kill('db1');
    await decide(shop);
    expect(firstOf(shop, /^db3 sql /)).toBe(Infinity);
    expect(db3.channel?.relay).toHaveLength(5);
  });
});
