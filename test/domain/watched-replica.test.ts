import { expect, it } from 'vitest';
import { judgeThreads } from '../../domain/watched-replica.ts';
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
