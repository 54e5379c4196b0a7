import { expect, it } from 'vitest';
import type { Circumstances } from './sim/attempt.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const input = { cluster: 'shop', job: 'job-1', donor: 'db1', target: 'db3', primary: 'db1' };
const prove = (shop: SimulatedShop, how: Circumstances = {}) => attempt(shop, 'proveReplica', { ...how, input });

/** db3 replicates, and is no acker yet. */
function withNewReplica(): SimulatedShop {
  const shop = new SimulatedShop();
  const db3 = shop.database('db3');
  db3.semiSync.replicaEnabled = false;
  Object.assign(db3.channel ?? {}, { acknowledges: false });
  for (const member of shop.members.values()) member.sync.ackers = 'db2';
  return shop;
}

const STOPS = /^db3 sql .*STOP SLAVE/;

it('a proof compares every table, and its replica goes on', async () => {
  const shop = withNewReplica();
  expect(await prove(shop)).toMatchObject({ kind: 'done', value: { tables: 2, position: '0-1-5' } });
  expect(shop.database('db3').channel).toMatchObject({ receiver: 'running', applier: 'running' });
  // Before it catches up, at the snapshot, and when it goes on.
  expect(shop.log.filter((event) => STOPS.test(event))).toHaveLength(3);
});

it.each([1, 2, 3])(
  'a proof throws nothing away of a replica that was made to acknowledge before its stop number %i',
  async (number) => {
    const shop = withNewReplica();
    const db3 = shop.database('db3');
    let acknowledged = '';
    for (let stop = 1; stop < number; stop += 1) shop.interrupt('before', STOPS, () => undefined);
    shop.interrupt('before', STOPS, () => {
      db3.semiSync.replicaEnabled = true;
      Object.assign(db3.channel ?? {}, { acknowledges: true });
      for (const thread of ['applier', 'receiver'] as const) db3.start(thread);
      db3.applierPace = 0;
      acknowledged = shop.database('db1').commit();
      shop.move();
    });
    expect(await prove(shop)).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('acknowledges writes'),
    });
    expect(db3.channel).toMatchObject({ relay: [acknowledged], receiver: 'running', applier: 'running' });
    expect(await prove(shop, { attempt: 2 })).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(db3.channel).toMatchObject({ relay: [acknowledged], receiver: 'running', applier: 'running' });
  },
);

it('an acker that is admitted in the middle of a proof of it stays one, and the proof ends', async () => {
  const shop = withNewReplica();
  let admission: Promise<unknown> = Promise.resolve();
  shop.interrupt('before', /^db3 sql CHECKSUM/, async () => {
    admission = attempt(shop, 'admitReplica', { input: { ...RUN, host: 'db3' } });
    await admission;
  });
  const ended = await prove(shop);
  expect(await admission).toMatchObject({ kind: 'done', value: { mode: 'lossless', ackers: ['db2', 'db3'] } });
  expect(ended).toMatchObject({ kind: 'failed', type: 'Unreachable' });
  expect(await prove(shop, { attempt: 2 })).toMatchObject({ kind: 'failed', type: 'Stale' });
  expect(shop.database('db3').channel).toMatchObject({ receiver: 'running', applier: 'running', acknowledges: true });
});

it('a difference is told with what a person does: with the data of a host that came back, or with a copy', async () => {
  const differing = async (shop: SimulatedShop) => {
    shop.database('db3').sums.set('orders', '13');
    const outcome = await prove(shop);
    return outcome.kind === 'failed' ? `${outcome.type}: ${outcome.message}` : outcome.kind;
  };
  const differs = 'Unsafe: db3 differs from its primary at the same GTID position in `shop`.`orders`. To go on: ';
  expect(await differing(withNewReplica())).toBe(
    `${differs}when it counts, standfast acker remove shop db3; stop its server; as root on it, standfast-host discard-data host=db3; then standfast provision shop db3`,
  );
  const copy = withNewReplica();
  copy.member('db3').copies.add(input.job);
  expect(await differing(copy)).toBe(`${differs}standfast provision shop db3, once what was copied is removed`);
});

it('goes on with the tables that an earlier attempt has not seen to be equal, and tells of those again', async () => {
  const shop = withNewReplica();
  shop.interrupt('before', /^db3 sql CHECKSUM .*orders/, () => {
    for (const session of shop.sessions) session.kill();
  });
  let told: unknown;
  const tells = (details: unknown) => (told = details);
  expect(await prove(shop, { tells })).toMatchObject({ kind: 'failed', type: 'Unreachable' });
  expect(told).toMatchObject({ compared: ['`shop`.`items`'] });
  shop.interrupt('before', /^db3 sql CHECKSUM .*orders/, () => {
    for (const session of shop.sessions) session.kill();
  });
  expect(await prove(shop, { attempt: 2, told, tells })).toMatchObject({ kind: 'failed', type: 'Unreachable' });
  expect(await prove(shop, { attempt: 3, told })).toMatchObject({ kind: 'done', value: { tables: 2 } });
  expect(shop.log.filter((event) => /^db3 sql CHECKSUM TABLE `shop`.`items`/.test(event))).toHaveLength(1);
});
