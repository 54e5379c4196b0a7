import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostObservation, SemiSyncStatus } from '../../domain/observation.ts';
import type { Verdict, VerdictInput } from '../../domain/verdict.ts';
import { judgeReplication, vipHolders } from '../../domain/verdict.ts';
import { majorityOf } from '../../domain/cluster.ts';
import {
  answers,
  channel,
  DB2,
  DB3,
  healthy,
  helper,
  LOSSLESS,
  replicaStatus,
  seen,
  serverStatus,
  SHOP,
  silence,
  WAITING,
  witness,
} from './shop.ts';

type Changes = Readonly<Record<string, Partial<HostObservation>>>;

const judge = (hosts: Changes = {}, changes: Partial<VerdictInput> = {}): Verdict =>
  judgeReplication({
    cluster: SHOP,
    observation: seen(hosts),
    primary: 'db1',
    sync: LOSSLESS,
    lag: [
      { host: 'db2', lagMs: 12, errorMs: 3, clock: { offsetMs: 250, errorMs: 1 }, why: null },
      { host: 'db3', lagMs: 15, why: null },
    ],
    ...changes,
  });
const codes = (verdict: Verdict): readonly string[] => verdict.findings.map((one) => `${one.host}:${one.code}`);
const primaryWith = (semiSync: Partial<SemiSyncStatus>): Changes => ({
  db1: { server: answers(serverStatus({ semiSync: { ...WAITING, ...semiSync } })) },
});

describe('a healthy cluster', () => {
  it('is ok, without findings, in one sentence', () => {
    expect(judge()).toMatchObject({
      state: 'ok',
      sentence: '3 of 3 hosts healthy; can lose 1',
      primary: 'db1',
      vipHolders: ['db1'],
      findings: [],
    });
  });

  it('comes with the evidence of every replica', () => {
    expect(judge({ db2: { server: answers(replicaStatus(DB2, { appliedPosition: '0-1-58' })) } }).replicas).toEqual([
      {
        host: 'db2',
        source: 'db1',
        receiver: 'running',
        applier: 'running',
        lagMs: 12,
        lagErrorMs: 3,
        clock: { offsetMs: 250, errorMs: 1 },
        gtidGap: 42,
        errant: '',
        lost: '',
        readOnly: true,
      },
      {
        host: 'db3',
        source: 'db1',
        receiver: 'running',
        applier: 'running',
        lagMs: 15,
        lagErrorMs: null,
        clock: null,
        gtidGap: 0,
        errant: '',
        lost: '',
        readOnly: true,
      },
    ]);
  });
});

describe('findings about the primary', () => {
  it('says PrimaryDown with the reason and the command when it does not answer', () => {
    const verdict = judge({ db1: { server: silence('refused', 'connection refused') } });
    expect(verdict.findings).toEqual([
      {
        code: 'PrimaryDown',
        severity: 'bad',
        host: 'db1',
        explains: 'the primary does not answer (connection refused)',
        remedy: 'standfast failover shop',
      },
    ]);
    expect(verdict.replicas[0]).toMatchObject({ gtidGap: null, errant: '' });
    expect(judge({ db1: { server: null } }).sentence).toContain('it was not asked');
  });

  it('says PrimaryClosed when it refuses writes', () => {
    expect(codes(judge({ db1: { server: answers(serverStatus({ readOnly: true })) } }))).toEqual(['db1:PrimaryClosed']);
  });

  it.each<[string, Partial<SemiSyncStatus>]>([
    ['it does not wait', { primaryActive: false }],
    ['it stops waiting when no replica is there', { waitsWithoutReplica: false }],
    ['it shows a commit before it is acknowledged', { waitPoint: 'AFTER_COMMIT' }],
    ['its waiting ends after a time', { timeoutMs: '10000' }],
    ['its waiting ends after eleven days', { timeoutMs: '1000000000' }],
    ['it did not say when its waiting ends', { timeoutMs: '' }],
  ])('says NotLossless when %s although lossless is recorded', (_title, changes) => {
    expect(codes(judge(primaryWith(changes)))).toEqual(['db1:NotLossless']);
  });

  it('warns RunsAsync when the policy wants acknowledgements and none is recorded', () => {
    for (const sync of [null, { ...LOSSLESS, mode: 'async' } as const]) {
      const verdict = judge({}, { sync });
      expect(codes(verdict)).toEqual(['db1:RunsAsync']);
      expect(verdict.state).toBe('warn');
      expect(verdict.sentence).toBe(
        '3 of 3 hosts healthy: no replica acknowledges writes, so the loss of the primary can lose them',
      );
    }
  });

  it('asks for no acknowledgement in a cluster whose policy is async', () => {
    const verdict = judge(primaryWith({ primaryActive: false }), { cluster: { ...SHOP, mode: 'async' }, sync: null });
    expect(verdict.findings).toEqual([]);
  });
});

