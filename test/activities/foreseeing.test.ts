import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { fence } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

describe('the binary log of a dead primary, which takes longer to read than clients should wait', () => {
  /** Its last write is nowhere else. */
  function withLargeLog(changes: ConstructorParameters<typeof SimulatedShop>[0] = {}): SimulatedShop {
    const shop = new SimulatedShop({ mode: 'async', ...changes });
    for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
    shop.write('db1');
    shop.kill('db1');
    shop.logReadingMs = 100_000;
    return shop;
  }

  it('is read after the fence, from where the winner has read on: the failover does not end for it, nor wait long', async () => {
    const shop = withLargeLog();
    const startedMs = performance.now();
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: {
        kind: 'ready',
        winner: 'db2',
        decision: { coverage: { by: 'salvage' }, salvage: { applied: { count: 1 } } },
      },
    });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(shop.lostOn('db2')).toEqual([]);
  });

  it('is read before anything is changed when that takes seconds, and tells of a loss', async () => {
    const shop = withLargeLog({ salvage: 'quarantine' });
    shop.logReadingMs = 5_000;
    expect(await fence(shop)).toMatchObject({
      value: { kind: 'refused', changed: false, risk: { fence: null, loss: { count: 1 } } },
    });
    expect(shop.log).toEqual([]);
  });

  it('is a loss to answer for after the fence as well, when it is only kept aside', async () => {
    expect(await fence(withLargeLog({ salvage: 'quarantine' }))).toMatchObject({
      value: { kind: 'refused', changed: true, risk: { fence: null, loss: { count: 1 } } },
    });
  });

  it('leaves a plan open what it holds', async () => {
    const outcome = await attempt(withLargeLog(), 'planFailover', { input: { cluster: 'shop', candidate: null } });
    expect(outcome).toMatchObject({
      value: {
        outcome: 'planned',
        loss: 'none if the binary log of db1 can be read after the fence, which is all that covers it',
        sentence: expect.stringMatching(/^db2 would be promoted now/) as string,
      },
    });
  });
});
