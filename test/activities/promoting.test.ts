import { describe, expect, it } from 'vitest';
import { inSimulatedTime } from './sim/attempt.ts';
import { noAnswer } from './sim/ports.ts';
import { pass } from './sim/session.ts';
import { decide, promote } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** Fenced, elected and drained: db2 is about to be promoted. */
async function decided(changes: ConstructorParameters<typeof SimulatedShop>[0] = {}) {
  const shop = new SimulatedShop(changes);
  shop.kill('db1');
  return { shop, decision: await decide(shop) };
}

describe('the promise of a new primary', () => {
  it('waits for an attached acker before clients are led to it', async () => {
    const { shop, decision } = await decided();
    shop.cut.add('db2 db3');
    shop.interrupt('after', /^db2 sql SET GLOBAL rpl_semi_sync_master_enabled = 1/, () => {
      setTimeout(() => {
        shop.cut.clear();
      }, 3_000);
    });
    let clients = -1;
    shop.interrupt('before', /^db2 vip-take/, () => {
      ({ clients } = shop.database('db2'));
    });
    expect(await promote(shop, decision)).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(clients).toBe(1);
  });

  it('is not made, and the server stays closed, while nobody attaches and the policy is to stop', async () => {
    const { shop, decision } = await decided();
    shop.cut.add('db2 db3');
    expect(await promote(shop, decision)).toMatchObject({
      kind: 'failed',
      type: 'NotYet',
      message: expect.stringMatching(/^db2 stays closed until a replica acknowledges .* Bring back db3, or set/),
    });
    expect(shop.database('db2').readOnly).toBe(true);
    expect(shop.member('db1').sync).toMatchObject({ mode: 'async' });
  });

  it('is async, in the record as on the server, when nobody attaches and the policy allows it', async () => {
    const { shop, decision } = await decided({ alone: 'async' });
    shop.cut.add('db2 db3');
    expect(await promote(shop, decision)).toMatchObject({ kind: 'done', value: { mode: 'async' } });
    for (const member of shop.members.values()) expect(member.sync).toMatchObject({ mode: 'async' });
    expect(shop.write('db2')).toBe('acknowledged');
  });

  it('is not recorded while the acker lacks what the new primary has committed', async () => {
    const { shop, decision } = await decided();
    let lacking: readonly string[] | null = null;
    shop.interrupt('after', /^db2 sql SET GLOBAL rpl_semi_sync_master_enabled = 1/, () => {
      shop.database('db2').binlog.push('0-2-900');
      shop.database('db3').applierPace = 0;
    });
    shop.interrupt('before', /^db3 record-sync/, () => {
      const { channel, binlog } = shop.database('db3');
      lacking = shop.database('db2').binlog.filter((gtid) => ![...binlog, ...(channel?.relay ?? [])].includes(gtid));
    });
    expect(await promote(shop, decision)).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(lacking).toEqual([]);
  });

  it.each([
    ['waits at all', /^SET GLOBAL rpl_semi_sync_master_enabled/],
    ['waits before a commit is visible', /^SET GLOBAL rpl_semi_sync_master_wait_point/],
    ['waits also when nobody is attached', /^SET GLOBAL rpl_semi_sync_master_wait_no_slave/],
    ['never stops to wait', /^SET GLOBAL rpl_semi_sync_master_timeout/],
  ])('is not recorded of a server that is not seen to be one that %s', async (_, setting) => {
    const { shop, decision } = await decided();
    shop.database('db2').deafTo = setting;
    expect(await promote(shop, decision)).toMatchObject({ kind: 'failed', type: 'Unverified' });
    for (const member of shop.members.values()) expect(member.sync).toMatchObject({ mode: 'async' });
    expect(shop.database('db2').readOnly).toBe(true);
  });
});

