import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contender, ElectionInput } from '../../domain/election.ts';
import { electPrimary, receivedBy } from '../../domain/election.ts';
import { containsGtids, parseGtids, renderGtids, unionGtids } from '../../domain/gtid.ts';
import type { ReplicationStatus, ServerStatus } from '../../domain/observation.ts';
import { channel, contender, DB1, DB2, DB3, foreign, replicaStatus, serverStatus } from './shop.ts';

const elect = (contenders: readonly Contender[], changes: Partial<ElectionInput> = {}) =>
  electPrimary({ contenders, primary: DB1, countries: ['NO'], ...changes });

const received = (position: string, applied = position): Partial<ServerStatus> => ({
  binlogState: applied,
  appliedPosition: applied,
  replication: channel({ received: position }),
});

describe('what a replica received', () => {
  it('is everything in its binary log, applied, or waiting in its relay log', () => {
    const status = serverStatus({
      binlogState: '0-1-90,0-2-50',
      appliedPosition: '0-1-91,2-1-6',
      replication: channel({ received: '0-1-100,1-1-4' }),
    });
    expect(renderGtids(receivedBy(status))).toBe('0-2-50,0-1-100,1-1-4,2-1-6');
  });

  it('is its own history when it replicates from nobody', () => {
    expect(renderGtids(receivedBy(serverStatus()))).toBe('0-1-100');
  });
});

describe('the choice between eligible replicas', () => {
  it('falls on the one that received the most, applied or not', () => {
    expect(elect([contender(DB2, received('0-1-100')), contender(DB3, received('0-1-103', '0-1-80'))])).toMatchObject({
      kind: 'elected',
      host: 'db3',
      received: '0-1-103',
    });
  });

  it('falls on the higher rank when both received the same', () => {
    expect(elect([contender(DB2), contender({ ...DB3, rank: 101 })])).toMatchObject({ host: 'db3' });
  });

  it('never lets a rank outweigh a transaction', () => {
    const ahead = contender(DB2, received('0-1-101'));
    expect(elect([ahead, contender({ ...DB3, rank: 999 })])).toMatchObject({ host: 'db2' });
  });

  it('falls on the name that sorts first when the ranks are equal too', () => {
    expect(elect([contender(DB3), contender(DB2)])).toMatchObject({ host: 'db2' });
    expect(elect([contender(DB2), contender(DB3)])).toMatchObject({ host: 'db2' });
  });

  it('falls on the requested one when it holds everything, whatever the ranks say', () => {
    const election = elect([contender({ ...DB2, rank: 999 }), contender(DB3)], { requested: 'db3' });
    expect(election).toMatchObject({ kind: 'elected', host: 'db3' });
    expect(election.because[0]?.vetoes).toEqual(['another candidate, db3, was asked for']);
  });

  it('keeps every vote, of the winner and of the others, in the order in which they came', () => {
    expect(elect([contender(DB3, received('0-1-99')), contender(DB2)]).because).toEqual([
      { host: 'db3', received: '0-1-99', vetoes: [] },
      { host: 'db2', received: '0-1-100', vetoes: [] },
    ]);
  });
});

