import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAttempts, type Attempt } from '../../lab/ledger/attempt.ts';
import { takeId } from '../../lab/ledger/ledger.ts';
import { judge } from '../../lab/ledger/verdict.ts';

/** An acknowledgement of a write that took one millisecond, ending at `endMs`. */
function ack(token: number, serverId: number, endMs: number): Attempt {
  return {
    token: String(token),
    route: 'vip',
    serverId,
    sentAt: (endMs - 1) * 1000,
    endedAt: endMs * 1000,
    outcome: 'ack',
  };
}

function through(route: string, attempt: Attempt): Attempt {
  return { ...attempt, route };
}

function tokens(attempts: readonly Attempt[]): readonly string[] {
  return attempts.map((attempt) => attempt.token);
}

describe('what became of acknowledged writes', () => {
  const attempts: readonly Attempt[] = [
    ack(1, 1, 10),
    ack(2, 1, 20),
    { token: '3', route: 'vip', sentAt: 30_000, endedAt: 31_000, outcome: 'unknown' },
    {
      token: '4',
      route: 'db2',
      sentAt: 30_000,
      endedAt: 31_000,
      outcome: 'refused',
      code: 'ER_OPTION_PREVENTS_STATEMENT',
    },
  ];

  it('finds nothing wrong when every acknowledged write is there once', () => {
    expect(judge({ attempts, onPrimary: ['1', '2'] })).toMatchObject({
      ...{
        acknowledged: 2,
        present: 2,
        lost: [],
        duplicated: [],
        refusedButPresent: [],
        unknown: 1,
        unknownPresent: 0,
        twoWriters: [],
      },
    });
  });

  it('names each acknowledged write that is missing', () => {
    expect(judge({ attempts, onPrimary: ['1'] })).toMatchObject({ acknowledged: 2, present: 1, lost: ['2'] });
  });

  it('names a write that is there twice', () => {
    expect(judge({ attempts, onPrimary: ['1', '2', '2'] }).duplicated).toEqual(['2']);
  });

  it('names a refused write that is there all the same', () => {
    expect(judge({ attempts, onPrimary: ['1', '2', '4'] }).refusedButPresent).toEqual(['4']);
  });

  it('allows a write of unknown outcome to be there or not', () => {
    expect(judge({ attempts, onPrimary: ['1', '2', '3'] })).toMatchObject({ unknown: 1, unknownPresent: 1, lost: [] });
  });
});

