import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditFacts } from '../../../domain/audit/facts.ts';
import { notSeen, seen } from '../../../domain/audit/facts.ts';
import { judgeAudit, NOT_SEEN } from '../../../domain/audit/report.ts';
import { RULES } from '../../../domain/audit/rules.ts';
import { BREAKAGES } from './breakages.ts';
import {
  HEALTHY,
  hide,
  keepalived,
  server,
  SIGHTS,
  withHost,
  withInstances,
  withMachine,
  withServer,
  withStatus,
} from './facts.ts';

const rulingsOf = (code: string, facts: AuditFacts) => RULES.find((rule) => rule.code === code)?.judge(facts) ?? [];
const kindsOf = (code: string, facts: AuditFacts) => rulingsOf(code, facts).map(({ kind }) => kind);

test('a shop in good order has nothing to mend, and every rule was judged', () => {
  const report = judgeAudit(HEALTHY);
  expect(report.findings).toEqual([]);
  expect(report.sentence).toBe('shop: nothing to mend was found');
  expect(report.judged).toBeGreaterThanOrEqual(RULES.length);
});

test('every rule has a cluster that breaks it', () => {
  expect(BREAKAGES.map(([code]) => code)).toEqual(RULES.map(({ code }) => code));
  expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
});

test.each([
  { of: 'its own', mostConnections: 149, server: '0', found: [] },
  {
    of: 'its own, too high',
    mostConnections: 150,
    server: '0',
    found: ['accounts of applications may take 150 of 151 connections'],
  },
  { of: 'the server', mostConnections: 0, server: '100', found: [] },
  { of: 'nobody', mostConnections: 0, server: '0', found: ['each of app@10.0.0.% may take all 151 connections'] },
])('replicas find a connection by a limit of $of', ({ mostConnections, server: most, found }) => {
  const { accounts, settings } = server('db1');
  const facts = withServer('db1', {
    accounts: accounts.map((one) => (one.user === 'app' ? { ...one, mostConnections } : one)),
    settings: { ...settings, max_user_connections: most },
  });
  const findings = judgeAudit(facts).findings.filter(({ code }) => code === 'AckersLockedOut');
  expect(findings.map((one) => one.found)).toEqual(found);
});

