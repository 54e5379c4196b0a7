import { describe, expect, it } from 'vitest';
import { inSimulatedTime } from './sim/attempt.ts';
import { fence } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const refused = (explains: string, remedy: string) => ({
  kind: 'done',
  value: { kind: 'refused', changed: false, explains: expect.stringContaining(explains), remedy },
});

describe('a failover that is refused while every member answers', () => {
  const SEE = 'see to that, then start the failover again';

  it('of a cluster that was never prepared sends to nobody else', async () => {
    const shop = new SimulatedShop();
    for (const member of shop.members.values()) member.primary = { epoch: 0, host: '', run: '' };
    expect(await fence(shop)).toMatchObject(refused('run standfast prepare shop HOST first', SEE));
  });

  it('by members that obey another control plane sends to nobody else', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    shop.owner = 'control-2';
    expect(await fence(shop)).toMatchObject(refused('obeys "control-1"', SEE));
  });
});

describe('a winner that nobody on record could acknowledge', () => {
  it('needs another policy when the other replica is there and not on record: that one cannot be admitted now', async () => {
    const shop = new SimulatedShop({ alone: 'stop' });
    for (const member of shop.members.values()) member.sync = { ...member.sync, ackers: 'db2' };
    shop.kill('db1');
    expect(await fence(shop)).toMatchObject(refused('nobody on record would be left', 'set policy.alone to async'));
    Object.assign(shop.description, { alone: 'async' });
    expect(await fence(shop)).toMatchObject({ value: { kind: 'ready', winner: 'db2' } });
  });

  it('names who is on record and away', async () => {
    const shop = new SimulatedShop({ alone: 'stop' });
    shop.kill('db1');
    shop.powerOff('db3');
    expect(await fence(shop)).toMatchObject(
      refused('nobody on record would be left', 'bring back db3, or set policy.alone to async'),
    );
    shop.powerOn('db3');
    expect(await fence(shop)).toMatchObject({ value: { kind: 'ready', winner: 'db2' } });
  });
});
