import { expect, it } from 'vitest';
import type { ReplicaDelay } from '../../domain/lag.ts';
import { judgeLag, judgeThreads } from '../../domain/watched-replica.ts';
import { channel } from './shop.ts';

const error = { code: 1062, message: 'Duplicate entry' };

it.each([
  ['Replicates', {}],
  ['ApplierStopped', { applier: 'stopped', applierError: error }],
  ['ReceiverStopped', { receiver: 'stopped' }],
  ['ReceiverConnecting', { receiver: 'connecting' }],
  ['ApplierStopped', { applier: 'stopped', receiver: 'stopped' }],
] as const)('calls it %s', (code, change) => {
  expect(judgeThreads(channel(change)).code).toBe(code);
});

it('names the error that stopped a thread, or that nobody knows of one', () => {
  expect(judgeThreads(channel({ applier: 'stopped', applierError: error })).explains).toContain(
    'error 1062: Duplicate entry',
  );
  expect(judgeThreads(channel({ receiver: 'stopped' })).explains).toContain('somebody stopped it');
});

it('says of a server without a channel that it replicates from nobody', () => {
  expect(judgeThreads(null).code).toBe('ReplicatesFromNobody');
});

const LIMITS = { warnMs: 1_000, failMs: 10_000 };
const behind = (lagMs: number, errorMs = 10): ReplicaDelay => ({
  ...{ atMs: 0, lag: { lagMs, errorMs }, gtidGap: 7, clock: null, why: null },
});

it.each([
  [null, 500, null],
  ['LagHigh', 1_200, null],
  ['LagTooHigh', 11_000, null],
  // Around the limit it stays what it was.
  ['LagHigh', 800, 'LagHigh'],
  [null, 400, 'LagHigh'],
  ['LagTooHigh', 6_000, 'LagTooHigh'],
  ['LagHigh', 4_000, 'LagTooHigh'],
] as const)('finds %s at %d ms after %s', (code, lagMs, before) => {
  expect(judgeLag(behind(lagMs), { limits: LIMITS, before })?.code ?? null).toBe(code);
});

it('finds nothing in a lag that may be none, nor in one that is not known', () => {
  expect(judgeLag(behind(1_500, 1_500), { limits: LIMITS, before: null })).toBeNull();
  expect(judgeLag({ ...behind(0), lag: null, why: 'no row' }, { limits: LIMITS, before: null })).toBeNull();
  expect(judgeLag(null, { limits: LIMITS, before: null })).toBeNull();
});

it('says how far it is behind and what it has to apply', () => {
  expect(judgeLag(behind(12_345), { limits: LIMITS, before: null })?.explains).toBe(
    'it is 12.3 s behind, more than 10.0 s; it has 7 transactions to apply',
  );
});