describe('refusals', () => {
  it('refuses when no replica answers', () => {
    expect(elect([])).toEqual({
      kind: 'refused',
      reason: 'no-eligible-replica',
      explains: 'no replica answers',
      because: [],
    });
  });

  it('refuses when two replicas each hold a transaction that the other lacks', () => {
    const election = elect([contender(DB2, received('0-1-100,1-1-4')), contender(DB3, received('0-1-99,1-1-5'))]);
    expect(election).toMatchObject({
      kind: 'refused',
      reason: 'histories-diverge',
      explains: 'two replicas each hold transactions that the other lacks (db2 lacks 1-1-5; db3 lacks 0-1-100)',
    });
  });

  it('is not misled by a higher sequence of a diverged history', () => {
    const election = elect([contender(DB2, received('0-9-105')), contender(DB3, received('0-1-103'))]);
    expect(election).toMatchObject({ kind: 'refused', reason: 'histories-diverge' });
  });

  it('refuses a lesser replica when the one that received the most is barred', () => {
    const barred = contender({ ...DB3, country: 'DE' }, received('0-1-101'));
    expect(elect([contender(DB2), barred])).toMatchObject({
      kind: 'refused',
      reason: 'no-replica-holds-everything',
      explains:
        'nobody else holds everything that db3 received, and db3 may not be promoted: its country DE is outside the placement policy',
    });
  });

  it('refuses the requested one when it lacks what another received', () => {
    expect(elect([contender(DB2, received('0-1-101')), contender(DB3)], { requested: 'db3' })).toMatchObject({
      kind: 'refused',
      reason: 'no-replica-holds-everything',
    });
  });

  it('refuses a requested host that is no contender, naming why each of the others was passed over', () => {
    expect(elect([contender(DB2), contender(DB3)], { requested: 'db9' })).toMatchObject({
      reason: 'no-eligible-replica',
      explains: 'db2: another candidate, db9, was asked for. db3: another candidate, db9, was asked for',
    });
  });
});

describe('each veto bars by itself', () => {
  const binlog = replicaStatus(DB2).binlog;
  const via = (changes: Partial<ReplicationStatus>): Partial<ServerStatus> => ({ replication: channel(changes) });
  const CHANGES: readonly (readonly [string, Partial<ServerStatus>])[] = [
    ['it has no binary log, so no replica could follow it', { binlog: { ...binlog, enabled: false } }],
    ['log_slave_updates is off, so no replica could follow it', { binlog: { ...binlog, logsReplicated: false } }],
    [
      'its binlog_format is STATEMENT, which gives other rows on a replica',
      { binlog: { ...binlog, format: 'STATEMENT' } },
    ],
    ['it replicates from nobody', { replication: null }],
    ['its source is not db1', via({ source: 'db3' })],
    ['its source is not db1', via({ source: null })],
    ['its receiver has not run since its server started, so what it had received is not known', via({ received: '' })],
    ['it does not replicate by GTID, so what it received is not known', via({ usesGtid: false, received: '' })],
    [
      'it filters replication (Replicate_Do_DB=shop, Replicate_Ignore_DB=x)',
      via({ filters: ['Replicate_Do_DB=shop', 'Replicate_Ignore_DB=x'] }),
    ],
    [
      `it has a replication channel that is not the cluster's: "b" from db1 (receiver running, applier running)`,
      { otherChannels: [foreign()] },
    ],
    [
      `it has a replication channel that is not the cluster's: "b" from a server that is not in the inventory (receiver stopped, applier stopped)`,
      { otherChannels: [foreign({ source: null, receiver: 'stopped', applier: 'stopped' })] },
    ],
    ['it is a delayed replica', via({ delaySeconds: 1 })],
    [
      'its applier stopped with error 1062: Duplicate entry',
      via({ applierError: { code: 1062, message: 'Duplicate entry' } }),
    ],
    ['its version 11.8.6-MariaDB is newer than that of db3, which could not follow it', { version: '11.8.6-MariaDB' }],
  ];

  it.each(CHANGES)('%s', (veto, changes) => {
    const election = elect([contender(DB2, changes), contender(DB3)]);
    expect(election.because[0]).toMatchObject({ host: 'db2', vetoes: [veto] });
    expect(election).toMatchObject({ kind: 'elected', host: 'db3' });
  });

  it('its disk is full', () => {
    const full = { ...contender(DB2), diskFreeBytes: 64 * 1024 * 1024 - 1 };
    expect(elect([full]).because[0]?.vetoes).toEqual(['its disk is full']);
    expect(elect([{ ...full, diskFreeBytes: 64 * 1024 * 1024 }])).toMatchObject({ kind: 'elected' });
  });

  it('its country is outside the placement policy', () => {
    const abroad = contender({ ...DB2, country: 'DE' });
    expect(elect([abroad])).toMatchObject({
      kind: 'refused',
      explains: 'db2: its country DE is outside the placement policy',
    });
    expect(elect([abroad], { countries: [] })).toMatchObject({ kind: 'elected' });
    expect(elect([abroad], { countries: ['NO', 'DE'] })).toMatchObject({ kind: 'elected' });
  });

  it('it is never promoted, and what it holds counts as that of any other', () => {
    const never = { ...DB2, promotable: false };
    expect(elect([contender(never), contender(DB3)])).toMatchObject({ kind: 'elected', host: 'db3' });
    expect(elect([contender(never)])).toMatchObject({
      kind: 'refused',
      reason: 'no-eligible-replica',
      explains: 'db2: it is never promoted (promotable: false in the inventory)',
    });
    const ahead = contender(never, { binlogState: '0-1-101', appliedPosition: '0-1-101' });
    expect(elect([ahead, contender(DB3)])).toMatchObject({ kind: 'refused', reason: 'no-replica-holds-everything' });
  });

  it('names every veto of a replica, not only the first', () => {
    const worst = contender({ ...DB2, country: 'DE' }, { binlog: { ...binlog, enabled: false }, replication: null });
    expect(elect([worst]).because[0]?.vetoes).toHaveLength(3);
  });

  it('lets the older of two versions be elected, and both when they differ in the patch alone', () => {
    const newer = contender(DB3, { version: '11.8.6-MariaDB-log' });
    expect(elect([contender(DB2), newer])).toMatchObject({ kind: 'elected', host: 'db2' });
    const patched = contender(DB2, { version: '10.11.21-MariaDB' });
    expect(elect([patched, contender(DB3)]).because.map((vote) => vote.vetoes)).toEqual([[], []]);
    const ninth = contender(DB3, { version: '10.9.8-MariaDB' });
    expect(elect([contender(DB2), ninth])).toMatchObject({ kind: 'elected', host: 'db3' });
  });
});

