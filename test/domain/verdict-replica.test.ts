import { describe, expect, it } from 'vitest';
import type { HostObservation, ReplicationStatus, ServerStatus } from '../../domain/observation.ts';
import type { Finding, LagMeasurement } from '../../domain/verdict.ts';
import { judgeReplication } from '../../domain/verdict.ts';
import {
  answers,
  channel,
  DB2,
  foreign,
  healthy,
  helper,
  LOSSLESS,
  records,
  replicaStatus,
  seen,
  serverStatus,
  SHOP,
  silence,
} from './shop.ts';

const ON_TIME: LagMeasurement = { host: 'db2', lagMs: 12, why: null };

/** What is found at db2 when it is seen otherwise, in a shop where all else is well. */
const findingsAt = (db2: Partial<HostObservation>, lag: readonly LagMeasurement[] = [ON_TIME]): readonly Finding[] => {
  const observation = seen({ db2 });
  const { findings } = judgeReplication({ cluster: SHOP, observation, primary: 'db1', sync: LOSSLESS, lag });
  expect(findings.every((one) => one.host === 'db2')).toBe(true);
  return findings;
};
const status = (changes: Partial<ServerStatus>): Partial<HostObservation> => ({
  server: answers(replicaStatus(DB2, changes)),
});
const via = (changes: Partial<ReplicationStatus>): Partial<HostObservation> =>
  status({ replication: channel(changes) });
const inShort = (findings: readonly Finding[]): readonly string[] =>
  findings.map((one) => `${one.severity} ${one.code}: ${one.explains}`);

describe('a replica', () => {
  it('in order has no findings', () => {
    expect(findingsAt({})).toEqual([]);
  });

  const BROKEN: readonly (readonly [string, Partial<HostObservation>])[] = [
    ['bad ReplicaDown: db2 does not answer (connection refused)', { server: silence('refused', 'connection refused') }],
    ['bad ReplicaDown: db2 does not answer (not asked)', { server: null }],
    ['bad NotReplicating: db2 replicates from nobody', status({ replication: null })],
    ['bad WrongSource: db2 replicates from db3 instead of db1', via({ source: 'db3' })],
    ['bad WrongSource: db2 replicates from an unknown server instead of db1', via({ source: null })],
    [
      `bad ForeignChannel: db2 has a replication channel that is not the cluster's: "b" from db1 (receiver running, applier running)`,
      status({ otherChannels: [foreign()] }),
    ],
    ['bad ReceiverStopped: the IO thread of db2 is stopped', via({ receiver: 'stopped' })],
    [
      'bad ReceiverStopped: the IO thread of db2 is connecting (nothing answers at the address and port of its source; error 2003: cannot connect)',
      via({ receiver: 'connecting', receiverError: { code: 2003, message: 'cannot connect' } }),
    ],
    ['bad ApplierStopped: the SQL thread of db2 is stopped', via({ applier: 'stopped' })],
    [
      'bad ApplierStopped: the SQL thread of db2 is stopped (the row to insert exists here already: somebody wrote on the replica; error 1062: Duplicate entry)',
      via({ applier: 'stopped', applierError: { code: 1062, message: 'Duplicate entry' } }),
    ],
    [
      'bad ErrantTransactions: db2 has transactions that the primary never had: 0-2-101',
      status({ binlogState: '0-1-100,0-2-101' }),
    ],
    ['bad HelperSilent: the host helper of db2 does not answer (no answer in 2 s)', { helper: silence() }],
  ];

  it.each(BROKEN)('%s', (finding, changes) => {
    expect(inShort(findingsAt(changes))).toEqual([finding]);
  });

  it('that is fenced is brought back by a rejoin, not by a start', () => {
    const fenced = { helper: helper({ mysqld: 'stopped', records: records({ fenced: true }) }) };
    const [down] = findingsAt({ ...fenced, server: silence('refused', 'no database server runs on db2') });
    expect(down).toMatchObject({ code: 'ReplicaDown', remedy: 'standfast rejoin shop db2' });
  });

  it('whose threads both stand still is not told to start one by hand: its relay log would be deleted', () => {
    const remedyOf = (changes: Partial<ReplicationStatus>): string | undefined =>
      findingsAt(via(changes)).find((one) => one.code === 'ApplierStopped')?.remedy;
    expect(remedyOf({ receiver: 'stopped', applier: 'stopped' })).toBe(
      'start neither thread by hand, which would delete its relay log; standfast prepare shop db1, or standfast failover shop when db1 is dead',
    );
    for (const receiver of ['running', 'connecting'] as const)
      expect(remedyOf({ receiver, applier: 'stopped' })).toContain('START SLAVE SQL_THREAD');
  });

  it('that accepts writes is named as writable and as a second writer', () => {
    const found = inShort(findingsAt(status({ readOnly: false })));
    expect(found).toContain('bad ReplicaWritable: db2 accepts writes');
    expect(found).toContain('bad SecondWriter: db2 accepts writes but is not the primary');
  });

  it('that can only be killed, since its commits wait for ever, is closed that way', () => {
    const [second] = findingsAt(status({ readOnly: false })).filter(({ code }) => code === 'SecondWriter');
    expect(second?.remedy).toMatch(/^SET GLOBAL read_only=1 on db2, .*SIGKILL.* then standfast rejoin shop db2 /);
  });

  it('that is down is started, unless it has no data that may be started', () => {
    const [down] = findingsAt({ server: silence('refused', 'connection refused') });
    expect(down?.remedy).toMatch(/^start its database server.*standfast prepare shop db1\. Not one that .*provision/);
  });

  it('with transactions of its own acknowledges nothing, and stands still, before they are set aside', () => {
    const [errant] = findingsAt(status({ binlogState: '0-1-100,0-2-101' }));
    expect(errant?.remedy).toMatch(/^standfast acker remove shop db2; .*STOP SLAVE.* then standfast rejoin shop db2,/);
  });

  it('that breaks several rules is told of each', () => {
    const worst = via({ source: 'db3', receiver: 'stopped', applier: 'stopped' });
    expect(findingsAt({ ...worst, helper: silence() }).map((one) => one.code)).toEqual([
      'WrongSource',
      'ReceiverStopped',
      'ApplierStopped',
      'HelperSilent',
    ]);
  });

  it('is given a remedy with every finding, with the names filled in', () => {
    for (const [, changes] of BROKEN)
      for (const finding of findingsAt(changes)) {
        expect(finding.remedy).not.toBe('');
        expect(finding.remedy).not.toMatch(/CLUSTER|PRIMARY|HOST/);
      }
  });
});

