import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../chaos/blips/judge.ts';
import { judgeBlip, judgeBooks } from '../../chaos/blips/judge.ts';
import { composeBlip, describeBlip } from '../../chaos/blips/plan.ts';
import { controlCell, REFUSED_START, summarise } from '../../chaos/blips/summary.ts';
import type { Outcome } from '../../chaos/report.ts';
import type { HostFacts } from '../../chaos/rounds/outside.ts';
import type { Attempt } from '../../lab/ledger/attempt.ts';

const host = (name: string, isOpen: boolean, epoch = '2 run'): HostFacts => ({
  ...{ host: name, isOn: true, holdsVip: isOpen },
  server: { serverId: Number(name.slice(2)), readOnly: !isOpen, binlogState: '', channels: [] },
  records: { epoch, primary: `${epoch} db1`, sync: '', fenced: '' },
});
const standing = { hosts: [host('db1', true), host('db2', false), host('db3', false)], lastRun: 'prepared' };
const sound: Evidence = {
  fault: null,
  before: standing,
  after: standing,
  operations: [],
  watchFaults: [],
  missing: null,
};
const kindsOf = (change: Partial<Evidence>): readonly string[] =>
  judgeBlip({ ...sound, ...change }).map(({ kind }) => kind);

describe('the verdict on a blip', () => {
  test('is silent when nothing that lasts has changed', () => {
    expect(judgeBlip(sound)).toEqual([]);
  });

  test.each(['failed-over', 'it still runs', 'reopened', 'failover of shop failed; undone: receivers of db2'])(
    'is a false failover when one was started that ended "%s"',
    (ending) => {
      expect(kindsOf({ operations: [{ type: 'failover', ending }] })).toEqual(['false failover']);
    },
  );

  test('spares a failover that refused itself, as long as the records are as before', () => {
    const operations = [
      { type: 'failover', ending: 'db1 is alive: the primary answers and accepts writes. Nothing was changed.' },
    ];
    expect(kindsOf({ operations })).toEqual([]);
    const hosts = [host('db1', true, '3 run'), ...standing.hosts.slice(1)];
    expect(kindsOf({ operations, after: { ...standing, hosts } })).toEqual(['epoch', 'epoch']);
  });

  test('is a false failover when somebody else accepts writes, whatever Temporal knows of it', () => {
    const hosts = [host('db1', false), host('db2', true), host('db3', false)];
    expect(kindsOf({ after: { ...standing, hosts } })).toEqual(['false failover']);
  });

  test('is a false failover when two accept writes, or nobody does', () => {
    for (const open of [true, false]) {
      const hosts = [host('db1', open), host('db2', open), host('db3', false)];
      expect(kindsOf({ after: { ...standing, hosts } })).toEqual(['false failover']);
    }
  });

  test('names another operation that nobody asked for', () => {
    expect(kindsOf({ operations: [{ type: 'preparePrimary', ending: 'prepared' }] })).toEqual(['operation']);
  });

  test('names each record that a host has otherwise than before, one that cannot be read too', () => {
    const raised = [host('db1', true, '3 other'), host('db2', false), host('db3', false)];
    expect(kindsOf({ after: { ...standing, hosts: raised } })).toEqual(['epoch', 'epoch']);
    const unread = [host('db1', true), { ...host('db2', false), records: null }, host('db3', false)];
    expect(kindsOf({ after: { ...standing, hosts: unread } })).toEqual(['epoch', 'epoch']);
  });

  test('names a cluster that is not whole again, a fault of the watch, and a blip that could not be made', () => {
    expect(judgeBlip({ ...sound, missing: 'nobody watches' })).toEqual([{ kind: 'not whole', what: 'nobody watches' }]);
    expect(kindsOf({ watchFaults: ['the watch ended'] })).toEqual(['watch fault']);
    expect(kindsOf({ fault: 'no mariadbd runs on db1' })).toEqual(['not played']);
  });
});

describe('the books of some rounds', () => {
  const write = (token: string, sentAt: number, serverId = 1): Attempt => ({
    ...{ token, sentAt, serverId, route: 'vip', endedAt: sentAt + 1, outcome: 'ack' },
  });
  const windows = [
    { round: 7, fromUs: 100 },
    { round: 8, fromUs: 200 },
  ];
  const judged = (attempts: readonly Attempt[], onPrimary: readonly string[]): readonly string[] =>
    judgeBooks({ attempts, onPrimary, primary: 1 }, windows).map(({ round, kind }) => `${String(round)} ${kind}`);

  test('are in order when every acknowledged write is there and one server has acknowledged all', () => {
    const refused: Attempt = { token: '3', route: 'db2', sentAt: 150, endedAt: 151, outcome: 'refused' };
    expect(judged([write('1', 50), write('2', 250), refused], ['1', '2'])).toEqual([]);
  });

  test('put a write that is lost down to the round in which it was sent', () => {
    expect(judged([write('1', 50), write('2', 150), write('3', 250)], ['2', '3'])).toEqual(['7 lost write']);
    expect(judged([write('1', 150), write('2', 250), write('3', 260)], ['1'])).toEqual(['8 lost write']);
  });

  test('put a write that another server acknowledged down to its round', () => {
    expect(judged([write('1', 150), write('2', 250, 2)], ['1', '2'])).toEqual(['8 other writer']);
  });
});

describe('the summary', () => {
  const blips = [1, 2, 3].map((round) => composeBlip({ seed: 5, round }));
  const outcome = (cell: string, broken: readonly string[], ending = ''): Outcome => ({
    ...{ cell, broken, ending, evidence: '', seconds: 1, at: '' },
  });
  const summaryOf = (outcomes: readonly Outcome[]) =>
    summarise({ outcomeOf: (cell) => outcomes.find((one) => one.cell === cell) }, { seed: 5, blips });
  const cells = blips.map(describeBlip);

  test('counts a round with two signs of a false failover once, and names both', () => {
    const [first = '', second = '', third = ''] = cells;
    const summary = summaryOf([
      outcome(first, ['false failover: started', 'false failover: db2']),
      outcome(second, ['not whole: lag']),
      outcome(third, [], REFUSED_START),
      outcome(controlCell(5), [], 'db2 took over'),
    ]);
    expect(summary).toMatchObject({
      rounds: 3,
      seed: 5,
      falseFailovers: 1,
      refusedStarts: 1,
      control: 'db2 took over',
    });
    expect(summary.violations).toHaveLength(3);
    expect(Object.values(summary.kinds)).toEqual([1, 1, 1]);
  });

  test('counts only what was played, and has a violation when the real death went unnoticed', () => {
    const summary = summaryOf([outcome(cells[0] ?? '', []), outcome(controlCell(5), ['nobody took its place'])]);
    expect(summary).toMatchObject({ rounds: 1, falseFailovers: 0 });
    expect(summary.violations).toEqual([`${controlCell(5)}: nobody took its place`]);
  });
});