describe('errant transactions', () => {
  it('bar a replica that wrote what another one lacks', () => {
    const errant = contender(DB2, { ...received('0-1-100'), binlogState: '0-1-100,0-2-7' });
    expect(elect([errant, contender(DB3)]).because[0]?.vetoes).toEqual(['it has errant transactions 0-2-7']);
  });

  it('bar the only replica as well: it wrote after the last transaction that it applied', () => {
    const errant = contender(DB2, { ...received('0-1-100'), binlogState: '0-1-100,0-2-101' });
    expect(elect([errant])).toMatchObject({
      kind: 'refused',
      reason: 'no-eligible-replica',
      explains: 'db2: it has errant transactions 0-2-101',
    });
  });

  it("bar nobody else: what a replica wrote itself is no primary's, and need not be held", () => {
    const errant = contender(DB3, { ...received('0-1-100'), binlogState: '0-1-100,0-3-101' });
    const election = elect([errant, contender(DB2)]);
    expect(election).toMatchObject({ kind: 'elected', host: 'db2', received: '0-1-100' });
    expect(election.because[0]?.vetoes).toEqual(['it has errant transactions 0-3-101']);
  });

  it('do not hide what the same replica received, which the others lack', () => {
    const ahead = contender(DB3, { ...received('0-1-102', '0-1-100'), binlogState: '0-1-100,0-3-101' });
    expect(elect([ahead, contender(DB2)])).toMatchObject({ kind: 'refused', reason: 'no-replica-holds-everything' });
  });

  it('are named once when both signs show the same one', () => {
    const errant = contender(DB2, { ...received('0-1-100'), binlogState: '0-1-100,0-2-101' });
    expect(elect([errant, contender(DB3)]).because[0]?.vetoes).toEqual(['it has errant transactions 0-2-101']);
  });

  it('are not what a replica wrote in its own time as primary, which the others hold', () => {
    const history = { ...received('0-1-100'), binlogState: '0-1-100,0-2-60' };
    expect(elect([contender(DB2, history), contender(DB3, history)])).toMatchObject({ kind: 'elected', host: 'db2' });
    expect(elect([contender(DB2, history)])).toMatchObject({ kind: 'elected', host: 'db2' });
  });

  it('are judged in each domain by itself', () => {
    const errant = contender(DB2, { ...received('0-1-100,7-1-3'), binlogState: '0-1-100,7-2-4' });
    expect(elect([errant]).because[0]?.vetoes).toEqual(['it has errant transactions 7-2-4']);
  });

  it('belong to the server whose number ends the key, not to one whose number ends alike', () => {
    const twelfth = { ...DB2, serverId: 12 };
    const history = { ...received('0-1-100'), binlogState: '0-1-100,0-12-60' };
    const other = contender(DB3, { ...history, serverId: 2 });
    expect(elect([contender(twelfth, history), other]).because.map((vote) => vote.vetoes)).toEqual([[], []]);
    expect(elect([contender(DB2, { ...history, binlogState: '0-1-100,0-12-101' })]).because[0]?.vetoes).toEqual([]);
  });
});