describe('findings about the VIP and about writers', () => {
  it('says VipMisplaced for every host that holds it beside the primary', () => {
    const verdict = judge({ db3: { helper: helper({ holdsVip: true }) } });
    expect(codes(verdict)).toEqual(['db3:VipMisplaced']);
    expect(verdict.vipHolders).toEqual(['db1', 'db3']);
  });

  it('says VipNowhere when nobody holds it, and not when only the helper of the primary is silent', () => {
    expect(codes(judge({ db1: { helper: helper() } }))).toEqual(['db1:VipNowhere']);
    expect(codes(judge({ db1: { helper: silence() } }))).toEqual(['db1:HelperSilent']);
  });

  it('asks no silent helper who holds the VIP', () => {
    expect(vipHolders(seen({ db1: { helper: silence() } }))).toEqual([]);
  });

  it('says SecondWriter when another host accepts writes', () => {
    const verdict = judge({ db2: { server: answers(replicaStatus(DB2, { readOnly: false })) } });
    expect(codes(verdict)).toContain('db2:SecondWriter');
    expect(verdict.state).toBe('bad');
  });
});

describe('the sentence', () => {
  it('counts a troubled host once and begins with what is bad, not with what is a warning', () => {
    const verdict = judge(
      {
        db2: {
          server: answers(replicaStatus(DB2, { replication: channel({ receiver: 'stopped', applier: 'stopped' }) })),
        },
      },
      { sync: null },
    );
    expect(codes(verdict)).toEqual(['db1:RunsAsync', 'db2:ReceiverStopped', 'db2:ApplierStopped']);
    expect(verdict.sentence).toBe('2 of 3 hosts healthy: the IO thread of db2 is stopped');
  });

  it('calls a host healthy that only has a warning', () => {
    const verdict = judge({}, { lag: [{ host: 'db2', lagMs: 1500, why: null }] });
    expect(verdict).toMatchObject({
      state: 'warn',
      sentence: '3 of 3 hosts healthy: db2 lags 1500 ms, more than 1000 ms',
    });
  });

  it('does not depend on the order in which the hosts answered', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['db1', 'db2', 'db3'], { minLength: 3 }), (order) => {
        const observation = seen({ db3: { server: silence() } }, order);
        expect(judge({}, { observation }).sentence).toBe(
          '2 of 3 hosts healthy: db3 does not answer (no answer in 2 s)',
        );
      }),
    );
  });
});

