import { describe, expect, it, test } from 'vitest';
import type { HostObservation } from '../../domain/observation.ts';
import type { Protection } from '../../domain/protection.ts';
import { judgeProtection } from '../../domain/protection.ts';
import { PRIMARY, shop, told } from './protected-shop.ts';
import {
  ACKNOWLEDGING,
  answers,
  channel,
  DB1,
  DB2,
  DB3,
  helper,
  LOSSLESS,
  records,
  replicaStatus,
  serverStatus,
  silence,
  WAITING,
  foreign,
} from './shop.ts';

type Hosts = Readonly<Record<string, Partial<HostObservation>>>;

const judge = (...changes: Parameters<typeof shop>): Protection => judgeProtection(shop(...changes));
const codes = ({ reasons }: Protection): readonly string[] => reasons.map(({ code }) => code);

const ASYNC = { sync: { epoch: 5, mode: 'async', ackers: [], k: 0 } } as const;
const everywhere = (changes: Parameters<typeof records>[0]): Hosts => ({
  db1: { helper: helper({ holdsVip: true, records: records(changes) }) },
  db2: { helper: helper({ records: records(changes) }) },
  db3: { helper: helper({ records: records(changes) }) },
});
const replica = (...changes: Parameters<typeof replicaStatus>): Partial<HostObservation> => ({
  server: answers(replicaStatus(...changes)),
});

describe('a cluster whose primary may die now', () => {
  it('is protected, by whom, and when that was verified', () => {
    const found = judge({});
    expect(found.sentence).toBe('shop: protected: db2 and db3 can take over now without loss; last verified 12 s ago');
    expect(found).toMatchObject({ state: 'protected', reasons: [], next: 'standfast verify shop' });
  });

  it.each([
    [null, 'never verified'],
    [{ at: '2025-01-01T02:00:00.000Z', outcome: 'warn' }, 'last verified 60 min ago'],
    [{ at: '2024-12-20T03:00:00.000Z', outcome: 'ok' }, 'last verified 12 days ago'],
    [{ at: '2025-01-01T02:59:59.000Z', outcome: 'bad' }, 'the last verification, 1 s ago, found faults'],
    [{ at: '2025-01-01T03:00:02.000Z', outcome: 'failed' }, 'the last verification, 0 s ago, failed'],
  ])('says of the last verification what is true: %o', (last, words) => {
    const lastVerification = last === null ? null : { workflowId: 'v', runId: 'r', ...last };
    const { sentence, state } = judge({ runs: told({ lastVerification }) });
    expect(sentence.endsWith(`; ${words}`)).toBe(true);
    expect(state).toBe('protected');
  });

  it('is protected by the other one when the SQL thread of a replica stands still, which is named', () => {
    const found = judge({ hosts: { db2: replica(DB2, { replication: channel({ applier: 'stopped' }) }) } });
    expect(found.sentence).toContain(
      'protected: db3 can take over now without loss; db2 cannot: its SQL thread is stopped;',
    );
    expect(found.next).toContain('START SLAVE SQL_THREAD');
  });

  it('is protected by the other one when a replica is never promoted, which is named', () => {
    const found = judge({ cluster: { hosts: [DB1, DB2, { ...DB3, promotable: false }] } });
    expect(found.sentence).toContain(
      'protected: db2 can take over now without loss; db3 cannot: it is never promoted (promotable: false in the inventory);',
    );
  });

  it('is protected while an old primary is fenced, and says what brings it back', () => {
    const fenced = records({
      fenced: true,
      primary: { epoch: 6, host: 'db2' },
      sync: { ...LOSSLESS, ackers: ['db3'] },
    });
    const now = { ...fenced, fenced: false };
    const found = judge({
      hosts: {
        db1: { helper: helper({ mysqld: 'stopped', records: fenced }), server: silence('refused') },
        db2: {
          helper: helper({ holdsVip: true, records: now }),
          server: answers(serverStatus({ serverId: 2, semiSync: { ...WAITING, clients: 1, attached: [3] } })),
        },
        db3: {
          helper: helper({ records: now }),
          server: answers(replicaStatus(DB3, { replication: channel({ source: 'db2' }) })),
        },
      },
    });
    expect(found.sentence).toContain('protected: db3 can take over now without loss; db1 cannot: it is fenced;');
    expect(found.next).toBe('standfast rejoin shop db1');
  });

  it('that is async by its inventory is protected only as far as it was read, and says so', () => {
    const found = judge({ cluster: { mode: 'async' }, hosts: everywhere(ASYNC) });
    expect(found.sentence).toContain(
      'db2 and db3 can take over now without loss of what was committed when it was read; later writes can be lost (async)',
    );
    const behind = replica(DB2, {
      binlogState: '0-1-97',
      appliedPosition: '0-1-97',
      replication: channel({ received: '0-1-97' }),
    });
    const late = judge({
      cluster: { mode: 'async' },
      hosts: { ...everywhere(ASYNC), db2: { ...everywhere(ASYNC)['db2'], ...behind } },
    });
    expect(late.sentence).toContain('; db2 cannot: it has not received 3 transactions that db1 has;');
  });

  it('is told to be watched by nobody, and what would change that', () => {
    expect(judge({ runs: told({ watcher: null }) }).next).toContain('standfast worker start');
  });
});

