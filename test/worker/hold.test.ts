import { afterEach, describe, expect, test, vi } from 'vitest';
import { readWorkerConfig } from '../../worker/config.ts';
import { createHooks } from '../../worker/hold.ts';

const hooksFor = (points?: string) =>
  createHooks(readWorkerConfig(points === undefined ? {} : { STANDFAST_HOLD_AT: points }));

describe('a worker that is to be held', () => {
  const said: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    said.push(String(line));
    return true;
  });

  afterEach(() => {
    said.length = 0;
  });

  test('stands still at its point until SIGUSR2, and only once', async () => {
    const { hold } = hooksFor('openTransfer:after');
    await hold('openTransfer:before');
    let passed = false;
    const held = hold('openTransfer:after').then(() => {
      passed = true;
    });
    await vi.waitFor(() => {
      expect(said).toEqual(['held at openTransfer:after\n']);
    });
    expect(passed).toBe(false);
    process.emit('SIGUSR2');
    await held;
    await hold('openTransfer:after');
    expect(said).toEqual(['held at openTransfer:after\n', 'released at openTransfer:after\n']);
  });

  test('stands still at each of several points', async () => {
    const { hold } = hooksFor('fenceAndDrain.fence:before,promoteAndRoute:after');
    for (const point of ['fenceAndDrain.fence:before', 'promoteAndRoute:after'] as const) {
      const held = hold(point);
      process.emit('SIGUSR2');
      await held;
    }
    expect(said.filter((line) => line.startsWith('held'))).toHaveLength(2);
  });
});

describe('a worker in production', () => {
  test('goes straight through every point, and leaves the signal as it is', async () => {
    const { hold } = hooksFor();
    await hold('fenceAndDrain.fence:before');
    expect(process.listenerCount('SIGUSR2')).toBe(0);
  });

  test.each(['fenceAndDrain', 'fenceAndDrain:between', 'a.b.c:before', 'openTransfer:before,', 'rm -rf:after'])(
    'does not start with %s as a point',
    (points) => {
      expect(() => readWorkerConfig({ STANDFAST_HOLD_AT: points })).toThrow(/STANDFAST_HOLD_AT must look like/);
    },
  );
});