describe('a rule', () => {
  test.each(BREAKAGES)('%s says where, what was found and how to mend it', (code, facts, where, found) => {
    const findings = judgeAudit(facts).findings.filter((one) => one.code === code);
    expect(findings).toContainEqual(
      expect.objectContaining({ where, found: expect.stringMatching(found), fix: expect.stringMatching(/./) }),
    );
    for (const { fix, expected } of findings) {
      expect(fix).not.toMatch(/CLUSTER|PRIMARY\b(?! KEY)|HOST/);
      expect(expected).not.toBe('');
    }
    expect(kindsOf(code, HEALTHY)).not.toContain('broken');
  });

  test('that is broken never passes because something was not seen', () => {
    fc.assert(
      fc.property(fc.constantFrom(...BREAKAGES.keys()), fc.subarray([...SIGHTS]), (index, hidden) => {
        const [code, facts] = BREAKAGES[index] ?? ['', HEALTHY];
        const kinds = kindsOf(code, hide(facts, hidden));
        expect(kinds.includes('broken') || kinds.includes('not-seen')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of a place says the same whatever else could not be seen, or that it does not know', () => {
    fc.assert(
      fc.property(fc.constantFrom(...RULES), fc.subarray([...SIGHTS]), ({ judge }, hidden) => {
        const whole = judge(HEALTHY);
        const part = judge(hide(HEALTHY, hidden));
        expect(part.map(({ where }) => where)).toEqual(whole.map(({ where }) => where));
        for (const [index, ruling] of part.entries()) expect([whole[index]?.kind, 'not-seen']).toContain(ruling.kind);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('one host that says nothing is one finding for each thing, with the rules that it leaves open', () => {
  const { findings, sentence } = judgeAudit(hide(HEALTHY, ['db2.server']));
  const unseen = findings.filter(({ code }) => code === NOT_SEEN);
  expect(unseen).toContainEqual(
    expect.objectContaining({
      where: 'db2',
      severity: 'warn',
      found: 'its database server was not seen (no answer)',
      expected: expect.stringContaining('ServerIdShared, '),
    }),
  );
  expect(sentence).toContain('not seen');
});

test('a witness has no database, and is asked for what it has', () => {
  const [first] = HEALTHY.hosts;
  if (first === undefined) throw new Error('the shop has hosts');
  const none = notSeen('it is a witness');
  const witness = {
    ...{
      ...first,
      host: 'w1',
      isDatabase: false,
      machine: seen({ ...machineOf(HEALTHY), machineId: 'machine-w1', bootedAtSeconds: 1, addresses: [] }),
    },
    ...{ server: none, nextStart: none, keepalived: none, backup: none },
  };
  const facts = { ...HEALTHY, hosts: [...HEALTHY.hosts, witness] };
  expect(judgeAudit(facts).findings).toEqual([]);
  expect(judgeAudit(hide(facts, [])).judged).toBeGreaterThan(judgeAudit(HEALTHY).judged);
});

test('a setting that a server does not say is not taken for good', () => {
  const silent = withServer('db2', { settings: {} });
  for (const code of ['RelayLogRecovery', 'RelayLogsKept', 'DeadLinkUnnoticed', 'DeadlockStops', 'BinlogRetention'])
    expect([code, kindsOf(code, silent)]).toEqual([code, ['met', 'not-seen', 'met']]);
});

test('without a known primary no server is taken for one', () => {
  const open = hide(withStatus('db2', { readOnly: false }), ['primary']);
  expect(kindsOf('ReplicaOpen', open)).toEqual(['not-seen', 'not-seen', 'not-seen']);
});

describe('keepalived', () => {
  test('whose files cannot be understood, or include others that were not read, passes no rule', () => {
    for (const gap of [{ faults: ['x:1: odd'] }, { unread: ['/opt/vip.conf'] }]) {
      const facts = withHost('db2', { keepalived: seen(keepalived('db2', {}, gap)) });
      expect(kindsOf('KeepalivedElects', facts)).toEqual(['met', 'not-seen', 'met']);
      expect(kindsOf('VipUnguarded', facts)).toEqual(['met', 'not-seen', 'met']);
    }
  });

  test.each([
    [2, 101, 100, 'met'],
    [1, 101, 100, 'broken'],
    [-50, 150, 100, 'broken'],
    [-51, 150, 100, 'met'],
    [0, 150, 100, 'met'],
  ])('of a weight %i between the priorities %i and %i is %s', (weight, first, second, kind) => {
    const tracked = { trackedFiles: [], trackedScripts: [{ name: 'chk', weight: null }] };
    const facts = withInstances(
      { db1: { ...tracked, priority: first }, db2: { ...tracked, priority: second }, db3: { ...tracked, priority: 1 } },
      { scripts: [{ name: 'chk', command: '/x', weight }] },
    );
    expect(rulingsOf('WeightChangesNothing', facts)[0]?.kind).toBe(kind);
  });

  test('that stands while its server is down cannot be told to look for the wrong name', () => {
    const tracked = { trackedScripts: [{ name: 'chk', weight: null }] };
    const scripts = { scripts: [{ name: 'chk', command: 'killall -0 mysqld', weight: 2 }] };
    const facts = withInstances({ db1: tracked }, scripts);
    const stopped = { ...withMachine('db1', { serverProgram: '' }), hosts: facts.hosts };
    expect(kindsOf('CheckNeverMatches', stopped)[0]).toBe('broken');
    const both = withHost('db1', { machine: seen({ ...machineOf(facts), serverProgram: '' }) }, facts);
    expect(kindsOf('CheckNeverMatches', both)[0]).toBe('not-seen');
  });
});

function machineOf({ hosts: [first] }: AuditFacts) {
  if (first?.machine.kind !== 'seen') throw new Error('the machine of db1 is seen');
  return first.machine.value;
}

test('members that booted in the same second are one machine, those a minute apart are not', () => {
  expect(kindsOf('SameMachine', HEALTHY)).toEqual(['met', 'met', 'met']);
  expect(kindsOf('SameMachine', withMachine('db2', { bootedAtSeconds: 1_700_000_061 }))).toEqual([
    'broken',
    'broken',
    'met',
  ]);
});