const BOOTED = helper({ records: records({ standing: 'booted' }) });

/** What is wrong, the code that is said first, and a part of the sentence. */
const NOT_PROTECTED: readonly (readonly [string, Parameters<typeof shop>[0], string, string])[] = [
  [
    'two VIP holders',
    { hosts: { db2: { helper: helper({ holdsVip: true }) } } },
    'TwoVipHolders',
    'db1 and db2 hold the VIP at the same time',
  ],
  [
    'two VIP holders, before all that was not seen',
    {
      hosts: { db2: { helper: helper({ holdsVip: true }) }, db3: { helper: silence() } },
      runs: { reach: 'silent', why: 'x' },
    },
    'TwoVipHolders',
    'and ',
  ],
  [
    'two writers',
    { hosts: { db3: replica(DB3, { readOnly: false }) } },
    'TwoWriters',
    'db1 and db3 accept writes at the same time',
  ],
  [
    'the VIP on a replica',
    { hosts: { db1: { helper: helper() }, db2: { helper: helper({ holdsVip: true }) } } },
    'VipMisplaced',
    'db2 holds the VIP but is not the primary',
  ],
  ['the VIP nowhere', { hosts: { db1: { helper: helper() } } }, 'VipNowhere', 'no host that answers holds the VIP'],
  [
    'a closed primary',
    { hosts: { db1: { server: answers({ ...PRIMARY, readOnly: true }) } } },
    'PrimaryClosed',
    'the primary refuses writes',
  ],
  [
    'a dead primary',
    { hosts: { db1: { helper: helper({ mysqld: 'stopped', holdsVip: true }), server: silence('refused') } } },
    'PrimaryProcessDead',
    'no database server runs on it',
  ],
  [
    'nobody on record',
    { hosts: everywhere({ primary: null, sync: null }) },
    'NeverPrepared',
    'no member has a primary on record',
  ],
  [
    'async in a cluster that is to be lossless',
    { hosts: everywhere(ASYNC) },
    'MayLoseWrites',
    'db1 waits for no acknowledgement (async)',
  ],
  [
    'acknowledgements that are not waited for',
    { hosts: { db1: { server: answers({ ...PRIMARY, semiSync: { ...PRIMARY.semiSync, primaryActive: false } }) } } },
    'MayLoseWrites',
    'does not wait for them: it has fallen back',
  ],
  [
    'an acker that is not connected',
    {
      hosts: { db1: { server: answers({ ...PRIMARY, semiSync: { ...PRIMARY.semiSync, clients: 1, attached: [2] } }) } },
    },
    'MayLoseWrites',
    'db3 is not seen to acknowledge the writes of db1, and a failover has to ask 2 of db2, db3',
  ],
  [
    'an acker that does not acknowledge',
    { hosts: { db3: replica(DB3, { semiSync: { ...ACKNOWLEDGING, replicaActive: false } }) } },
    'MayLoseWrites',
    'db3 is not seen to acknowledge',
  ],
  [
    'an acker that a failover would not count on',
    { hosts: { db3: replica(DB3, { otherChannels: [foreign()] }) } },
    'MayLoseWrites',
    "db3 acknowledges the writes of db1, and a failover would not count on it: it has a replication channel that is not the cluster's",
  ],
  [
    'a replica whose records do not count',
    { hosts: { db3: { helper: BOOTED } } },
    'UndecidedWithoutPrimary',
    'without db1 nobody could tell who is primary',
  ],
  [
    'replicas that have not received what the primary has',
    {
      hosts: {
        db2: replica(DB2, {
          binlogState: '0-1-90',
          appliedPosition: '0-1-90',
          replication: channel({ received: '0-1-90' }),
        }),
        db3: replica(DB3, {
          binlogState: '0-1-90',
          appliedPosition: '0-1-90',
          replication: channel({ received: '0-1-90' }),
        }),
      },
    },
    'NobodyTakesOver',
    'db2: it has not received 10 transactions that db1 has',
  ],
  [
    'replicas that are fenced',
    {
      hosts: {
        db2: { helper: helper({ records: records({ fenced: true }) }) },
        db3: { helper: helper({ records: records({ fenced: true }) }) },
      },
    },
    'NobodyTakesOver',
    'db2: it is fenced; db3: it is fenced',
  ],
  [
    'replicas that are never promoted',
    { cluster: { hosts: [DB1, { ...DB2, promotable: false }, { ...DB3, promotable: false }] } },
    'NobodyTakesOver',
    'db2: it is never promoted (promotable: false in the inventory)',
  ],
  [
    'replicas that are never promoted, one of which was not seen',
    {
      cluster: { hosts: [DB1, { ...DB2, promotable: false }, { ...DB3, promotable: false }] },
      hosts: { db3: { helper: silence(), server: silence() } },
    },
    'NobodyTakesOver',
    'db2: it is never promoted',
  ],
  [
    'replicas that may not be promoted',
    { cluster: { countries: ['SE'] } },
    'NobodyTakesOver',
    'outside the placement policy',
  ],
  [
    'replicas whose receivers stand still',
    {
      hosts: {
        db2: replica(DB2, { replication: channel({ receiver: 'stopped' }) }),
        db3: replica(DB3, { replication: channel({ receiver: 'connecting' }) }),
      },
    },
    'NobodyTakesOver',
    'db2: its IO thread is stopped; db3: its IO thread is connecting',
  ],
];

