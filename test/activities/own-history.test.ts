import { expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, open, promote, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** db3 was primary before db1, has lost the last transaction of that time, which db1 and db2 have, and acknowledges nothing. */
function withLoss(changes: ConstructorParameters<typeof SimulatedShop>[0] = {}): SimulatedShop {
  const shop = new SimulatedShop(changes);
  const numbers = [...shop.databases.values()].map(({ host }) => host.serverId);
  const [primary = 0, , lost = 0] = numbers;
  const [old, last] = [`0-${String(lost)}-2`, `0-${String(lost)}-3`];
  for (const database of shop.databases.values())
    database.binlog.unshift(...(database.host.name === 'db3' ? [old] : [old, last]));
  for (const member of shop.members.values()) {
    member.lineage = `3:${String(lost)}:0-9-1;4:${String(primary)}:0-9-1,${last}`;
    member.sync = { ...member.sync, ackers: 'db2' };
  }
  const db3 = shop.database('db3');
  db3.semiSync.replicaEnabled = false;
  Object.assign(db3.channel ?? {}, { acknowledges: false });
  return shop;
}

const REFUSED = {
  kind: 'failed',
  type: 'Unsafe',
  message: expect.stringMatching(
    /the log of db3 lacks transactions that it wrote itself and db1 has, up to 0-3-3; .* standfast-host discard-data host=db3/,
  ) as string,
};
const ask = (shop: SimulatedShop, activity: 'planRejoin' | 'rejoinHost' | 'admitReplica') =>
  attempt(shop, activity, { input: { ...RUN, host: 'db3' } });

it('a return is refused, to whoever follows already as well, before anything is pointed', async () => {
  const shop = withLoss();
  expect(await ask(shop, 'planRejoin')).toMatchObject(REFUSED);
  expect(await ask(shop, 'rejoinHost')).toMatchObject(REFUSED);
  shop.database('db3').channel = null;
  expect(await ask(shop, 'rejoinHost')).toMatchObject(REFUSED);
  expect(shop.database('db3').channel).toBeNull();
});

it('what only it has comes before what it has lost: it is set aside first', async () => {
  const shop = withLoss();
  shop.database('db3').channel = null;
  shop.database('db3').commit();
  expect(await ask(shop, 'planRejoin')).toMatchObject({ kind: 'done', value: { follows: false } });
  // The simulated helper reads no files: it is asked to stop the server, so that they can be read.
  await expect(ask(shop, 'rejoinHost')).rejects.toThrow('does not know service-stop');
});

it('its word counts for nothing', async () => {
  const shop = withLoss();
  expect(await ask(shop, 'admitReplica')).toMatchObject(REFUSED);
  expect(shop.member('db1').sync).toMatchObject({ ackers: 'db2' });
});

it('it is not started after a boot, and keeps nobody else from it', async () => {
  const shop = withLoss();
  for (const name of ['db2', 'db3'])
    Object.assign(shop.database(name).channel ?? {}, { receiver: 'stopped', applier: 'stopped' });
  shop.kill('db1');
  shop.database('db1').boot();
  expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
  expect(shop.database('db2').channel).toMatchObject({ receiver: 'running', applier: 'running' });
  expect(shop.database('db3').channel).toMatchObject({ receiver: 'stopped', applier: 'stopped' });
});

it('it is not pointed at a new primary', async () => {
  const shop = withLoss({ alone: 'async' });
  shop.kill('db1');
  expect(await promote(shop, await decide(shop))).toMatchObject({ kind: 'done' });
  expect(shop.database('db2').readOnly).toBe(false);
  expect(shop.database('db3').channel?.source).toBe('db1');
});
