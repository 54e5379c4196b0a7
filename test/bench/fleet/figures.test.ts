import { describe, expect, it } from 'vitest';
import { ticksIn } from '../../../bench/fleet/cpu.ts';
import { doubts } from '../../../bench/fleet/figures.ts';
import { Looks } from '../../../bench/fleet/looks.ts';
import { membersOf, MOST_CLUSTERS, networkOf } from '../../../bench/fleet/members.ts';
import { total, writesIn } from '../../../bench/fleet/server-writes.ts';
import type { Transition } from '../../../domain/watch.ts';

const members = membersOf(1);
const LOOK = { pattern: 'look', counts: 'probe' } as const;

/** Every host looked at once a second from 0 to 10 s; `skips` says which look is left out. */
function looksWith(skips: (host: number, second: number) => boolean): Looks {
  const looks = new Looks(members.length);
  looks.begin(0);
  for (let second = 0; second <= 10; second += 1)
    for (const [host, { role }] of members.entries()) {
      if (skips(host, second)) continue;
      looks.probed(host, 1_000 * second);
      looks.asked({ role, text: `look of a ${role}` }, LOOK, 1_000 * second);
    }
  return looks;
}

describe('the books of the looks', () => {
  it('have the period at which every host was looked at, and what it was asked', () => {
    const looks = looksWith(() => false);
    looks.asked({ role: 'primary', text: 'now and then' }, { pattern: 'rare', counts: 'aside' }, 5_000);
    const looked = looks.end(10_500, members);
    expect(looked).toMatchObject({ probes: 33, writes: 0, periodMs: { p50: 1_000, max: 1_000 } });
    expect(looked.usual).toEqual([
      { role: 'primary', text: 'look of a primary' },
      { role: 'replica', text: 'look of a replica' },
    ]);
  });

  it('count a host that is looked at no more, and one that never was, with the time since', () => {
    const looked = looksWith((host, second) => host === 1 || (host === 2 && second > 4)).end(10_500, members);
    expect(looked.periodMs).toMatchObject({ p50: 1_000, max: 10_500 });
    expect(looksWith(() => true).end(10_500, members).periodMs.p50).toBe(10_500);
  });

  it('leave out what came before the interval, and count rows that are written in it', () => {
    const looks = new Looks(1);
    looks.probed(0, 500);
    looks.asked({ role: 'primary', text: 'beat' }, { pattern: 'beat', counts: 'write' }, 500);
    looks.begin(1_000);
    looks.probed(0, 1_500);
    looks.asked({ role: 'primary', text: 'beat' }, { pattern: 'beat', counts: 'write' }, 1_500);
    expect(looks.end(2_000, members)).toMatchObject({ probes: 1, writes: 1, periodMs: { max: 1_000 } });
  });
});

describe('the doubts', () => {
  const well = (host: string, code: string): Transition => ({
    ...{ cluster: 'c0000', host, code, at: '2026-11-27T03:00:00.000Z', explains: '', reaction: '' },
  });
  const told = [well('db1', 'PrimaryServes'), well('db2', 'Replicates'), well('db3', 'Replicates')];
  const looked = looksWith(() => false).end(10_500, members);
  const seen = { looked, members, periodMs: 1_000, told, toldBefore: told.length };

  it('are none when all is well', () => {
    expect(doubts(seen)).toEqual([]);
  });

  it('name a host that is not seen well, or of which nothing is told', () => {
    expect(doubts({ ...seen, told: told.slice(1), toldBefore: 2 })).toEqual([
      'hosts that are well are not seen so: c0000/db1 (nothing was told)',
    ]);
  });

  it('name what was told in the interval, though it passed', () => {
    const flicker = [...told, well('db2', 'ReplicaSilent'), well('db2', 'Replicates')];
    expect(doubts({ ...seen, told: flicker })).toEqual([
      'something was told of clusters to which nothing happens: c0000/db2 (ReplicaSilent), c0000/db2 (Replicates)',
    ]);
  });

  it('name late looks and unknown statements', () => {
    const late = looksWith((_, second) => second % 3 !== 0).end(10_500, members);
    const reasons = doubts({ ...seen, looked: { ...late, unknown: ['the statement SELECT 2'] } });
    expect(reasons).toEqual([
      'the simulated hosts do not know the statement SELECT 2',
      'looks are late: p99 3000 ms between two at a period of 1000 ms',
    ]);
  });
});

it('writes of the Temporal server are told from what it reads, and added up by operation', () => {
  const writes = writesIn(
    [
      '# TYPE persistence_requests counter',
      'persistence_requests{namespace="default",operation="UpdateWorkflowExecution",service_name="history"} 5',
      'persistence_requests{namespace="other",operation="UpdateWorkflowExecution",service_name="history"} 2',
      'persistence_requests{namespace="default",operation="GetTasks",service_name="matching"} 70',
      'persistence_requests{operation="CreateTasks",service_name="matching"} 1e+01',
      'persistence_latency_count{operation="UpdateWorkflowExecution"} 9',
    ].join('\n'),
  );
  expect([...writes]).toEqual([
    ['UpdateWorkflowExecution', 7],
    ['CreateTasks', 10],
  ]);
  expect(total(writes)).toBe(17);
});

it('processor time is read also when the name of the program has parentheses and blanks', () => {
  expect(ticksIn('4711 (node (a) b) S 1 4711 4711 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 11 0 1 2 3')).toBe(300);
});

it('every host has an address of its own on the loopback', () => {
  const addresses = membersOf(600).map((one) => one.address);
  expect(new Set(addresses).size).toBe(1_800);
  expect([addresses[0], addresses[1_799]]).toEqual(['127.10.0.1', '127.12.87.3']);
  expect(networkOf(MOST_CLUSTERS - 1)).toBe('127.255.255');
});
