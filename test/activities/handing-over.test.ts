import { asyncLocalStorage } from '@temporalio/activity';
import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { Promoted } from '../../activities/contract.ts';
import { createActivities } from '../../activities/index.ts';
import { contextOf, inSimulatedTime } from './sim/attempt.ts';
import { decide, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** Both halves of a failover in one process. @param between what happens after the first */
async function failOver(shop: SimulatedShop, between: () => void | Promise<void>): Promise<Promoted> {
  shop.kill('db1');
  const activities = createActivities(shop, { worker: 'test/1', hold: () => Promise.resolve() });
  const fenced = await asyncLocalStorage.run(contextOf('fenceAndDrain', 1), () =>
    activities.fenceAndDrain({ ...RUN, candidate: null }),
  );
  assert.equal(fenced.kind, 'ready');
  await between();
  const { winner, epoch, decision } = fenced;
  return asyncLocalStorage.run(contextOf('promoteAndRoute', 1), () =>
    activities.promoteAndRoute({ ...RUN, winner, epoch, fence: decision.fence }),
  );
}

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How often the members were asked for their records in the promotion. */
async function recordsAsked(waitMs: number): Promise<number> {
  const shop = new SimulatedShop();
  let from = 0;
  const promoted = await failOver(shop, async () => {
    await pass(waitMs);
    from = shop.asked.length;
  });
  expect(promoted).toMatchObject({ mode: 'lossless', ackers: ['db3'] });
  return shop.asked.slice(from).filter((one) => one.endsWith(' records')).length;
}

describe('a promotion in the process that fenced', () => {
  it('goes on with what is known there when it begins at once, and asks anew when it is late', async () => {
    const [atOnce, late] = [await recordsAsked(0), await recordsAsked(5_000)];
    expect(late - atOnce).toBe(3);
  });

  it('changes nothing when a newer operation has claimed in between', async () => {
    const shop = new SimulatedShop();
    let before = 0;
    const promoting = failOver(shop, async () => {
      await decide(shop);
      before = shop.log.length;
    });
    await expect(promoting).rejects.toMatchObject({ type: 'Stale' });
    expect(shop.log.slice(before).filter((entry) => /record-primary|SET GLOBAL|vip-take/.test(entry))).toEqual([]);
  });
});
