import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { fence, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

describe('a failover', () => {
  it('counts a replica for nothing whose relay logs nobody can read, and says so before anything is changed', async () => {
    const shop = new SimulatedShop();
    shop.powerOff('db1');
    shop.database('db3').encryptsLogs = true;
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: {
        kind: 'refused',
        changed: false,
        explains: expect.stringMatching(/db3 is not counted on: .*is encrypted \(encrypt_binlog\)/),
      },
    });
    expect(shop.log).toEqual([]);
  });

  it('asks a person when it would rest on a binlog of the old primary that nobody can read, and says why', async () => {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.powerOff('db3');
    shop.kill('db1');
    shop.database('db1').encryptsLogs = true;
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('is encrypted (encrypt_binlog)') },
    });
    expect(shop.log).toEqual([]);
  });
});

describe('a host that is to come back', () => {
  // A statement or an order that the simulation does not know is one too many as well.
  const rejoin = (shop: SimulatedShop) =>
    attempt(shop, 'rejoinHost', { input: { ...RUN, host: 'db3' } }).catch((error: unknown) => ({
      kind: String(error),
    }));
  const refused = (text: string) => ({ kind: 'failed', type: 'Unsafe', message: expect.stringContaining(text) });

  /** Both its threads were stopped while it followed another host; what it received last, only its relay logs hold. */
  function atRest(): SimulatedShop {
    const shop = new SimulatedShop();
    const db3 = shop.database('db3');
    db3.semiSync.replicaEnabled = false;
    const stopped = { receiver: 'stopped', applier: 'stopped', acknowledges: false } as const;
    Object.assign(db3.channel ?? {}, { source: 'db2', relay: ['0-2-900'], ...stopped });
    return shop;
  }

  it.each([
    ['while its server writes them so', 'encryptsLogs', 'encrypt_binlog is ON'],
    [
      'when its server wrote them so before',
      'hasEncryptedLogs',
      'what db3 holds cannot be read (mariadb-bin.000001 is encrypted',
    ],
  ] as const)('keeps relay logs that nobody can read, %s', async (_, which, text) => {
    const shop = atRest();
    shop.database('db3')[which] = true;
    expect(await rejoin(shop)).toMatchObject(refused(text));
    expect(shop.database('db3').channel).toMatchObject({ source: 'db2', relay: ['0-2-900'] });
  });

  it('is not said to be a stranger when nobody can read what it holds', async () => {
    const shop = new SimulatedShop();
    shop.kill('db3');
    shop.database('db3').hasEncryptedLogs = true;
    expect(await rejoin(shop)).toMatchObject(refused('what db3 holds cannot be read (mariadb-bin.000001 is encrypted'));
    expect(shop.database('db3').process).toBe('stopped');
  });
});