describe('two writers', () => {
  const violations = (attempts: readonly Attempt[], succession?: readonly number[]): readonly string[] =>
    judge({
      attempts,
      onPrimary: tokens(attempts),
      ...(succession === undefined ? {} : { succession }),
    }).twoWriters.map((one) => one.token);

  it('accepts one change of primary', () => {
    expect(violations([ack(1, 1, 10), ack(2, 1, 20), ack(3, 2, 30), ack(4, 2, 40)])).toEqual([]);
  });

  it('sees acknowledgements that interleave', () => {
    expect(
      violations([ack(1, 1, 10), through('db2', ack(2, 2, 20)), ack(3, 1, 30), through('db2', ack(4, 2, 40))]),
    ).toEqual(['3']);
  });

  it('sees the old primary acknowledge on its own socket long after the change', () => {
    expect(violations([ack(1, 1, 10), ack(2, 2, 20), ack(3, 2, 900), through('db1/socket', ack(4, 1, 1000))])).toEqual([
      '4',
    ]);
  });

  it('sees the third server acknowledge during the reign of the second, and then blames the second', () => {
    expect(violations([ack(1, 1, 10), ack(2, 2, 20), ack(3, 3, 30), ack(4, 2, 40)])).toEqual(['4']);
  });

  it('does not take the late reading of an acknowledgement for a late acknowledgement', () => {
    const lateReading: Attempt = {
      token: '2',
      route: 'db1',
      serverId: 1,
      sentAt: 15_000,
      endedAt: 60_000,
      outcome: 'ack',
    };
    expect(violations([ack(1, 1, 10), lateReading, ack(3, 2, 30)])).toEqual([]);
  });

  it('accepts a return only when it was meant', () => {
    const thereAndBack = [ack(1, 1, 10), ack(2, 2, 20), ack(3, 1, 30)];
    expect(violations(thereAndBack)).toEqual(['3']);
    expect(violations(thereAndBack, [1, 2, 1])).toEqual([]);
  });

  it('sees interleaving after a meant return', () => {
    expect(violations([ack(1, 1, 10), ack(2, 2, 20), ack(3, 1, 30), ack(4, 2, 40)], [1, 2, 1])).toEqual(['4']);
  });

  it('sees a server acknowledge that was never meant to', () => {
    expect(violations([ack(1, 1, 10), ack(2, 3, 20)], [1, 2])).toEqual(['2']);
  });

  it('does not depend on the order in which the ledgers are read', () => {
    const attempts = [ack(1, 1, 10), ack(2, 2, 20), ack(3, 1, 30), ack(4, 2, 40), ack(5, 1, 50)];
    fc.assert(
      fc.property(fc.shuffledSubarray(attempts, { minLength: attempts.length }), (shuffled) => {
        expect(violations(shuffled)).toEqual(['3', '5']);
      }),
    );
  });

  it('finds every write of a deposed server, wherever the change was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), (before, after) => {
        const old = Array.from({ length: before }, (_, index) => ack(index, 1, 10 + index));
        const change = ack(1000, 2, 10 + before);
        const late = Array.from({ length: after }, (_, index) => ack(2000 + index, 1, 20 + before + index));
        expect(violations([...late, change, ...old])).toEqual(tokens(late));
      }),
    );
  });
});

describe('the write outage', () => {
  const attempts = [ack(1, 1, 10), ack(2, 1, 20), ack(3, 1, 24), ack(4, 2, 320), ack(5, 2, 330)];

  it('lasts from the fault to the first write that the successor accepts through the VIP', () => {
    expect(judge({ attempts, onPrimary: tokens(attempts), faultAt: 21_000 }).writeOutageMs).toBe(299);
  });

  it('does not end with what is written to a host by its own address', () => {
    const direct = [...attempts, through('db2', ack(6, 2, 100))];
    expect(judge({ attempts: direct, onPrimary: tokens(direct), faultAt: 21_000 }).writeOutageMs).toBe(299);
  });

  it('ends, when the same server comes back, after the longest silence', () => {
    const same = [ack(1, 1, 10), ack(2, 1, 20), ack(3, 1, 24), ack(4, 1, 320), ack(5, 1, 330)];
    expect(judge({ attempts: same, onPrimary: tokens(same), faultAt: 21_000 }).writeOutageMs).toBe(299);
  });

  it('is absent when nothing was accepted after the fault', () => {
    expect(judge({ attempts, onPrimary: tokens(attempts), faultAt: 400_000 })).not.toHaveProperty('writeOutageMs');
  });

  it('shows the longest silence through the VIP', () => {
    expect(judge({ attempts, onPrimary: tokens(attempts) }).largestVipGapMs).toBe(296);
  });
});

describe('a ledger file', () => {
  it('may end in half a line: that write was cut off with its writer', () => {
    const whole = JSON.stringify(ack(1, 1, 10));
    expect(readAttempts(`${whole}\n${whole.slice(0, 20)}`)).toEqual([ack(1, 1, 10)]);
  });

  it('may be empty', () => {
    expect(readAttempts('')).toEqual([]);
  });
});

it('a ledger never gets the number of an earlier one, whose books would be taken for its own', () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'standfast-ledger-'));
  const draws = [7, 7, 7, 8];
  try {
    expect(takeId(path.join(parent, 'ledger'), () => draws.shift() ?? 0)).toBe(7);
    expect(takeId(path.join(parent, 'ledger'), () => draws.shift() ?? 0)).toBe(8);
    expect(draws).toEqual([]);
  } finally {
    rmSync(parent, { recursive: true });
  }
});