describe('errant transactions', () => {
  it('are not the newest ones of the primary itself, which was read a moment earlier', () => {
    expect(findingsAt(status({ binlogState: '0-1-109' }))).toEqual([]);
  });

  it('are those of a server whose number only ends like that of the primary', () => {
    expect(findingsAt(status({ binlogState: '0-1-100,0-11-3' })).map((one) => one.code)).toEqual([
      'ErrantTransactions',
    ]);
  });

  it('are what a deposed primary kept for itself', () => {
    const db2 = serverStatus({ serverId: 2, binlogState: '0-1-100,0-2-120', binlogPosition: '0-2-120' });
    const verdict = judgeReplication({
      cluster: SHOP,
      observation: seen({
        db1: status({ serverId: 1, binlogState: '0-1-105,0-2-120', replication: channel({ source: 'db2' }) }),
        db2: { server: answers(db2), helper: healthy('db1').helper },
        db3: status({ serverId: 3, binlogState: '0-1-100,0-2-120', replication: channel({ source: 'db2' }) }),
      }),
      primary: 'db2',
      sync: { ...LOSSLESS, ackers: ['db1', 'db3'] },
      lag: [],
    });
    const errant = verdict.findings.filter((one) => one.code === 'ErrantTransactions');
    expect(errant.map((one) => `${one.host} ${one.explains}`)).toEqual([
      'db1 db1 has transactions that the primary never had: 0-1-105',
    ]);
  });

  it('are what a promotion cut off, though the primary has greater numbers of the same server by now', () => {
    const lineage = [
      { epoch: 2, serverId: 1, start: '0-9-5' },
      { epoch: 3, serverId: 2, start: '0-9-5,0-1-90' },
      { epoch: 4, serverId: 1, start: '0-9-5,0-1-90,0-2-95' },
    ];
    const observation = seen({
      db1: { server: answers(serverStatus({ binlogState: '0-9-5,0-2-95,0-1-100' })) },
      db2: status({ binlogState: '0-9-5,0-1-93', appliedPosition: '0-1-93' }),
      db3: status({ serverId: 3, binlogState: '0-2-95,0-1-99' }),
    });
    const judged = (known: typeof lineage) =>
      judgeReplication({ cluster: SHOP, observation, primary: 'db1', sync: LOSSLESS, lag: [], lineage: known });
    expect(judged(lineage).replicas.map((replica) => replica.errant)).toEqual(['0-1-93', '']);
    expect(judged([]).replicas.map((replica) => replica.errant)).toEqual(['', '']);
  });
});

describe('lag', () => {
  const lagging = (lagMs: number | null, why: string | null = null) => findingsAt({}, [{ host: 'db2', lagMs, why }]);

  it.each([
    [0, []],
    [1000, []],
    [1001, ['warn LagHigh: db2 lags 1001 ms, more than 1000 ms']],
    [10_000, ['warn LagHigh: db2 lags 10000 ms, more than 1000 ms']],
    [10_000.6, ['bad LagTooHigh: db2 lags 10001 ms, more than 10000 ms']],
  ])('of %d ms gives %j', (lagMs, expected) => {
    expect(inShort(lagging(lagMs))).toEqual(expected);
  });

  it('that could not be measured is bad, with the reason', () => {
    expect(inShort(lagging(null, 'not seen in 12 s'))).toEqual([
      'bad LagUnmeasured: no heartbeat row reached db2: not seen in 12 s',
    ]);
  });

  it('that nobody measured is no finding', () => {
    expect(findingsAt({}, [])).toEqual([]);
  });

  it('is not asked of a host that replicates from nobody, or does not answer', () => {
    const unmeasured = [{ host: 'db2', lagMs: null, why: 'not seen' }];
    expect(findingsAt(status({ replication: null }), unmeasured).map((one) => one.code)).toEqual(['NotReplicating']);
    expect(findingsAt({ server: silence() }, unmeasured).map((one) => one.code)).toEqual(['ReplicaDown']);
  });
});
