import { expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const rejoin = (shop: SimulatedShop) => attempt(shop, 'rejoinHost', { input: { ...RUN, host: 'db3' } });

/** db3 receives from nobody any more, and has yet to apply what it received. */
function behind(relay: readonly string[]): SimulatedShop {
  const shop = new SimulatedShop();
  const db3 = shop.database('db3');
  db3.semiSync.replicaEnabled = false;
  db3.applierPace = 0;
  Object.assign(db3.channel ?? {}, { source: 'db2', receiver: 'connecting', relay: [...relay], acknowledges: false });
  return shop;
}

it('does not throw away what a replica has yet to apply, and its primary never had', async () => {
  const shop = behind(['0-2-900']);
  expect(await rejoin(shop)).toMatchObject({
    kind: 'failed',
    type: 'NotYet',
    message: expect.stringContaining('never had (0-2-900), and has yet to apply them'),
  });
  expect(shop.database('db3').channel).toMatchObject({ source: 'db2', relay: ['0-2-900'] });
});
