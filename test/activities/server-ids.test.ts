import { describe, expect, it } from 'vitest';
import type { HostName } from '../../domain/cluster.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { firstOf, open, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** From here on the inventory says another number than the server of `host` runs with. */
function declare(shop: SimulatedShop, host: HostName, serverId: number): void {
  const hosts = shop.description.hosts.map((one) => (one.name === host ? { ...one, serverId } : one));
  Object.assign(shop.description, { hosts });
}

const refused = (host: HostName, found: number, declared: number) => ({
  kind: 'failed',
  type: 'Unsafe',
  message: expect.stringMatching(
    new RegExp(
      `${host} runs with server_id ${String(found)}, and the inventory says ${String(declared)} .*put serverId: ${String(found)} for ${host} into the inventory`,
    ),
  ),
});

describe('a server whose ID is not the one in the inventory', () => {
  const closed = (): SimulatedShop => {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.kill('db1');
    shop.database('db1').boot();
    return shop;
  };

  it('is not adopted as a primary, and is when the remedy was followed', async () => {
    const shop = closed();
    for (const member of shop.members.values()) {
      member.primary = { epoch: 0, host: '', run: '' };
      member.sync = { epoch: 0, mode: '', ackers: '', k: '' };
    }
    declare(shop, 'db1', 101);
    expect(await open(shop, 'db1')).toMatchObject(refused('db1', 1, 101));
    expect(firstOf(shop, /^db1 sql SET GLOBAL read_only = 0/)).toBe(Infinity);
    declare(shop, 'db1', 1);
    expect(await open(shop, 'db1', { attempt: 2 })).toMatchObject({ kind: 'done' });
  });

  it('is opened again when it is the primary on record: to keep it closed would be an outage', async () => {
    const shop = closed();
    declare(shop, 'db1', 101);
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
  });

  it.each(['admitReplica', 'rejoinHost'] as const)('does not come to count (%s)', async (step) => {
    const shop = new SimulatedShop();
    declare(shop, 'db3', 103);
    expect(await attempt(shop, step, { input: { ...RUN, host: 'db3' } })).toMatchObject(refused('db3', 3, 103));
  });

  it('is found by name when it acknowledges off the record', async () => {
    const shop = new SimulatedShop();
    for (const member of shop.members.values()) member.sync = { ...member.sync, ackers: 'db2' };
    declare(shop, 'db3', 103);
    expect(await attempt(shop, 'admitReplica', { input: { ...RUN, host: 'db2' } })).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('db3 may acknowledge writes of db1 without being on record'),
    });
  });
});
