import { describe, expect, it } from 'vitest';
import type { Hearing } from '../../domain/hearing.ts';
import { hearAgain, hears, saysSomething } from '../../domain/hearing.ts';
import type { ReplicationStatus } from '../../domain/observation.ts';
import { channel } from './shop.ts';

const SILENCE_MS = 500;

const sampled = (before: Hearing | null, nowMs: number, change: Partial<ReplicationStatus> = {}): Hearing =>
  hearAgain(before, { host: 'db2', status: channel({ heartbeatsReceived: 1, ...change }), nowMs });

describe('the vote of a replica', () => {
  it('is that it hears while heartbeats arrive, though nothing is written', () => {
    const first = sampled(null, 1_000);
    const second = sampled(first, 1_400, { heartbeatsReceived: 2 });
    expect(hears(sampled(second, 1_800, { heartbeatsReceived: 2 }), 1_800, SILENCE_MS)).toBe(true);
  });

  it('is that it hears while transactions arrive, though a busy source sends no heartbeat', () => {
    const first = sampled(null, 1_000, { received: '0-1-10' });
    expect(hears(sampled(first, 2_000, { received: '0-1-11' }), 2_000, SILENCE_MS)).toBe(true);
  });

  it('is that it hears while one large transaction arrives, which moves nothing else until its end', () => {
    const first = sampled(null, 1_000, { readUpTo: 'mysql-bin.000001:4' });
    expect(hears(sampled(first, 2_000, { readUpTo: 'mysql-bin.000001:9' }), 2_000, SILENCE_MS)).toBe(true);
  });

  it('is that it hears nothing when neither has come for longer than the silence', () => {
    const first = sampled(null, 1_000);
    expect(hears(sampled(first, 1_500), 1_500, SILENCE_MS)).toBe(true);
    expect(hears(sampled(first, 1_501), 1_501, SILENCE_MS)).toBe(false);
  });

  it('is that it hears nothing as soon as its receiver has to connect anew', () => {
    const first = sampled(null, 1_000);
    expect(hears(sampled(first, 1_010, { receiver: 'connecting' }), 1_010, SILENCE_MS)).toBe(false);
  });

  it('is none when its receiver stands still', () => {
    expect(hears(sampled(null, 1_000, { receiver: 'stopped' }), 1_000, SILENCE_MS)).toBeNull();
  });

  it.each([30, 0, 0.4])(
    'is none when nothing came, and no heartbeat was due, with a period of %d s',
    (heartbeatPeriodSeconds) => {
      const first = sampled(null, 1_000, { heartbeatPeriodSeconds });
      expect(hears(sampled(first, 1_501, { heartbeatPeriodSeconds }), 1_501, SILENCE_MS)).toBeNull();
      const wrote = sampled(first, 1_501, { heartbeatPeriodSeconds, received: '0-1-101' });
      expect(hears(wrote, 1_501, SILENCE_MS)).toBe(true);
    },
  );

  it('expires: what was seen too long ago is no vote for death, nor for life', () => {
    for (const receiver of ['connecting', 'running'] as const) {
      const only = sampled(null, 1_000, { receiver });
      expect(hears(only, 1_500, SILENCE_MS)).not.toBeNull();
      expect(hears(only, 1_501, SILENCE_MS)).toBeNull();
    }
  });

  it('begins anew with another source, so that the silence of the one is not held against the other', () => {
    const first = sampled(null, 1_000);
    expect(hears(sampled(first, 5_000, { source: 'db3' }), 5_000, SILENCE_MS)).toBe(true);
  });
});

describe('a silence', () => {
  it('says something of a source only when a heartbeat was due in it, with half a period to spare', () => {
    const isTold = (heartbeatPeriodSeconds: number, ms: number) =>
      saysSomething(channel({ heartbeatPeriodSeconds }), ms);
    expect(isTold(0.1, 150)).toBe(true);
    expect(isTold(0.1, 149)).toBe(false);
    expect(isTold(0.2, 299)).toBe(false);
    expect(isTold(30, 10_000)).toBe(false);
    expect(isTold(0, 10_000)).toBe(false);
  });
});
