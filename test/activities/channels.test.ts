import { describe, expect, it } from 'vitest';
import { addressOf } from './sim/address.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { fence, open, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const OTHER = 'it has a replication channel that is not the cluster';

interface Made {
  readonly shop?: SimulatedShop;
  readonly to?: string;
  readonly receiver?: 'running' | 'stopped';
}

/** As somebody made it by hand: running or stopped, by a name of its own. */
function withChannel(host: string, made: Made = {}): SimulatedShop {
  const { shop = new SimulatedShop(), to = addressOf('db1'), receiver = 'running' } = made;
  shop.database(host).otherChannels.push({ name: 'b', address: to, receiver });
  return shop;
}

describe('a failover, beside a replica with a channel of another name', () => {
  const refused = (text: string) => ({
    kind: 'done',
    value: { kind: 'refused', changed: false, explains: expect.stringContaining(text) },
  });

  it.each([
    ['to the same primary', addressOf('db1'), 'running'],
    ['to a server elsewhere', '10.99.0.1', 'running'],
    ['that is stopped', '10.99.0.1', 'stopped'],
  ] as const)('does not rest on its word: what it received %s is not known', async (_, to, receiver) => {
    const shop = withChannel('db3', { to, receiver });
    shop.powerOff('db1');
    expect(await fence(shop)).toMatchObject(refused('1 of 2 recorded ackers contribute (db2)'));
    expect(shop.log).toEqual([]);
  });

  it('elects another one, by the binlog of the old primary, and says why not this one', async () => {
    const shop = withChannel('db2');
    shop.kill('db1');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'ready', winner: 'db3', decision: { coverage: { by: 'old-binlog' } } },
    });
  });

  /** db1 serves its clients, cut off from the worker and from its replicas. */
  const partitioned = (): SimulatedShop => {
    const shop = new SimulatedShop({ fence: ['revocation'] });
    shop.cutFromWorker.add('db1');
    for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
    return shop;
  };

  it('takes its acknowledgements from nobody by stopping one of two channels', async () => {
    const shop = withChannel('db3', { shop: partitioned() });
    expect(await fence(shop)).toMatchObject(refused('1 of 2 recorded ackers contribute (db2)'));
  });

  it('takes them from nobody either when that channel is made after the look', async () => {
    const shop = partitioned();
    shop.interrupt('after', /^db3 claim/, () => {
      withChannel('db3', { shop });
    });
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: {
        kind: 'refused',
        explains: expect.stringMatching(/not proven .*revocation: 1 of 2 recorded ackers contribute \(db2\)/),
      },
    });
    expect(shop.member('db1').fenced).toBe(false);
  });

  it('covers nothing by it either when that channel is made after the look', async () => {
    const shop = new SimulatedShop();
    shop.powerOff('db1');
    shop.interrupt('after', /^db3 claim/, () => {
      withChannel('db3', { shop });
    });
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', explains: expect.stringContaining('1 of 2 recorded ackers contribute (db2)') },
    });
  });
});

describe('a host with a channel of another name', () => {
  const refused = { kind: 'failed', type: 'Unsafe', message: expect.stringContaining(OTHER) };

  it('is not admitted', async () => {
    const shop = withChannel('db3', { receiver: 'stopped' });
    expect(await attempt(shop, 'admitReplica', { input: { ...RUN, host: 'db3' } })).toMatchObject(refused);
  });

  it('does not come back, also when it follows the primary', async () => {
    const shop = withChannel('db3');
    expect(await attempt(shop, 'rejoinHost', { input: { ...RUN, host: 'db3' } })).toMatchObject(refused);
  });

  it('is not adopted as a primary, and is opened again when it is one on record', async () => {
    const shop = withChannel('db1', { to: '10.99.0.1' });
    shop.kill('db1');
    shop.database('db1').boot();
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    shop.kill('db1');
    shop.database('db1').boot();
    for (const member of shop.members.values()) member.primary = { epoch: 0, host: '', run: '' };
    expect(await open(shop, 'db1')).toMatchObject(refused);
  });

  it('is not let in again after it was taken away as an acker: that channel was told nothing', async () => {
    const shop = withChannel('db3');
    expect(await attempt(shop, 'removeAcker', { input: { ...RUN, host: 'db3' } })).toMatchObject({ kind: 'done' });
    expect(shop.member('db1').refused.size).toBe(1);
  });
});
