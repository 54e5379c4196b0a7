import { describe, expect, test } from 'vitest';
import { writtenIn } from '../../chaos/rounds/binlog.ts';
import type { Ending } from '../../chaos/rounds/ending.ts';
import { OF_NOTHING } from '../../chaos/rounds/ending.ts';
import type { Evidence } from '../../chaos/rounds/judge.ts';
import { judgeRound, successionOf } from '../../chaos/rounds/judge.ts';
import type { HostFacts } from '../../chaos/rounds/outside.ts';
import type { Loss, Tail, Verdict } from '../../client/index.ts';
import { NOTHING_TO_SALVAGE } from '../../domain/tail.ts';

const failedOver: Ending = {
  ...{ operation: 'failover', kind: 'failed-over', type: 'failed-over', sentence: 'done', changed: true },
  ...{ newPrimary: 'db2', oldPrimary: 'db1', setAside: null, tookMs: 2000, runId: null },
  loss: { lossless: true, explains: '', lost: { count: 0, gtids: [] }, missing: '', salvage: NOTHING_TO_SALVAGE },
};
const alive: Ending = {
  ...{ operation: 'failover', kind: 'refused', type: 'Unsafe', sentence: 'db2 is alive', changed: false },
  ...{ ...OF_NOTHING, tookMs: 100, runId: null },
};
const records = { epoch: '2 run', primary: '2 run db2', sync: '2 lossless db3 1', fenced: '' };
const replica = (host: string, source: string): HostFacts => ({
  ...{ host, isOn: true, holdsVip: false, records },
  server: {
    ...{ serverId: 1, readOnly: true, binlogState: '' },
    channels: [{ sourceAddress: source, receiver: 'Yes', applier: 'Yes', error: '' }],
  },
});
const primary: HostFacts = {
  ...{ host: 'db2', isOn: true, holdsVip: true, records },
  server: { serverId: 2, readOnly: false, binlogState: '', channels: [] },
};
const closed: HostFacts = {
  ...replica('db1', ''),
  server: { serverId: 1, readOnly: true, binlogState: '', channels: [] },
};
const verdictNaming = (...hosts: readonly string[]): Verdict => ({
  ...{ state: 'bad', sentence: '', primary: 'db2', vipHolders: ['db2'], replicas: [] },
  findings: hosts.map((host) => ({ code: 'NotReplicating', severity: 'bad', host, explains: '', remedy: '' })),
});

/** db1 died, db2 took over, db3 follows it; db1 is back, closed, and said to need a person. */
const sound: Evidence = {
  ...{
    ...{ endings: [failedOver], afterwards: [], present: new Set(), written: new Map() },
    again: alive,
    isAccepted: true,
    afterRefusal: null,
    before: [],
  },
  ...{ hosts: [closed, primary, replica('db3', '10.77.0.2')], verdict: verdictNaming('db1'), arpHolder: 'db2' },
  ...{ stillRunning: [], differingTables: [], touched: new Set(['db1']), errantOn: new Set() },
  ledger: {
    ...{ acknowledged: 100, present: 100, lost: [], duplicated: [], refusedButPresent: [] },
    ...{ unknown: 2, unknownPresent: 1, twoWriters: [], largestVipGapMs: 2000 },
  },
};
const brokenBy = (change: Partial<Evidence>): readonly string[] =>
  judgeRound({ ...sound, ...change }).map(({ invariant }) => invariant);