describe('any election', () => {
  const anyPosition = fc
    .array(fc.tuple(fc.constantFrom('0-1', '0-9', '1-1'), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => renderGtids(parseGtids(parts.map(([key, sequence]) => `${key}-${String(sequence)}`).join(','))));
  const anyContender = fc
    .record({
      name: fc.constantFrom('db2', 'db3', 'db4', 'db5'),
      rank: fc.integer({ min: 100, max: 102 }),
      position: anyPosition,
      country: fc.constantFrom('NO', 'NO', 'NO', 'DE'),
      delaySeconds: fc.constantFrom(0, 0, 0, 5),
    })
    .map(({ name, rank, position, country, delaySeconds }) =>
      contender(
        { ...DB2, name, rank, country, serverId: Number(name.slice(2)) },
        {
          ...received(position),
          serverId: Number(name.slice(2)),
          replication: channel({ received: position, delaySeconds }),
        },
      ),
    );
  const anyContenders = fc.uniqueArray(anyContender, { selector: (one) => one.host.name, maxLength: 4 });

  it('has the same outcome in any order of the contenders', () => {
    fc.assert(
      fc.property(
        anyContenders.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          const [one, two] = [elect(list), elect(shuffled)];
          const sorted = (from: typeof one) =>
            [...from.because].sort((left, right) => (left.host < right.host ? -1 : 1));
          expect(sorted(two)).toEqual(sorted(one));
          expect(two.kind === 'elected' ? two.host : two.reason).toBe(one.kind === 'elected' ? one.host : one.reason);
        },
      ),
    );
  });

  it('elects only a replica without a veto that contains every reachable set', () => {
    fc.assert(
      fc.property(anyContenders, (list) => {
        const election = elect(list);
        fc.pre(election.kind === 'elected');
        const winner = election.because.find((vote) => vote.host === election.host);
        const everything = unionGtids(...list.map((one) => receivedBy(one.status)));
        expect(winner?.vetoes).toEqual([]);
        expect(containsGtids(parseGtids(election.received), everything)).toBe(true);
      }),
    );
  });

  it('refuses exactly when no replica without a veto contains every reachable set', () => {
    fc.assert(
      fc.property(anyContenders, (list) => {
        const election = elect(list);
        const everything = unionGtids(...list.map((one) => receivedBy(one.status)));
        const fit = list.filter(
          (one) =>
            one.host.country === 'NO' &&
            one.status.replication?.delaySeconds === 0 &&
            containsGtids(receivedBy(one.status), everything),
        );
        expect(election.kind).toBe(fit.length > 0 ? 'elected' : 'refused');
      }),
    );
  });

  it('refuses whenever no set contains all the others', () => {
    fc.assert(
      fc.property(anyContenders, (list) => {
        const sets = list.map((one) => receivedBy(one.status));
        fc.pre(!sets.some((set) => sets.every((other) => containsGtids(set, other))));
        expect(elect(list).kind).toBe('refused');
      }),
    );
  });
});