describe('how many hosts the cluster can lose', () => {
  const lose = (changes: Partial<VerdictInput>): string => judge({}, changes).sentence.replace(/^.*; /, '');
  const TWO = { ...SHOP, hosts: SHOP.hosts.slice(0, 2) };
  const alone = { ...LOSSLESS, ackers: ['db2'] };

  it('is one of three that acknowledge for each other', () => {
    expect(lose({})).toBe('can lose 1');
  });

  it('is none in an async cluster: what only the dead primary had would be missing', () => {
    expect(lose({ cluster: { ...SHOP, mode: 'async' }, sync: null })).toBe('can lose 0');
    expect(lose({ cluster: { ...SHOP, mode: 'async' }, sync: { ...LOSSLESS, mode: 'async' } })).toBe('can lose 0');
  });

  it('is none without a power switch: a host that is gone cannot be proven off over SSH', () => {
    expect(lose({ cluster: { ...SHOP, fence: ['ssh'] } })).toBe('can lose 0');
    expect(lose({ cluster: { ...SHOP, fence: ['powerOff'] } })).toBe('can lose 1');
    expect(lose({ cluster: { ...SHOP, fence: ['ssh', 'revocation'] } })).toBe('can lose 1');
  });

  it('is none with a single acker: without it every write waits', () => {
    const observation = { ...seen({}, ['db1', 'db2']) };
    const witnessed = { ...observation, hosts: [...observation.hosts, witness('wit1')] };
    expect(lose({ cluster: TWO, sync: alone, observation })).toBe('can lose 0');
    expect(lose({ cluster: { ...TWO, witnesses: ['wit1'] }, sync: alone, observation: witnessed })).toBe('can lose 0');
    expect(lose({ sync: alone })).toBe('can lose 0');
  });

  it('is none when whoever is left is never promoted', () => {
    const without = (...names: readonly string[]) => ({
      ...SHOP,
      hosts: SHOP.hosts.map((host) => ({ ...host, promotable: !names.includes(host.name) })),
    });
    expect(lose({ cluster: without('db2', 'db3') })).toBe('can lose 0');
    // A write may be acknowledged by db3 alone.
    expect(lose({ cluster: without('db3') })).toBe('can lose 0');
    expect(lose({ cluster: without('db3'), sync: { ...LOSSLESS, ackers: ['db2'] } })).toBe('can lose 0');
    const { replicas } = judge({}, { cluster: without('db3') });
    expect(replicas.map(({ host, neverPromoted }) => [host, neverPromoted])).toEqual([
      ['db2', undefined],
      ['db3', true],
    ]);
  });

  it('says nothing of losing hosts while a recorded acker does not acknowledge', () => {
    const idle = { ...replicaStatus(DB3).semiSync, replicaActive: false };
    const verdict = judge({ db3: { server: answers(replicaStatus(DB3, { semiSync: idle })) } });
    expect(verdict.findings.map((finding) => finding.code)).toEqual(['AckerSilent']);
    expect(verdict).toMatchObject({ state: 'bad' });
    expect(verdict.sentence).toContain('db3 is recorded to acknowledge writes and does not');
  });

  it('is told while every witness answers, and one that does not is told instead', () => {
    const cluster = { ...TWO, witnesses: ['wit1'] };
    const with1 = (wit1: HostObservation) => {
      const observation = seen({}, ['db1', 'db2']);
      return judge({}, { cluster, sync: alone, observation: { ...observation, hosts: [...observation.hosts, wit1] } });
    };
    expect(with1(witness('wit1'))).toMatchObject({ state: 'ok', sentence: '2 of 2 hosts healthy; can lose 0' });
    const dead = with1(witness('wit1', silence()));
    expect(codes(dead)).toEqual(['wit1:HelperSilent']);
    expect(dead).toMatchObject({
      state: 'bad',
      sentence: '2 of 2 hosts healthy: the host helper of wit1 does not answer (no answer in 2 s)',
    });
  });

  it('is one, not two, of five whose writes wait for one acknowledgement: primary and that acker could go together', () => {
    expect(loseOf({ n: 4, k: 1 })).toBe(1);
    expect(loseOf({ n: 4, k: 2 })).toBe(2);
    expect(loseOf({ n: 4, k: 4 })).toBe(0);
  });

  it('is always survived: a majority, every acknowledged write, and enough ackers are left whichever hosts die', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), (n, k) => {
        fc.pre(k <= n);
        const lost = loseOf({ n, k });
        fc.pre(lost > 0);
        expect(n + 1 - lost).toBeGreaterThanOrEqual(majorityOf(n + 1));
        expect(n - (lost - 1)).toBeGreaterThanOrEqual(n - k + 1);
        expect(n - lost).toBeGreaterThanOrEqual(k);
      }),
    );
  });

  /** A cluster of one primary and n replicas, all of which acknowledge. */
  function loseOf({ n, k }: { readonly n: number; readonly k: number }): number {
    const replicas = Array.from({ length: n }, (_, index) => ({
      ...DB2,
      name: `db${String(index + 2)}`,
      serverId: index + 2,
    }));
    const observed = replicas.map((host) => ({
      host: host.name,
      helper: helper(),
      server: answers(replicaStatus(host)),
      hearsSource: null,
    }));
    const [primary] = SHOP.hosts;
    const verdict = judge(
      {},
      {
        cluster: { ...SHOP, hosts: [...(primary === undefined ? [] : [primary]), ...replicas] },
        observation: { ...seen(), hosts: [healthy('db1'), ...observed] },
        sync: { ...LOSSLESS, ackers: replicas.map((host) => host.name), k },
        lag: [],
      },
    );
    expect(verdict.state).toBe('ok');
    return Number(/can lose (\d+)$/.exec(verdict.sentence)?.[1]);
  }
});