describe('the verdict on a round', () => {
  test('finds nothing in a sound one', () => {
    expect(judgeRound(sound)).toEqual([]);
  });

  test('finds an acknowledged write that is lost and that nobody spoke of', () => {
    expect(brokenBy({ ledger: { ...sound.ledger, lost: ['1'] } })).toEqual(['I1']);
  });

  test.each(['duplicated', 'refusedButPresent'] as const)('finds writes that are %s', (name) => {
    expect(brokenBy({ ledger: { ...sound.ledger, [name]: ['1'] } })).toEqual(['I1']);
  });

  test('finds two writers', () => {
    const late = { token: '1', route: 'db1', serverId: 1, sentAt: 10, successor: 2, successorToken: '0' };
    expect(brokenBy({ ledger: { ...sound.ledger, twoWriters: [late] } })).toEqual(['I2']);
  });

  test('finds a cluster that takes no writes', () => {
    expect(brokenBy({ isAccepted: false })).toEqual(['I7']);
  });

  test('finds a second writable server, and none', () => {
    const second: HostFacts = { ...primary, host: 'db1', holdsVip: false };
    expect(brokenBy({ hosts: [second, primary, replica('db3', '10.77.0.2')] })).toContain('I4');
    expect(brokenBy({ hosts: [closed, { ...closed, host: 'db2' }, replica('db3', '10.77.0.2')] })).toEqual(['I4']);
  });

  test('finds a replica that follows another, that no fault has hit', () => {
    expect(brokenBy({ hosts: [closed, primary, replica('db3', '10.77.0.1')] })).toEqual(['I4']);
  });

  test('finds a host that was hit and does not replicate, when the verification keeps silent about it', () => {
    expect(brokenBy({ verdict: verdictNaming() })).toEqual(['I4']);
  });

  test('finds an errant transaction that nobody names', () => {
    expect(brokenBy({ errantOn: new Set(['db3']) })).toEqual(['I5']);
    expect(brokenBy({ errantOn: new Set(['db3']), verdict: verdictNaming('db1', 'db3') })).toEqual([]);
  });

  test('finds the VIP on another host, on two, and nobody who answers for it', () => {
    const [, , third] = sound.hosts;
    expect(brokenBy({ hosts: [{ ...closed, holdsVip: true }, primary, third ?? closed] })).toEqual(['I6']);
    expect(brokenBy({ hosts: [closed, { ...primary, holdsVip: false }, third ?? closed] })).toEqual(['I6']);
    expect(brokenBy({ arpHolder: null })).toEqual(['I6']);
    expect(brokenBy({ arpHolder: 'db1+db2' })).toEqual(['I6']);
  });

  test('says which host could not be looked at, when nobody is seen to hold the VIP', () => {
    const [, , third] = sound.hosts;
    const mute: HostFacts = { ...primary, holdsVip: false, records: null };
    const [broken] = judgeRound({ ...sound, hosts: [closed, mute, third ?? closed] });
    expect(broken?.what).toBe('the VIP is on no host (db2 could not be looked at), and db2 is writable');
  });

  test.each(['hanging', 'unnamed'] as const)('finds an operation that ended %s', (kind) => {
    expect(brokenBy({ endings: [{ ...alive, kind }] })).toEqual(['I7']);
  });

  test('finds a run that was left behind', () => {
    expect(brokenBy({ stillRunning: ['failover at operation/shop'] })).toEqual(['I7']);
  });

  test('finds a refusal that has changed something and says it did not', () => {
    const before = [primary];
    expect(brokenBy({ before, afterRefusal: [primary] })).toEqual([]);
    const afterRefusal = [{ ...primary, records: { ...records, primary: '3 other db3' } }];
    expect(brokenBy({ before, afterRefusal })).toEqual(['I7']);
  });

  test('finds a failover of a cluster that is well', () => {
    expect(brokenBy({ again: failedOver })).toEqual(['I8']);
    expect(brokenBy({ again: { ...alive, changed: true } })).toEqual(['I8']);
  });

  test('finds data that differ', () => {
    expect(brokenBy({ differingTables: ['shop.orders'] })).toEqual(['I10']);
  });
});