describe('the VIP of a new primary', () => {
  it('is not called proven while another host answers for it', async () => {
    const { shop, decision } = await decided();
    shop.interrupt('after', /^db2 vip-take/, () => {
      shop.member('db3').holdsVip = true;
    });
    const outcome = await promote(shop, decision);
    expect(outcome).toMatchObject({
      kind: 'failed',
      type: 'Unverified',
      message: expect.stringContaining('db3 hears'),
    });
  });

  it('is not called proven when a write through it ends on a server that refuses it', async () => {
    const { shop, decision } = await decided();
    shop.vipLeadsTo = 'db3';
    const outcome = await promote(shop, decision);
    expect(outcome).toMatchObject({
      kind: 'failed',
      type: 'Unverified',
      message: expect.stringContaining('a write through the VIP was refused'),
    });
  });

  it('is dropped by whoever else holds it before the new primary takes it', async () => {
    const { shop, decision } = await decided();
    shop.member('db3').holdsVip = true;
    expect(await promote(shop, decision)).toMatchObject({ kind: 'done' });
    expect(shop.log.indexOf('db3 vip-drop')).toBeLessThan(shop.log.indexOf('db2 vip-take'));
    expect(shop.member('db3').holdsVip).toBe(false);
  });

  it('outranks a host that is silent and may still hold it', async () => {
    const { shop, decision } = await decided();
    // The claim, then whether it holds the VIP.
    shop.interrupt('before', /^db3 records/, () => {
      shop.interrupt('before', /^db3 records/, () => noAnswer('db3'));
    });
    await promote(shop, decision);
    expect(shop.member('db2')).toMatchObject({ holdsVip: true, role: 2 });
  });
});

describe('a new primary', () => {
  it('that refuses to be opened is not routed to', async () => {
    const { shop, decision } = await decided();
    shop.database('db2').deafTo = /read_only = 0/;
    expect(await promote(shop, decision)).toMatchObject({
      kind: 'failed',
      type: 'Unverified',
      message: expect.stringContaining('still refuses'),
    });
    expect(shop.member('db2').holdsVip).toBe(false);
  });

  it('whose server was started anew after it had promised to wait is not opened before it waits again', async () => {
    const { shop, decision } = await decided();
    const restart = (): void => {
      shop.kill('db2');
      shop.database('db2').boot();
    };
    const outcome = await promote(shop, decision, { at: { 'promoteAndRoute.open:before': restart } });
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unverified', message: expect.stringContaining('anew') });
    expect(shop.database('db2').readOnly).toBe(true);
    expect(await promote(shop, decision, { attempt: 2 })).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(shop.database('db2').semiSync.waits).toBe(true);
  });

  it('is promoted by a second attempt as by the first, whatever was done already', async () => {
    const { shop, decision } = await decided();
    const first = await promote(shop, decision, { holdAt: 'promoteAndRoute.open:after' });
    expect(first).toMatchObject({ kind: 'held' });
    await pass(1_000);
    expect(await promote(shop, decision, { attempt: 2 })).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(shop.violations).toEqual([]);
    expect(shop.lostOn('db2')).toEqual([]);
  });
});

describe('a winner whose host is lost before its promotion is done', () => {
  const withoutWinner = async (): Promise<{ shop: SimulatedShop; decision: Awaited<ReturnType<typeof decide>> }> => {
    const { shop, decision } = await decided({ alone: 'async' });
    expect(decision.winner).toBe('db2');
    shop.powerOff('db2');
    return { shop, decision };
  };

  it('is given up, and the one that is elected after it has everything that was acknowledged', async () => {
    const { shop, decision } = await withoutWinner();
    const late = await promote(shop, decision, { attempt: 2 });
    expect(late).toMatchObject({
      kind: 'failed',
      type: 'Stale',
      message: expect.stringContaining('not answered for 10 s'),
    });
    const next = await decide(shop);
    expect(next.winner).toBe('db3');
    expect(await promote(shop, next)).toMatchObject({ kind: 'done' });
    expect(shop.write('db3')).not.toBe('refused');
    expect(shop.lostOn('db3')).toEqual([]);
    expect(shop.violations).toEqual([]);
  });

  it('is waited for while it may be cut off for a moment only', async () => {
    const { shop, decision } = await withoutWinner();
    setTimeout(() => {
      shop.powerOn('db2');
    }, 5_000);
    const late = await promote(shop, decision, { attempt: 2 });
    expect(late).toMatchObject({
      kind: 'failed',
      type: 'Unreachable',
      message: expect.stringContaining('did not accept'),
    });
    expect(await promote(shop, decision, { attempt: 3 })).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
  });
});
