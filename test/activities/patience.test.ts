import { describe, expect, it } from 'vitest';
import type { Patience } from '../../activities/patience.ts';
import { Waiting } from '../../activities/patience.ts';
import type { HelperAnswer, ServerAnswer } from '../../domain/observation.ts';
import { inSimulatedTime } from './sim/attempt.ts';

inSimulatedTime();

const PATIENCE: Patience = { serverMs: 300, helperMs: 1_000, hostMs: 300, listenMs: 300 };
const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));
/** Tries for a connection as long as it may, and then says that all are taken. */
const full = (ms = 2_000): Promise<ServerAnswer> => after(ms, { reach: 'full', why: 'too many connections' } as const);
const hung = (): Promise<ServerAnswer> => after(2_000, { reach: 'hung', why: 'greets nobody' } as const);
const reachable = (isThere: boolean) => ({
  isThere: (_: string, timeoutMs: number) => after(isThere ? 1 : timeoutMs, isThere),
});
const waiting = (isThere = true) => new Waiting(reachable(isThere), PATIENCE, Promise.resolve('db1'));
const busy = (): Promise<HelperAnswer> => after(5_000, { reach: 'silent', why: 'no answer' } as const);

/** How long its host was waited for in vain, in whole tenths of a second. */
async function waited(isThere: boolean): Promise<number> {
  const startedMs = performance.now();
  expect(await waiting(isThere).forHelper('db1', busy())).toMatchObject({ reach: 'silent' });
  return Math.round((performance.now() - startedMs) / 100) * 100;
}

describe('the wait for a primary', () => {
  it('is over when it has said nothing for long enough', async () => {
    expect(await waiting().forServer('db1', hung)).toMatchObject({ reach: 'silent' });
    expect(await waiting().forServer('db2', hung)).toMatchObject({ reach: 'hung' });
  });

  it('ends with "full", a sign of life, when its connections are all taken', async () => {
    expect(await waiting().forServer('db1', full)).toMatchObject({ reach: 'full' });
  });

  it('is not the wait for a replica, which is tried for as long as a look takes', async () => {
    const tried: number[] = [];
    const answer = await waiting().forServer('db2', (ms = 2_000) => {
      tried.push(ms);
      return full(ms);
    });
    expect(answer).toMatchObject({ reach: 'full' });
    expect(tried).toEqual([240, 2_000]);
  });

  it('goes on for its host when that is only busy', async () => {
    expect(await waited(true)).toBe(1_000);
  });

  it('ends for a host that does not even answer to TCP', async () => {
    expect(await waited(false)).toBe(300);
  });

  it('is not the wait for the host of a replica, whether it is there or not', async () => {
    expect(await waiting(false).forHelper('db2', busy())).toEqual({ reach: 'silent', why: 'no answer' });
  });
});
