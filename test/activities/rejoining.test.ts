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

/** A worker that died while it compared rows left both threads of db3 stopped. */
function leftStopped(): SimulatedShop {
  const shop = new SimulatedShop();
  const db3 = shop.database('db3');
  db3.semiSync.replicaEnabled = false;
  Object.assign(db3.channel ?? {}, { receiver: 'stopped', applier: 'stopped', acknowledges: false });
  return shop;
}
const undo = (shop: SimulatedShop) =>
  attempt(shop, 'undoRejoin', { input: { ...RUN, host: 'db3', followedBefore: true } });

it('starts a replica again that followed before, when a proof has left its threads stopped', async () => {
  const shop = leftStopped();
  expect(await undo(shop)).toMatchObject({ value: { undone: ['db3 replicates from db1 again'], notUndone: [] } });
  expect(shop.database('db3').channel).toMatchObject({ source: 'db1', receiver: 'running', applier: 'running' });
});

it('starts no replica that acknowledges, or whose primary is dead: its relay log would go', async () => {
  const acknowledging = leftStopped();
  acknowledging.database('db3').semiSync.replicaEnabled = true;
  expect(await undo(acknowledging)).toMatchObject({ value: { undone: [], notUndone: [] } });
  const orphaned = leftStopped();
  orphaned.kill('db1');
  expect(await undo(orphaned)).toMatchObject({ kind: 'failed' });
  for (const shop of [acknowledging, orphaned])
    expect(shop.database('db3').channel).toMatchObject({ receiver: 'stopped', applier: 'stopped' });
});
