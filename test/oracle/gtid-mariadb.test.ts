import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GtidSet } from '../../domain/gtid.ts';
import { gtidGap, gtidsPast, parseGtids, renderGtids, unionGtids } from '../../domain/gtid.ts';
import { Oracle } from './server.ts';

const SEED = 20_252;
const NOT_PARSED = 1941;
const SAME_DOMAIN_TWICE = 1943;
const OUT_OF_ORDER = 1950;

const anyKey = fc
  .tuple(fc.constantFrom(0, 1, 7, 4294967295), fc.constantFrom(1, 2, 10, 4294967295))
  .map((key) => key.join('-'));
const anySequence = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: 40n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 53n - 1n, max: 2n ** 53n + 9n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 2n ** 63n - 9n, max: 2n ** 63n - 1n }) },
);
const anyState = fc
  .uniqueArray(fc.tuple(anyKey, anySequence), { selector: ([key]) => key, maxLength: 8 })
  .map((entries): GtidSet => new Map(entries));
/** One entry per domain, as `gtid_slave_pos` has it. */
const anyPosition = fc
  .uniqueArray(fc.tuple(anyKey, anySequence), { selector: ([key]) => key.split('-')[0], maxLength: 3 })
  .map((entries): GtidSet => new Map(entries));

const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number): readonly T[] =>
  fc.sample(arbitrary, { numRuns, seed: SEED });

/** The last entry of every domain in our order, which a server takes for the one that was logged last. */
const lastOfEach = (set: GtidSet): string =>
  renderGtids(
    new Map(
      Object.values(
        Object.fromEntries(
          [...parseGtids(renderGtids(set))].map((entry) => [`d${entry[0].split('-')[0] ?? ''}`, entry]),
        ),
      ),
    ),
  );

describe('MariaDB as the judge of our GTIDs', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await Oracle.mariadb();
    await oracle.connection.query('CREATE DATABASE judge; CREATE TABLE judge.rows (id INT) ENGINE=Aria');
  });
  afterAll(async () => {
    await oracle.stop();
  });
  beforeEach(async () => {
    await oracle.connection.query('RESET MASTER');
  });
  const variable = async (name: string): Promise<string> => (await oracle.row(`SELECT @@GLOBAL.${name}`))[0] ?? '';

  it('takes 1,500 binlog states as we write them, gives the same back, and the position that our order says', async () => {
    for (const state of sample(anyState, 1_500)) {
      const text = renderGtids(state);
      await oracle.connection.query('RESET MASTER; SET GLOBAL gtid_binlog_state = ?', [text]);
      const [said = '', position = ''] = await oracle.row(
        'SELECT @@GLOBAL.gtid_binlog_state, @@GLOBAL.gtid_binlog_pos',
      );
      expect({ text, state: renderGtids(parseGtids(said)), position: renderGtids(parseGtids(position)) }).toEqual({
        text,
        state: text,
        position: lastOfEach(state),
      });
    }
  });

  it('takes 150 positions and gives the same back', async () => {
    for (const position of sample(anyPosition, 150)) {
      const text = renderGtids(position);
      await oracle.connection.query('SET GLOBAL gtid_slave_pos = ?', [text]);
      expect(renderGtids(parseGtids(await variable('gtid_slave_pos')))).toBe(text);
    }
  });

  it('says of 6,000 pairs of positions what the gap says: it compares by sequence alone, whoever wrote', async () => {
    const reached = sample(anyPosition, 60);
    const wanted = sample(fc.tuple(anyPosition, anyPosition), 50).flat();
    const missed: string[] = [];
    for (const position of reached) {
      await oracle.connection.query('SET GLOBAL gtid_slave_pos = ?', [renderGtids(position)]);
      const asked = wanted.map(() => 'MASTER_GTID_WAIT(?, 0)').join(',');
      const said = await oracle.row(`SELECT ${asked}`, wanted.map(renderGtids));
      for (const [index, goal] of wanted.entries())
        if (
          (said[index] === '0') !== (gtidsPast(goal, position).size === 0) ||
          (said[index] === '0') !== (gtidGap(goal, position) === 0)
        )
          missed.push(`${renderGtids(goal)} from ${renderGtids(position)}: ${said[index] ?? ''}`);
    }
    expect(missed).toEqual([]);
  });

  it('lets a transaction follow in its domain only with a greater sequence, whoever wrote it: what a lineage rests on', async () => {
    await oracle.connection.query('SET GLOBAL gtid_strict_mode = 1');
    let state: GtidSet = new Map();
    const outcomes = { taken: 0, refused: 0 };
    const anyWrite = fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 3 }), fc.integer({ min: -3, max: 4 }));
    for (const [domain, server, step] of sample(anyWrite, 600)) {
      const latest = [...state]
        .filter(([key]) => key.startsWith(`${String(domain)}-`))
        .map(([, sequence]) => Number(sequence));
      const sequence = Math.max(1, Math.max(0, ...latest) + step);
      const gtid = parseGtids([domain, server, sequence].join('-'));
      const refusal = await oracle.attempt(
        'SET gtid_domain_id = ?, server_id = ?; SET gtid_seq_no = ?; INSERT INTO judge.rows VALUES (1)',
        [domain, server, sequence],
      );
      const follows = gtidsPast(gtid, state).size > 0;
      if (follows) state = unionGtids(state, gtid);
      outcomes[follows ? 'taken' : 'refused'] += 1;
      expect({ gtid: renderGtids(gtid), refusal }).toEqual({
        gtid: renderGtids(gtid),
        refusal: follows ? 0 : OUT_OF_ORDER,
      });
      expect(renderGtids(parseGtids(await variable('gtid_binlog_state')))).toBe(renderGtids(state));
    }
    expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(100);
  });

  it('has the same limits of what is a number as we have', async () => {
    const anyLimit = fc.constantFrom(
      ...[0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 10n ** 20n].map(
        String,
      ),
      '007',
      '1e3',
      '0x1',
      '',
      '1 ',
    );
    const outcomes = { read: 0, refused: 0 };
    for (const parts of sample(fc.tuple(anyLimit, anyLimit, anyLimit), 700)) {
      const text = parts.join('-');
      const refusal = await oracle.attempt('SET GLOBAL gtid_slave_pos = ?', [text]);
      const theirs = refusal === 0 ? await variable('gtid_slave_pos') : null;
      const ours = readOrRefuse(text);
      outcomes[ours === null ? 'refused' : 'read'] += 1;
      // White space around an entry is ours to forgive.
      if (!text.endsWith(' ')) expect({ text, theirs }).toEqual({ text, theirs: ours });
    }
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(20);
  });

  it.each([
    ['0-1-100 ', NOT_PARSED, '0-1-100'],
    ['0-1-100,', NOT_PARSED, '0-1-100'],
    ['0-1-5,0-1-7', SAME_DOMAIN_TWICE, '0-1-7'],
    ['0-1-5,0-2-7', SAME_DOMAIN_TWICE, '0-1-5,0-2-7'],
    ['0-1', NOT_PARSED, null],
    ['0-1-2-3', NOT_PARSED, null],
    ['0--1-2', NOT_PARSED, null],
    ['x', NOT_PARSED, null],
  ])('refuses "%s" as a position (error %i), where we read %s', async (text, errno, ours) => {
    expect(await oracle.attempt('SET GLOBAL gtid_slave_pos = ?', [text])).toBe(errno);
    expect(readOrRefuse(text)).toBe(ours);
  });
});

function readOrRefuse(text: string): string | null {
  try {
    return renderGtids(parseGtids(text));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
