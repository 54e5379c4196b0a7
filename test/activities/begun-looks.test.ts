import { describe, expect, it } from 'vitest';
import { BegunLooks } from '../../activities/begun-looks.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a first look that was begun', () => {
  it('is taken once, by who asks soon', async () => {
    const shop = new SimulatedShop();
    const [cluster, looks] = [await shop.cluster('shop'), new BegunLooks()];
    looks.begin(cluster);
    await pass(100);
    const asked = shop.asked.length;
    const { seen } = await looks.take(cluster).seen;
    expect(seen.hosts.map(({ server }) => server?.reach)).toEqual(['answers', 'answers', 'answers']);
    expect(shop.asked).toHaveLength(asked);
    await looks.take(cluster).seen;
    expect(shop.asked.length).toBeGreaterThan(asked);
  });

  it('is not taken when it is old, or was begun by another inventory', async () => {
    const shop = new SimulatedShop();
    const [cluster, looks] = [await shop.cluster('shop'), new BegunLooks()];
    looks.begin(cluster);
    shop.kill('db1');
    await pass(600);
    const late = await looks.take(cluster).seen;
    expect(late.seen.hosts[0]?.server?.reach).toBe('refused');
    looks.begin({ ...cluster, sshPort: () => 2222 });
    const asked = shop.asked.length;
    await looks.take(cluster).seen;
    expect(shop.asked.length).toBeGreaterThan(asked + 2);
  });
});