/** db1 wrote the rows 1 to 4, each in a transaction of that number; only 1 and 2 came to db2. */
const log = new Map(['1', '2', '3', '4'].map((token) => [token, `0-1-${token}`] as const));
const compared = { present: new Set(['1', '2', '5']), written: new Map([['db1', log]]) };
const transactions = (...gtids: readonly string[]): Loss['salvage']['applied'] => ({ count: gtids.length, gtids });
const keptAside = (...gtids: readonly string[]): Loss => ({
  ...{ lossless: false, explains: '', missing: '', lost: transactions(...gtids) },
  salvage: { ...NOTHING_TO_SALVAGE, quarantined: transactions(...gtids) },
});
const uncounted: Loss = { ...keptAside(), lost: null };
const returned = (gtids: readonly string[], complete = true): Ending => {
  const rest = { name: 'x', upTo: '', held: '', why: '', bytes: 0, sha256: '' };
  const tail: Tail = { ...rest, ...transactions(...gtids), complete };
  return { ...alive, operation: 'rejoin db1', kind: 'done', setAside: { host: 'db1', tails: [tail] } };
};
const wrongs = (lost: readonly string[], ...losses: readonly (Loss | Ending)[]): readonly string[] =>
  judgeRound({
    ...{ ...sound, ...compared, ledger: { ...sound.ledger, lost } },
    endings: losses.map((one) => ('operation' in one ? one : { ...failedOver, loss: one })),
  }).map(({ what }) => what);

describe('what is done with a cluster that is well again', () => {
  const done = (operation: string, change: Partial<Ending> = {}): Ending => ({
    ...alive,
    operation,
    kind: 'done',
    ...change,
  });
  const broken = (afterwards: readonly Ending[], hosts = sound.hosts): readonly string[] =>
    brokenBy({ endings: [failedOver, ...afterwards], afterwards, hosts });
  const back = [replica('db1', '10.77.0.2'), primary, replica('db3', '10.77.0.2')];

  test('is sound when it is done, or refused', () => {
    const rejoined = done('rejoin db1', { type: 'rejoined' });
    expect(broken([rejoined, done('acker remove db3'), done('acker add db3')], back)).toEqual([]);
    expect(
      broken([
        { ...alive, operation: 'rejoin db1' },
        { ...alive, operation: 'acker remove db3' },
      ]),
    ).toEqual([]);
  });

  test('is broken when who has returned does not replicate', () => {
    expect(broken([done('rejoin db1', { type: 'rejoined' })])).toEqual(['I4']);
  });

  test('is broken when the server runs of which something was set aside', () => {
    const quarantined = { ...returned([]), type: 'quarantined' };
    expect(broken([quarantined])).toEqual(['I5']);
    expect(broken([quarantined], [{ ...closed, server: null }, ...sound.hosts.slice(1)])).toEqual([]);
  });

  test('is broken when it was undone, or left to a person, or when a replica that was taken out is not let in again', () => {
    expect(broken([{ ...alive, operation: 'rejoin db1', kind: 'compensated' }])).toEqual(['I7']);
    expect(broken([{ ...alive, operation: 'acker remove db3', kind: 'left-to-a-person' }])).toEqual(['I7']);
    expect(broken([{ ...alive, operation: 'rejoin db1', type: 'NotYet' }])).toEqual(['I7']);
    expect(broken([done('acker remove db3'), { ...alive, operation: 'acker add db3' }])).toEqual(['I7']);
  });
});

