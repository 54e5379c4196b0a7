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

/** db3 is on record as an acker, and caught up too late for `lossless` to be recorded. */
function listedInVain(): SimulatedShop {
  const shop = new SimulatedShop();
  for (const { sync } of shop.members.values()) sync.mode = 'async';
  return shop;
}

it('one that follows counts when it acknowledges and lossless is on record; one that is only listed is told apart', async () => {
  expect(await rejoin(new SimulatedShop())).toMatchObject({ value: { kind: 'counts' } });
  expect(await rejoin(listedInVain())).toMatchObject({ value: { kind: 'listed' } });
  const mute = new SimulatedShop();
  mute.database('db3').semiSync.replicaEnabled = false;
  expect(await rejoin(mute)).toMatchObject({ value: { kind: 'listed' } });
  const stranger = leftStopped();
  for (const thread of ['applier', 'receiver'] as const) stranger.database('db3').start(thread);
  for (const { sync } of stranger.members.values()) sync.ackers = 'db2';
  expect(await rejoin(stranger)).toMatchObject({ value: { kind: 'follows' } });
});

it('in a cluster of mode async nobody is listed, whatever an old record says', async () => {
  const shop = new SimulatedShop({ mode: 'async' });
  for (const { sync } of shop.members.values()) sync.ackers = 'db2,db3';
  expect(await rejoin(shop)).toMatchObject({ value: { kind: 'follows' } });
});

it('an undo leaves an acker on record as it is', async () => {
  const shop = listedInVain();
  const db3 = shop.database('db3');
  db3.semiSync.replicaEnabled = false;
  Object.assign(db3.channel ?? {}, { applier: 'stopped' });
  const input = { ...RUN, host: 'db3', followedBefore: false };
  expect(await attempt(shop, 'undoRejoin', { input })).toMatchObject({ value: { undone: [] } });
  expect(db3.channel).toMatchObject({ source: 'db1', receiver: 'running' });
});