test.each(NOT_PROTECTED)('%s is not protected, and that is said first', (_, changes, code, words) => {
  const found = judge(changes);
  expect([found.state, codes(found)[0]]).toEqual(['not-protected', code]);
  expect(found.sentence).toMatch(/^shop: NOT PROTECTED: /);
  expect(found.sentence).toContain(words);
  expect(found.next).not.toBe('');
});

const operation = { type: 'failover', workflowId: 'operation/shop', runId: 'r', since: '2025-01-01T02:59:00.000Z' };

/** What was not seen, its code, and a part of the sentence. */
const NOT_KNOWN: readonly (readonly [string, Parameters<typeof shop>[0], string, string])[] = [
  [
    'the helper of a replica',
    { hosts: { db3: { helper: silence() } } },
    'HostUnseen',
    'db3 was not seen: its helper does not answer',
  ],
  ['the helper of the primary', { hosts: { db1: { helper: silence() } } }, 'HostUnseen', 'db1 was not seen'],
  [
    'the database of a replica',
    { hosts: { db3: { server: silence() } } },
    'HostUnseen',
    'its database does not answer (no answer in 2 s)',
  ],
  [
    'a replica that the primary says is connected',
    { hosts: { db3: { helper: silence(), server: silence() } } },
    'HostUnseen',
    'db3 was not seen',
  ],
  [
    'a primary that denies the login',
    { hosts: { db1: { server: silence('denied') } } },
    'PrimaryDenies',
    'it is alive',
  ],
  [
    'a primary that a replica hears',
    { hosts: { db1: { helper: silence(), server: silence() }, db2: { hearsSource: true } } },
    'PrimaryHeardByReplicas',
    'the network to it is cut',
  ],
  [
    'records of too few',
    { hosts: { db2: { helper: silence() }, db3: { helper: silence() } } },
    'RecordsUndecided',
    '1 of 3 members answered',
  ],
  [
    'records that disagree',
    { hosts: { db3: { helper: helper({ records: records({ primary: { epoch: 4, host: 'db2' } }) }) } } },
    'RecordsUndecided',
    'members disagree',
  ],
  [
    'a primary that the inventory does not know',
    { hosts: everywhere({ primary: { epoch: 4, host: 'db9' } }) },
    'RecordsUndecided',
    'db9 is on record as primary',
  ],
  [
    'Temporal',
    { runs: { reach: 'silent', why: 'it is away' } },
    'TemporalUnseen',
    'Temporal did not tell which operations run',
  ],
  [
    'what an operation is about to change',
    { runs: told({ operation: { ...operation, phase: 'fence and drain', asksPerson: false } }) },
    'OperationRuns',
    'failover holds the cluster since 2025-01-01T02:59:00.000Z, at "fence and drain"',
  ],
];

test.each(NOT_KNOWN)('without %s it is not known whether it is protected', (_, changes, code, words) => {
  const found = judge(changes);
  expect([found.state, codes(found)]).toEqual(['not-known', expect.arrayContaining([code])]);
  expect(found.sentence).toMatch(/^shop: NOT KNOWN: /);
  expect(found.reasons.map(({ explains }) => explains).join()).toContain(words);
});

it('closes the writer that is not the primary, and leaves it open which one that is where nobody knows', () => {
  const db3 = replica(DB3, { readOnly: false });
  expect(judge({ hosts: { db3 } }).next).toMatch(/^SET GLOBAL read_only=1 on db3, then standfast verify shop/);
  const nobody = everywhere({ primary: null, sync: null });
  expect(judge({ hosts: { ...nobody, db3: { ...db3, ...nobody['db3'] } } }).next).toMatch(
    /^find out which one is not the primary, HOST: SET GLOBAL read_only=1 on HOST/,
  );
});

it('leads to the person whom a failover waits for, whatever else is wrong', () => {
  const found = judge({
    hosts: { db1: { helper: helper({ mysqld: 'stopped' }), server: silence('refused') } },
    runs: told({ operation: { ...operation, phase: 'asks a person', asksPerson: true } }),
  });
  expect(found.state).toBe('not-protected');
  expect(found.next).toContain('standfast accept shop --by NAME');
});

it('says nothing of a verification that Temporal did not tell of', () => {
  expect(judge({ runs: { reach: 'silent', why: 'it is away' } }).sentence).toBe(
    'shop: NOT KNOWN: Temporal did not tell which operations run',
  );
});
