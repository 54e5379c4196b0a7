import { describe, expect, it } from 'vitest';
import { AdapterFailure } from '../../adapters/ports.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const equip = (shop: SimulatedShop) => attempt(shop, 'equipMembers', { input: { cluster: 'shop', host: 'db1' } });

describe('a member that is equipped', () => {
  it('keeps the identity and the binary log of the server that runs there', async () => {
    const shop = new SimulatedShop();
    expect(await equip(shop)).toMatchObject({ value: { equipped: ['db1', 'db2', 'db3'], unreachable: [] } });
    expect(shop.member('db2').dropin ?? '').toMatch(/^server_id=2\nlog_bin=\/var\/lib\/mysql\/own-bin\n/);
  });

  it('boots closed also where its server stands still, under its own identity and log', async () => {
    const shop = new SimulatedShop();
    shop.kill('db3');
    expect(await equip(shop)).toMatchObject({ value: { equipped: ['db1', 'db2', 'db3'] } });
    expect(shop.member('db3').dropin ?? '').toMatch(/^server_id=3\nlog_slave_updates=1\n/);
  });

  it('keeps the settings that it has, of which a server that stands still says nothing', async () => {
    const shop = new SimulatedShop();
    await equip(shop);
    const { dropin } = shop.member('db3');
    shop.kill('db3');
    await equip(shop);
    expect(shop.member('db3').dropin).toBe(dropin);
  });

  it('is left without settings where no server is installed, until it is provisioned', async () => {
    const shop = new SimulatedShop();
    shop.kill('db3');
    shop.interrupt('before', /^db3 audit-settings/, () => {
      throw new AdapterFailure({ type: 'Unsafe', host: 'db3', message: 'no database server is installed on db3' });
    });
    expect(await equip(shop)).toMatchObject({ value: { equipped: ['db1', 'db2', 'db3'] } });
    expect(shop.member('db3').dropin).toBeNull();
  });
});