describe('the statement of a loss', () => {
  test('is sound when it names exactly what is missing, acknowledged or not', () => {
    expect(wrongs(['3'], keptAside('0-1-3', '0-1-4'))).toEqual([]);
  });

  test('is wrong when it leaves a transaction out, also one that nobody was told of', () => {
    expect(wrongs(['3'], keptAside('0-1-4'))).toEqual([
      '0-1-3 of db1 with the write 3 is missing, and failover does not name it',
      '1 acknowledged writes are lost, and no operation said so: 3',
    ]);
    expect(wrongs(['3'], keptAside('0-1-3'))).toEqual([
      '0-1-4 of db1 with the write 4 is missing, and failover does not name it',
    ]);
  });

  test('is wrong when it names what is there', () => {
    expect(wrongs(['3', '4'], keptAside('0-1-2', '0-1-3', '0-1-4'))).toEqual([
      'failover says that 0-1-2 of db1 is missing, and its write 2 is there',
    ]);
  });

  test('is wrong when what it calls applied is not there', () => {
    const applied = (...gtids: readonly string[]): Loss => ({
      ...{ lossless: true, explains: '', missing: '', lost: transactions() },
      salvage: { ...NOTHING_TO_SALVAGE, applied: transactions(...gtids) },
    });
    expect(wrongs([], applied('0-1-2'))).toEqual([]);
    expect(wrongs([], applied('0-1-2', '0-1-3'))).toEqual([
      'failover says that 0-1-3 of db1 was applied, and its write 3 is not there',
    ]);
  });

  test('does not cover a write that its host never logged, nor one when nothing was said to be lost', () => {
    expect(wrongs(['9'], uncounted)).toEqual(['1 acknowledged writes are lost, and no operation said so: 9']);
    const silent = { ...keptAside('0-1-3'), lossless: true, lost: transactions() };
    expect(wrongs(['3'], silent)).toEqual(['1 acknowledged writes are lost, and no operation said so: 3']);
  });

  test('covers whatever its host logged when nobody could count; the return of the host names it', () => {
    expect(wrongs(['3', '4'], uncounted)).toEqual([]);
    expect(wrongs(['3', '4'], uncounted, returned(['0-1-3', '0-1-4']))).toEqual([]);
    expect(wrongs(['3', '4'], uncounted, returned(['0-1-3']))).toEqual([
      '0-1-4 of db1 with the write 4 is missing, and rejoin db1 does not name it',
    ]);
    expect(wrongs(['3', '4'], uncounted, returned(['0-1-3'], false))).toEqual([]);
  });

  test('is compared by its count where it names only the first, and where no log can be read', () => {
    const cut = (count: number): Loss => ({ ...keptAside('0-1-3'), lost: { count, gtids: ['0-1-3'] } });
    expect(wrongs(['3', '4'], cut(2))).toEqual([]);
    expect(wrongs(['3'], { ...keptAside(), lost: { count: 1, gtids: [] } })).toEqual([
      'failover counts 1 missing transactions of db1, and there are 2',
    ]);
    const unread = { ...sound, ...compared, written: new Map([['db1', null]]) };
    const endings = [{ ...failedOver, loss: keptAside('0-1-3') }];
    const found = judgeRound({ ...unread, endings, ledger: { ...sound.ledger, lost: ['3', '4'] } });
    expect(found.map(({ what }) => what)).toEqual(['2 acknowledged writes are lost, and 1 were stated']);
  });
});

describe('the writes of the ledger in a binary log', () => {
  const begin = '#261124 18:27:22 server id 1  end_log_pos 3623 CRC32 0x9c781d13 \tGTID 0-1-17 trans';
  const row =
    "#Q> INSERT INTO ledger.writes (token, route, server) VALUES ('123', 'vip', @@server_id) RETURNING server";
  const end = '#261124 18:27:22 server id 1  end_log_pos 3888 CRC32 0x5790c2c1 \tXid = 20';

  test('are found by their transactions, with their ends only', () => {
    expect([...writtenIn([begin, row, end, ''].join('\n'))]).toEqual([['123', '0-1-17']]);
    expect([...writtenIn([begin, row, begin.replace('17', '18'), end].join('\n'))]).toEqual([]);
  });
});

describe('the succession of primaries', () => {
  const hosts = ['db1', 'db2', 'db3'];

  test('is what the operations say, also when a server reigns twice', () => {
    const back: Ending = { ...failedOver, newPrimary: 'db1', oldPrimary: 'db2' };
    const acknowledgedBy = new Set([1, 2]);
    expect(successionOf([failedOver, alive, back], { hosts, acknowledgedBy })).toEqual([1, 2, 1]);
    const reopened: Ending = { ...failedOver, kind: 'reopened', newPrimary: 'db1' };
    expect(successionOf([reopened], { hosts, acknowledgedBy: new Set([1]) })).toEqual([1]);
  });

  test('is not known when somebody acknowledged whom no operation has named', () => {
    expect(successionOf([alive], { hosts, acknowledgedBy: new Set([1, 3]) })).toBeUndefined();
  });
});
