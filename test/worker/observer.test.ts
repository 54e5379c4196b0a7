import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Standfast } from '../../client/index.ts';
import { taskQueues } from '../../domain/addresses.ts';
import { createObservers } from '../../worker/observers.ts';
import { TestTemporal } from '../client/temporal.ts';

let temporal: TestTemporal;
let connection: Connection;
let native: NativeConnection;

beforeAll(async () => {
  temporal = await TestTemporal.start();
  connection = await Connection.connect({ address: temporal.address });
  native = await NativeConnection.connect({ address: temporal.address });
});
afterAll(async () => {
  await native.close();
  await connection.close();
  await temporal.stop();
});

test('a site is asked on its own queue, by whoever works for another one, and the doctor misses its worker', async () => {
  const warned: unknown[] = [];
  // As the process of a worker asks: over its own connection.
  const observers = createObservers(new Client({ connection: native }).activity, taskQueues('q'), {
    warn: (message) => warned.push(message),
  });
  const look = () => observers.look('bergen', { cluster: 'shop', host: 'db1' }, 1_000);
  const standfast = await Standfast.connect({ address: temporal.address, taskQueue: 'q' });
  const examined = async () => {
    const checks = await standfast.examine({ wanted: null, cluster: 'shop', watches: [], observers: ['bergen'] });
    return checks.filter(({ says }) => says.includes('q-observe-bergen'));
  };
  try {
    expect(await look()).toBeNull();
    expect(warned).toHaveLength(1);
    expect(await examined()).toMatchObject([
      {
        state: 'bad',
        says: 'nobody polls the queue q-observe-bergen',
        fix: 'standfast worker start --role observe --site bergen, at that site',
      },
    ]);
    const asked: unknown[] = [];
    const worker = await Worker.create({
      ...{ connection: native, taskQueue: 'q-observe-bergen', identity: 'bergen-1' },
      activities: {
        observePrimary: (input: unknown) => {
          asked.push(input);
          return Promise.resolve({ reach: 'hung' });
        },
      },
    });
    await worker.runUntil(async () => {
      expect(await look()).toBe('hung');
      expect(asked).toEqual([{ cluster: 'shop', host: 'db1' }]);
      expect(await examined()).toMatchObject([{ state: 'ok', says: 'bergen-1 polls the queue q-observe-bergen' }]);
    });
  } finally {
    await standfast.close();
  }
});
