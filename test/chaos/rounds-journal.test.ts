import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ending } from '../../chaos/rounds/ending.ts';
import { Journal } from '../../chaos/rounds/journal.ts';
import { composeRound } from '../../chaos/rounds/plan.ts';
import type { Round } from '../../chaos/rounds/round.ts';
import { describeRound, summarise } from '../../chaos/rounds/summary.ts';

const ending: Ending = {
  ...{ operation: 'failover', kind: 'failed-over', type: 'failed-over', sentence: '', changed: true },
  ...{ newPrimary: 'db2', oldPrimary: 'db1', loss: null, setAside: null, tookMs: 2000, runId: null },
};

const answer = { by: 'Kari', reason: 'test', fence: true, loss: 'unknown' } as const;
const removed: Ending = { ...ending, operation: 'acker remove db3', kind: 'done', type: 'removed' };

const played = (round: number, change: Partial<Round> = {}): Round => ({
  ...{ plan: composeRound({ seed: 7, round, mode: 'lossless' }), ending, remedies: [], primary: 'db2', out: ['db1'] },
  faults: [
    { fault: 'kill db1', kind: 'kill', endsPrimary: true, host: 'db1', madeAtMs: 5, healedAtMs: 90, why: null },
    {
      fault: 'errant db3',
      kind: 'errant',
      endsPrimary: false,
      host: 'db3',
      madeAtMs: null,
      healedAtMs: null,
      why: 'gone',
    },
  ],
  ledger: {
    ...{ acknowledged: 10, present: 10, lost: [], duplicated: [], refusedButPresent: [], unknown: 0 },
    ...{ unknownPresent: 0, twoWriters: [], largestVipGapMs: 1, writeOutageMs: round * 100 },
  },
  ...{
    accepted: [],
    afterwards: [],
    byThemselves: [],
    compared: { db1: 12 },
    violations: [],
    tookMs: 20_000,
    phasesMs: [8000, 6000, 4000, 2000],
  },
  ...change,
});

describe('the journal of rounds', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'rounds-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('knows in the next campaign what was played in this one, by seed, round and mode', () => {
    const first = new Journal(folder);
    first.add(played(1));
    first.add(played(2));
    const next = new Journal(folder);
    expect(next.roundOf({ seed: 7, round: 2, mode: 'lossless' })).toEqual(played(2));
    expect(next.roundOf({ seed: 7, round: 3, mode: 'lossless' })).toBeUndefined();
    expect(next.roundOf({ seed: 7, round: 2, mode: 'async' })).toBeUndefined();
    expect(next.roundOf({ seed: 8, round: 2, mode: 'lossless' })).toBeUndefined();
  });

  test('plays a round again of which only half a line was written', () => {
    new Journal(folder).add(played(1));
    const file = path.join(folder, 'rounds.jsonl');
    appendFileSync(file, JSON.stringify(played(2)).slice(0, 40));
    const next = new Journal(folder);
    expect(next.roundOf({ seed: 7, round: 1, mode: 'lossless' })).toBeDefined();
    expect(next.roundOf({ seed: 7, round: 2, mode: 'lossless' })).toBeUndefined();
    next.add(played(2));
    expect(new Journal(folder).roundOf({ seed: 7, round: 2, mode: 'lossless' })).toEqual(played(2));
    expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
  });
});

describe('the summary of a campaign', () => {
  test('counts rounds, endings, made faults and violations, and measures outages', () => {
    const broken = { invariant: 'I2', what: 'two writers' };
    const rounds = [
      played(1),
      played(2, { violations: [broken], accepted: [answer], afterwards: [removed] }),
      played(3, { ending: { ...ending, kind: 'refused' }, compared: { db1: null } }),
    ];
    expect(summarise(rounds)).toMatchObject({
      ...{
        rounds: 3,
        violations: 1,
        seeds: [7],
        lossless: 3,
        async: 0,
        acknowledged: 30,
        lost: 0,
        compared: 24,
        unread: 1,
        accepted: 1,
        afterwards: { 'acker remove: removed': 1 },
      },
      ...{ endings: { 'failed-over': 2, refused: 1 }, faults: { kill: 3 }, failed: ['lossless 7/2'] },
      ...{ writeOutageMs: { p50: 200, p90: 200, max: 200 }, roundMs: { p50: 20_000, p90: 20_000, max: 20_000 } },
    });
    expect(summarise([])).toMatchObject({ rounds: 0, violations: 0, writeOutageMs: null, roundMs: null });
  });

  test('says of a round what was made, what was not, and each violation', () => {
    const text = describeRound(played(2, { violations: [{ invariant: 'I2', what: 'two writers' }] }));
    expect(text).toContain('lossless 7/2  [kill db1; (errant db3: not made)]');
    expect(text).toContain('VIOLATION I2: two writers');
    expect(text).toContain('db1 compared (12 writes)');
    const answered = describeRound(played(2, { accepted: [answer], afterwards: [removed] }));
    expect(answered).toContain('accepted fence, loss unknown), then acker remove db3 removed');
    expect(describeRound(played(2, { compared: { db1: null } }))).toContain('db1 not read');
  });
});
