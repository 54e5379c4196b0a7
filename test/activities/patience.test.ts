import { describe, expect, it } from 'vitest';
import type { Patience } from '../../activities/patience.ts';
import { Waiting } from '../../activities/patience.ts';
import type { ServerAnswer } from '../../domain/observation.ts';
import { inSimulatedTime } from './sim/attempt.ts';

inSimulatedTime();

const PATIENCE: Patience = { serverMs: 300, helperMs: 1_000, listenMs: 300 };
const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));
/** Tries for a connection as long as it may, and then says that all are taken. */
const full = (ms = 2_000): Promise<ServerAnswer> => after(ms, { reach: 'full', why: 'too many connections' } as const);
const hung = (): Promise<ServerAnswer> => after(2_000, { reach: 'hung', why: 'greets nobody' } as const);
const waiting = () => new Waiting(PATIENCE, Promise.resolve('db1'));

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
});
