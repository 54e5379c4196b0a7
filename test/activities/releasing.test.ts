import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, fence, open, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const HOSTS = ['db1', 'db2', 'db3'];
const keptOn = (shop: SimulatedShop): readonly string[] => HOSTS.filter((host) => shop.member(host).kept.size > 0);

function reboot(shop: SimulatedShop, host: string): void {
  shop.kill(host);
  shop.database(host).boot();
}

/** They rebooted, and an earlier operation left what it had kept. */
function rebooted(...hosts: readonly string[]): SimulatedShop {
  const shop = new SimulatedShop();
  for (const host of hosts) reboot(shop, host);
  for (const host of HOSTS) shop.member(host).kept.set(1, []);
  return shop;
}

describe('relay logs that were kept', () => {
  it('are released on every host when the primary is open and its replicas have applied what it has', async () => {
    const shop = rebooted('db1');
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(keptOn(shop)).toEqual([]);
  });

  it('stay until the next time on a replica that stood still: what it had received was not read', async () => {
    const shop = rebooted('db1', 'db3');
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(shop.log).toContain('db3 keep-relay');
    expect(keptOn(shop)).toEqual(['db3']);
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(keptOn(shop)).toEqual([]);
  });

  it('stay on a replica that has not applied what its primary has, and nothing fails', async () => {
    const shop = rebooted('db1');
    shop.database('db3').applierPace = 0;
    shop.database('db1').commit();
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(keptOn(shop)).toEqual(['db3']);
  });

  it('stay on a replica that holds what its primary never had', async () => {
    const shop = rebooted('db1');
    shop.database('db2').commit();
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(keptOn(shop)).toEqual(['db2']);
  });

  it('stay where nobody answers, and while the primary is not open', async () => {
    const shop = rebooted('db1');
    shop.database('db2').readOnly = false;
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'failed' });
    expect(keptOn(shop)).toEqual(HOSTS);
    shop.database('db2').readOnly = true;
    shop.hang('db2');
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'done' });
    expect(keptOn(shop)).toEqual(['db2']);
  });

  it.each([
    ['are released when their replica is admitted', [], []],
    ['stay when it is admitted and stood still', ['db3'], ['db3']],
  ])('%s', async (_what, reboots, kept) => {
    const shop = new SimulatedShop();
    for (const member of shop.members.values()) member.sync = { epoch: 4, mode: 'lossless', ackers: 'db2', k: '1' };
    for (const host of reboots) reboot(shop, host);
    shop.member('db3').kept.set(1, []);
    expect(await attempt(shop, 'admitReplica', { input: { ...RUN, host: 'db3' } })).toMatchObject({ kind: 'done' });
    expect(keptOn(shop)).toEqual(kept);
  });
});

describe('relay logs that a failover kept which is undone', () => {
  it('are released when the old primary is open again', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    await decide(shop);
    expect(keptOn(shop)).toEqual(['db2', 'db3']);
    expect(await attempt(shop, 'undoFence', { input: RUN })).toMatchObject({ kind: 'done', value: { notUndone: [] } });
    expect(keptOn(shop)).toEqual([]);
  });

  it('stay where they could not be read, as the undo says', async () => {
    const shop = new SimulatedShop();
    reboot(shop, 'db3');
    shop.hang('db1');
    await fence(shop, { holdAt: 'fenceAndDrain.receivers:before' });
    shop.interrupt('after', /^db3 keep-relay/, () => {
      const { channel } = shop.database('db3');
      if (channel !== null) channel.holdsSource = false;
    });
    expect(await attempt(shop, 'undoFence', { input: RUN })).toMatchObject({
      kind: 'done',
      value: { notUndone: [expect.stringContaining('they are kept in /kept')] },
    });
    expect(shop.database('db3').channel).toMatchObject({ receiver: 'running', applier: 'running' });
    expect(keptOn(shop)).toEqual(['db3']);
  });
});
