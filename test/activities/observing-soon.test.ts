import { describe, expect, it } from 'vitest';
import { observeSoon, Stragglers } from '../../activities/observing-soon.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import { isAnswering, observationOf } from '../../domain/observation.ts';
import type { HelperAnswer } from '../../domain/observation.ts';
import { judgeProtection } from '../../domain/protection.ts';
import { told } from '../domain/protected-shop.ts';
import { helper } from '../domain/shop.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const look = async (shop: SimulatedShop) => observeSoon(await shop.cluster('shop'), 500);
const judged = async (shop: SimulatedShop) =>
  judgeProtection({ cluster: shop.description, observation: await look(shop), runs: told() });
const takeoversOf = async (shop: SimulatedShop) => (await judged(shop)).takeovers;

describe('a look that only wants to be told', () => {
  it('sees a sound cluster, and changes nothing on it', async () => {
    const shop = new SimulatedShop();
    expect((await judged(shop)).state).toBe('protected');
    expect(shop.log).toEqual([]);
  });

  it('waits for a host that says nothing no longer than it was told', async () => {
    const shop = new SimulatedShop();
    shop.cutFromWorker.add('db3');
    const startedMs = performance.now();
    const seen = await look(shop);
    expect(performance.now() - startedMs).toBeLessThan(600);
    expect(observationOf(seen, 'db3')).toMatchObject({
      helper: { reach: 'silent', why: expect.stringContaining('db3: no answer within 5') },
      server: { reach: 'silent' },
    });
    expect(isAnswering(observationOf(seen, 'db2').server)).toBe(true);
  });

  it('listens to the replicas of a primary that it does not reach, and does not take it for dead', async () => {
    const shop = new SimulatedShop();
    shop.cutFromWorker.add('db1');
    const seen = await look(shop);
    expect(observationOf(seen, 'db2').hearsSource).toBe(true);
    expect(judgeProtection({ cluster: shop.description, observation: seen, runs: told() })).toMatchObject({
      state: 'not-known',
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'PrimaryHeardByReplicas' })]),
    });
  });

  it('reads a replica again that had not received yet what its primary had', async () => {
    const shop = new SimulatedShop();
    let tell = (): void => undefined;
    const hasWritten = new Promise<void>((resolve) => {
      tell = resolve;
    });
    shop.interrupt('before', /^db1 connect/, () => hasWritten);
    shop.interrupt('after', /^db2 sql SHOW SLAVE HOSTS/, () => {
      shop.write('db1');
      tell();
    });
    const asked: string[] = [];
    shop.interrupt('after', /^db1 sql SHOW SLAVE HOSTS/, () => {
      asked.push('db1');
      shop.interrupt('before', /^db2 connect/, () => {
        asked.push('db2 again');
      });
    });
    expect(await takeoversOf(shop)).toMatchObject([
      { host: 'db2', loss: 'none', lacks: 0 },
      { host: 'db3', loss: 'none', lacks: 0 },
    ]);
    expect(asked).toEqual(['db1', 'db2 again']);
  });

  it('takes what is wrong with one host for the silence of that one', async () => {
    const shop = new SimulatedShop();
    shop.interrupt('before', /^db2 records/, () =>
      Promise.reject(new AdapterFailure({ type: 'BadInput', host: 'db2', message: 'the key cannot be read' })),
    );
    const seen = await look(shop);
    expect(observationOf(seen, 'db2').helper).toEqual({ reach: 'lost', why: 'the key cannot be read' });
    expect(isAnswering(observationOf(seen, 'db3').helper)).toBe(true);
  });
});

const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));

describe('the wait for a slow host', () => {
  const SLOW: HelperAnswer = helper();

  it('is as long again as most needed, so that nobody is called silent where all are slow', async () => {
    const waits = new Stragglers(100);
    const asked = (['db1', 'db2', 'db3'] as const).map((host, index) =>
      waits.forHelper(host, after(400 + 150 * index, SLOW)),
    );
    expect((await Promise.all(asked)).map(({ reach }) => reach)).toEqual(['answers', 'answers', 'answers']);
  });

  it('ends then', async () => {
    const waits = new Stragglers(100);
    const asked = [after(300, SLOW), after(300, SLOW), after(700, SLOW)].map((answer, index) =>
      waits.forHelper(`db${String(index + 1)}`, answer),
    );
    const reached = await Promise.all(asked);
    expect(reached[2]).toMatchObject({
      reach: 'silent',
      why: expect.stringMatching(/^db3: no answer within 60\d ms$/),
    });
  });
});
