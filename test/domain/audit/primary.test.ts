import { describe, expect, it } from 'vitest';
import { primaryFrom } from '../../../domain/audit/primary.ts';
import { HEALTHY, hide, withStatus } from './facts.ts';

const NOTHING = { kind: 'nothing' } as const;
const hosts = HEALTHY.hosts;

describe('the primary of an audit', () => {
  it('is the recorded one, whatever the servers say', () => {
    const record = { epoch: 4, host: 'db2', run: 'run-4' };
    expect(primaryFrom({ kind: 'known', record }, hosts)).toEqual({ kind: 'seen', value: 'db2' });
  });

  it('is the one server that accepts writes and follows nobody, where nothing is recorded', () => {
    expect(primaryFrom(NOTHING, hosts)).toEqual({ kind: 'seen', value: 'db1' });
  });

  it.each([
    ['a server did not answer', NOTHING, hide(HEALTHY, ['db3.server']).hosts, 'db3 did not answer'],
    [
      'two could be it',
      NOTHING,
      withStatus('db2', { readOnly: false, replication: null }).hosts,
      'db1 and db2 accept writes',
    ],
    ['nobody could be it', NOTHING, withStatus('db1', { readOnly: true }).hosts, 'no server accepts writes'],
    ['members disagree', { kind: 'undecided', why: 'members disagree' } as const, hosts, 'members disagree'],
  ])('is not known while %s', (_, recorded, seenHosts, why) => {
    expect(primaryFrom(recorded, seenHosts)).toEqual({ kind: 'not-seen', why: expect.stringContaining(why) });
  });
});
