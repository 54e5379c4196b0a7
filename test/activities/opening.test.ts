import { describe, expect, it } from 'vitest';
import { inSimulatedTime } from './sim/attempt.ts';
import { fence, firstOf, nthOf, open } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** db1 restarted and is closed, as every member is then. */
function restarted(changes: ConstructorParameters<typeof SimulatedShop>[0] = {}): SimulatedShop {
  const shop = new SimulatedShop(changes);
  shop.kill('db1');
  shop.database('db1').boot();
  return shop;
}

const OPENED = /^db1 sql SET GLOBAL read_only = 0/;

describe('a primary that restarted', () => {
  it('is opened again with the promise that is recorded', async () => {
    const shop = restarted();
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(shop.write('db1')).toBe('acknowledged');
    expect(shop.violations).toEqual([]);
  });

  it('is opened again though its logs are encrypted: it counted before, and is told of elsewhere', async () => {
    const shop = restarted();
    shop.database('db1').encryptsLogs = true;
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
  });

  it('says which of its events are left off', async () => {
    const shop = restarted();
    shop.runsEvents = true;
    const db1 = shop.database('db1');
    db1.events = [{ name: 'hourly', status: 'SLAVESIDE_DISABLED' }];
    db1.notedEvents = '{"enabled":[["shop","hourly"]],"disabled":[]}';
    db1.maySwitchEvents = false;
    expect(await open(shop, 'db1')).toMatchObject({
      kind: 'done',
      value: {
        events: { leftOff: [{ event: 'shop.hourly' }] },
        sentence: expect.stringMatching(/WARNING: events are left off: shop\.hourly \(.*1044.*ALTER DEFINER/) as string,
      },
    });
    db1.maySwitchEvents = true;
    expect(await open(shop, 'db1')).toMatchObject({ value: { events: { enabled: ['shop.hourly'], leftOff: [] } } });
    expect(db1.eventScheduler).toBe(true);
  });

  it('waits for acknowledgements before it is open', async () => {
    const shop = restarted();
    await open(shop, 'db1');
    expect(firstOf(shop, /^db1 sql SET GLOBAL rpl_semi_sync_master_enabled = 1/)).toBeLessThan(firstOf(shop, OPENED));
  });

  it('is not opened while another host accepts writes', async () => {
    const shop = restarted();
    shop.database('db2').readOnly = false;
    expect(await open(shop, 'db1')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('db2 accepts writes as well'),
    });
    expect(firstOf(shop, OPENED)).toBe(Infinity);
  });

  it('is not opened when another host is recorded as primary by now', async () => {
    const shop = restarted();
    for (const host of ['db2', 'db3']) shop.member(host).primary = { epoch: 5, host: 'db2', run: 'run-other' };
    expect(await open(shop, 'db1')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('db2 is recorded as primary'),
    });
    expect(firstOf(shop, OPENED)).toBe(Infinity);
  });

  it('is not opened when a replica holds what it lacks', async () => {
    const shop = restarted();
    shop.database('db1').binlog.pop();
    expect(await open(shop, 'db1')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('holds transactions that db1 lacks'),
    });
    expect(firstOf(shop, OPENED)).toBe(Infinity);
  });

  it('is called async until replicas that restarted too have caught up again', async () => {
    const shop = restarted();
    for (const host of ['db2', 'db3']) {
      shop.kill(host);
      shop.database(host).boot();
    }
    let meanwhile = '';
    shop.interrupt('before', /^db2 sql START SLAVE/, () => {
      meanwhile = shop.member('db1').sync.mode;
    });
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(meanwhile).toBe('async');
  });

  it('is said to be open, with its writes waiting, when nobody attaches and the policy is to stop', async () => {
    const shop = restarted({ alone: 'stop' });
    for (const host of ['db2', 'db3']) shop.cut.add(`db1 ${host}`);
    const outcome = await open(shop, 'db1');
    expect(shop.write('db1')).toBe('waits');
    expect(outcome).toMatchObject({
      kind: 'failed',
      type: 'NotYet',
      message:
        'db1 is open, and its writes wait until a replica acknowledges; the VIP was left as it is (policy.alone is stop): nobody of db2, db3 is connected to db1 and acknowledges. Bring back db2 or db3, or set policy.alone to async',
    });
  });

  it('keeps the relay logs of a replica that restarted too before it starts its threads', async () => {
    const shop = restarted();
    shop.kill('db3');
    shop.database('db3').boot();
    await open(shop, 'db1');
    expect(firstOf(shop, /^db3 keep-relay/)).toBeLessThan(firstOf(shop, /^db3 sql (START|STOP)/));
  });
});

