import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { firstOf, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';
import type { HoldPoint } from '../../activities/steps.ts';

inSimulatedTime();

/** db3 replicates and is proven; it acknowledges nothing yet. */
function withNewReplica(ackers = 'db2'): SimulatedShop {
  const shop = new SimulatedShop();
  const db3 = shop.database('db3');
  db3.semiSync.replicaEnabled = false;
  if (db3.channel !== null) db3.channel.acknowledges = false;
  for (const member of shop.members.values())
    member.sync = { epoch: 4, mode: ackers === '' ? 'async' : 'lossless', ackers, k: ackers === '' ? '0' : '1' };
  return shop;
}

const admit = (shop: SimulatedShop) => attempt(shop, 'admitReplica', { input: { ...RUN, host: 'db3' } });

const recordedAckers = (shop: SimulatedShop): readonly string[] =>
  [...shop.members.values()].map(({ sync }) => sync.ackers);

const ACKNOWLEDGES = /^db3 sql SET GLOBAL rpl_semi_sync_slave_enabled = 1/;

describe('an admission', () => {
  it('grows the record on a majority before the replica acknowledges anything', async () => {
    const shop = withNewReplica();
    let recorded: readonly string[] = [];
    shop.interrupt('before', ACKNOWLEDGES, () => {
      recorded = recordedAckers(shop);
    });
    expect(await admit(shop)).toMatchObject({ kind: 'done', value: { mode: 'lossless', ackers: ['db2', 'db3'] } });
    expect(recorded.filter((ackers) => ackers === 'db2,db3').length).toBeGreaterThanOrEqual(2);
  });

  it('is refused to a replica that follows another host', async () => {
    const shop = withNewReplica();
    const { channel } = shop.database('db3');
    if (channel !== null) channel.source = 'db2';
    expect(await admit(shop)).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('db3 replicates from db2, not from db1'),
    });
    expect(firstOf(shop, ACKNOWLEDGES)).toBe(Infinity);
  });

  it('is refused to a replica with transactions that the primary never had', async () => {
    const shop = withNewReplica();
    shop.database('db3').commit();
    expect(await admit(shop)).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringMatching(/that db1 never had .* standfast rejoin shop db3, which sets aside/),
    });
    expect(firstOf(shop, ACKNOWLEDGES)).toBe(Infinity);
  });

  it('is refused to a replica whose logs nobody else can read', async () => {
    const shop = withNewReplica();
    shop.database('db3').encryptsLogs = true;
    expect(await admit(shop)).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('encrypt_binlog is ON'),
    });
    expect(firstOf(shop, ACKNOWLEDGES)).toBe(Infinity);
  });

  it('is lossless only when the replica holds what was committed before', async () => {
    const shop = withNewReplica('');
    shop.database('db1').semiSync.waits = false;
    shop.database('db3').applierPace = 0;
    shop.write('db1');
    expect(await admit(shop)).toMatchObject({ kind: 'failed', type: 'NotYet' });
    for (const member of shop.members.values()) expect(member.sync).toMatchObject({ mode: 'async' });
  });
});

describe('the removal of an acker', () => {
  const remove = (shop: SimulatedShop) => attempt(shop, 'removeAcker', { input: { ...RUN, host: 'db3' } });

  it('makes the primary refuse it before the record shrinks', async () => {
    const shop = new SimulatedShop();
    let refused = 0;
    shop.interrupt('before', /^db1 record-sync/, () => {
      refused = shop.member('db1').refused.size;
    });
    expect(await remove(shop)).toMatchObject({ kind: 'done', value: { mode: 'lossless', ackers: ['db2'] } });
    expect(refused).toBe(1);
    expect(recordedAckers(shop)).toEqual(['db2', 'db2', 'db2']);
    expect(shop.database('db3').semiSync.replicaEnabled).toBe(false);
  });

  it('leaves it on record while it is still connected, from another address', async () => {
    const shop = new SimulatedShop();
    shop.comesFrom.set('db3', '10.9.0.254');
    const outcome = await remove(shop);
    expect(recordedAckers(shop)).toEqual(['db2,db3', 'db2,db3', 'db2,db3']);
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('is still connected') });
  });
});

describe('the undo of a removal', () => {
  const undo = (shop: SimulatedShop) =>
    attempt(shop, 'undoRemoval', { input: { ...RUN, host: 'db3', wasAcker: true } });
  /** Its worker dies at that point, and the primary with it. */
  const removeUntil = async (shop: SimulatedShop, holdAt: HoldPoint) => {
    expect(await attempt(shop, 'removeAcker', { input: { ...RUN, host: 'db3' }, holdAt })).toMatchObject({
      kind: 'held',
    });
  };
  const records = (shop: SimulatedShop): readonly string[] =>
    [...shop.members].filter(([name]) => name !== 'db1').map(([, { sync }]) => `${sync.mode} ${sync.ackers}`);

  it.each([
    ['when the record was shrunk', 'removeAcker.record:after', 'db3 is no acker any more', 'lossless db2'],
    ['before the record was shrunk', 'removeAcker.refuse:after', 'db3 may still be refused by db1', 'lossless db2,db3'],
  ] as const)(
    'leaves the record as the writes of a primary rested on it that died %s',
    async (_, holdAt, said, record) => {
      for (const death of ['kill', 'powerOff'] as const) {
        const shop = new SimulatedShop();
        await removeUntil(shop, holdAt);
        shop[death]('db1');
        const value = { undone: [], notUndone: [expect.stringContaining(said)] };
        expect(await undo(shop)).toMatchObject({ kind: 'done', value });
        expect(records(shop)).toEqual([record, record]);
      }
    },
  );

  it('lets the replica in again while the primary lives', async () => {
    const shop = new SimulatedShop();
    await removeUntil(shop, 'removeAcker.refuse:after');
    expect(await undo(shop)).toMatchObject({ value: { undone: ['db3 may connect to db1 again'], notUndone: [] } });
    expect(records(shop)).toEqual(['lossless db2,db3', 'lossless db2,db3']);
  });
});

describe('going async', () => {
  it('is on record on a majority before the primary stops to wait', async () => {
    const shop = new SimulatedShop({ alone: 'async' });
    let recorded: readonly string[] = [];
    shop.interrupt('before', /^db1 sql SET GLOBAL rpl_semi_sync_master_enabled = 0/, () => {
      recorded = [...shop.members.values()].map(({ sync }) => sync.mode);
    });
    expect(await attempt(shop, 'goAsync', { input: RUN })).toMatchObject({ kind: 'done' });
    expect(recorded).toEqual(['async', 'async', 'async']);
  });
});
