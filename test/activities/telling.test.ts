import { expect, it, vi } from 'vitest';
import { Teller } from '../../activities/telling.ts';
import type { Transition } from '../../domain/watch.ts';

const warned = vi.hoisted(() => vi.fn());
vi.mock(import('@temporalio/activity'), async (original) => {
  const module = await original();
  return { ...module, log: { ...module.log, warn: warned } };
});

const news = (host: string): Transition => ({
  ...{ cluster: 'shop', host, code: 'Replicates', at: '2026-11-27T03:00:00.000Z', explains: '', reaction: '' },
});
const hostsOf = (transitions: readonly Transition[]): readonly string[] => transitions.map((one) => one.host);

it('tells the first news at once, and what comes soon after it together, in its order', async () => {
  const told: (readonly string[])[] = [];
  const tell = (transitions: readonly Transition[]): Promise<void> => {
    told.push(hostsOf(transitions));
    return Promise.resolve();
  };
  const teller = new Teller({ tell });
  teller.tell(news('db1'));
  expect(told).toEqual([['db1']]);
  for (const host of ['db2', 'db3', 'db4']) teller.tell(news(host));
  expect(told).toHaveLength(1);
  await vi.waitFor(() => {
    expect(told).toEqual([['db1'], ['db2', 'db3', 'db4']]);
  });
});

it('tells of thousands in pieces that one signal can carry', async () => {
  const sizes: number[] = [];
  const tell = (transitions: readonly Transition[]): Promise<void> => {
    sizes.push(transitions.length);
    return Promise.resolve();
  };
  const teller = new Teller({ tell });
  for (let number = 0; number < 801; number += 1) teller.tell(news(`db${String(number)}`));
  await vi.waitFor(
    () => {
      expect(sizes).toEqual([1, 500, 300]);
    },
    { timeout: 3_000 },
  );
});

it('goes on after news that Temporal did not take, and leaves them in the log', async () => {
  const told: (readonly string[])[] = [];
  const tell = (transitions: readonly Transition[]): Promise<void> => {
    told.push(hostsOf(transitions));
    return told.length === 1 ? Promise.reject(new Error('Temporal is away')) : Promise.resolve();
  };
  const teller = new Teller({ tell });
  teller.tell(news('db1'));
  teller.tell(news('db2'));
  await vi.waitFor(() => {
    expect(told).toEqual([['db1'], ['db2']]);
  });
  expect(warned).toHaveBeenCalledOnce();
});