describe('a promotion that died before the winner was open', () => {
  it('is not finished by opening the winner as if it had restarted', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    for (const member of shop.members.values()) member.primary = { epoch: 4, host: 'db2', run: 'run-4' };
    expect(await open(shop, 'db2')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('a failover to db2 was ended before it was done'),
    });
    expect(shop.database('db2').readOnly).toBe(true);
  });
});

describe('a promotion that died before the winner was open, and whose old primary left the inventory since', () => {
  /** The channel of db2 leads to an address that the inventory does not have. */
  function left(): SimulatedShop {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.powerOff('db1');
    for (const member of shop.members.values()) member.primary = { epoch: 4, host: 'db2', run: 'run-4' };
    for (const member of shop.members.values()) member.sync = { epoch: 4, mode: 'async', ackers: '', k: '0' };
    Object.assign(shop.description, { hosts: shop.description.hosts.slice(1) });
    return shop;
  }

  it('is opened like one that restarted: nobody is left to go on against', async () => {
    const shop = left();
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'closed', primary: 'db2' } });
    expect(await open(shop, 'db2')).toMatchObject({ kind: 'done', value: { mode: 'async' } });
    expect(shop.write('db2')).toBe('acknowledged');
    expect(shop.database('db2').channel).toBeNull();
  });

  it('stays closed beside a host that accepts writes, as the old primary may that came back under another name', async () => {
    const shop = left();
    Object.assign(shop.database('db3'), { readOnly: false, channel: null });
    expect(await open(shop, 'db2')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('db3 accepts writes as well'),
    });
    expect(shop.database('db2').readOnly).toBe(true);
  });
});

describe('a cluster that is adopted', () => {
  const adopted = (): SimulatedShop => {
    const shop = restarted({ alone: 'async' });
    for (const member of shop.members.values()) {
      member.primary = { epoch: 0, host: '', run: '' };
      member.sync = { epoch: 0, mode: '', ackers: '', k: '' };
    }
    return shop;
  };

  it('has its primary recorded on a majority before it is opened', async () => {
    const shop = adopted();
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(nthOf(shop, /record-primary db1$/, 2)).toBeLessThan(firstOf(shop, OPENED));
  });

  it('is refused while one host cannot be seen to accept no writes', async () => {
    const shop = adopted();
    shop.hang('db3');
    expect(await open(shop, 'db1')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringMatching(
        /it is not known that db3 accepts no writes .* If db3 is the primary, prepare that one; otherwise SET GLOBAL read_only=1 there, or stop its server/,
      ),
    });
    expect(firstOf(shop, OPENED)).toBe(Infinity);
  });

  it('is refused when nobody else could read the logs of its primary', async () => {
    const shop = adopted();
    shop.database('db1').encryptsLogs = true;
    expect(await open(shop, 'db1')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('encrypt_binlog is ON'),
    });
    expect(firstOf(shop, OPENED)).toBe(Infinity);
  });

  it('is not made out of a replica', async () => {
    const shop = adopted();
    expect(await open(shop, 'db2')).toMatchObject({
      kind: 'failed',
      type: 'Unsafe',
      message: expect.stringContaining('db2 replicates from db1'),
    });
    expect(shop.database('db2').readOnly).toBe(true);
  });
});
