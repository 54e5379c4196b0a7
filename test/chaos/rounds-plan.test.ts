import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, entryOf } from '../../chaos/rounds/catalogue.ts';
import { Chance } from '../../chaos/rounds/chance.ts';
import type { Plan } from '../../chaos/rounds/plan.ts';
import { composeRound, describeFault, hostsHit } from '../../chaos/rounds/plan.ts';

const name = fc.record({
  seed: fc.nat(),
  round: fc.nat(),
  mode: fc.constantFrom('lossless' as const, 'async' as const),
});
const many = (mode: Plan['mode']): readonly Plan[] =>
  Array.from({ length: 600 }, (_, index) => composeRound({ seed: 4, round: index + 1, mode }));

describe('the composition of a round', () => {
  test('is the same for the same seed, round and mode, whatever was composed before', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const first = composeRound(one);
        composeRound(other);
        expect(composeRound(one)).toEqual(first);
      }),
    );
  });

  test('differs from round to round and from mode to mode', () => {
    const plans = many('lossless').map(({ faults }) => JSON.stringify(faults));
    expect(new Set(plans).size).toBeGreaterThan(590);
    expect(composeRound({ seed: 4, round: 1, mode: 'async' }).faults).not.toEqual(many('lossless')[0]?.faults);
  });

  test('has one to four faults, none of them twice on one host, each with the length that its kind allows', () => {
    fc.assert(
      fc.property(name, (one) => {
        const { faults } = composeRound(one);
        expect(faults.length).toBeGreaterThanOrEqual(1);
        expect(faults.length).toBeLessThanOrEqual(4);
        expect(new Set(faults.map(({ kind, host }) => `${kind} ${host ?? ''}`)).size).toBe(faults.length);
        for (const { kind, lastsMs } of faults) {
          const { lasts, mayLast } = entryOf(kind);
          if (lasts === null) expect(lastsMs).toBeNull();
          else if (lastsMs === null) expect(mayLast).toBe(true);
          else expect(lastsMs).toBeGreaterThanOrEqual(lasts[0]);
        }
      }),
    );
  });

  test('calls for the failover after everything that comes before it', () => {
    fc.assert(
      fc.property(name, (one) => {
        const { faults, failoverAtMs } = composeRound(one);
        for (const { when } of faults) if (when.after === 'begin') expect(when.ms).toBeLessThan(failoverAtMs);
      }),
    );
  });

  test('uses every kind of fault, at every host that it may hit', () => {
    const faults = [...many('lossless'), ...many('async')].flatMap((plan) => plan.faults);
    for (const { kind, roles } of CATALOGUE) {
      const hit = new Set(faults.filter((fault) => fault.kind === kind).map(({ host }) => host));
      expect([...hit].sort()).toEqual(
        roles.length === 0
          ? [null]
          : roles.map((role) => ({ primary: 'db1', candidate: 'db2', other: 'db3' })[role]).sort(),
      );
    }
  });

  test('hits the primary in most rounds, and spares it in some', () => {
    const share = (plans: readonly Plan[]): number =>
      plans.filter(({ faults }) => faults.some(({ kind, host }) => host === 'db1' && entryOf(kind).endsPrimary))
        .length / plans.length;
    expect(share(many('lossless'))).toBeGreaterThan(0.8);
    expect(share(many('lossless'))).toBeLessThan(0.95);
  });

  test('lets a person answer in about every second round, and does everything with clusters that are well again', () => {
    const plans = [...many('lossless'), ...many('async')];
    const share = plans.filter(({ isAnswered }) => isAnswered).length / plans.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
    const kinds = new Set(plans.map(({ afterwards }) => afterwards.join()));
    expect([...kinds].sort()).toEqual(['', 'acker', 'acker,rejoin', 'rejoin', 'rejoin,acker']);
    expect(new Set(plans.map(({ settings }) => settings.salvage))).toEqual(new Set(['apply', 'quarantine']));
  });

  test('names both ends of a cut among the hosts that are hit', () => {
    const plan: Plan = {
      ...composeRound({ seed: 1, round: 1, mode: 'lossless' }),
      faults: [
        { kind: 'one-way-cut', host: 'db2', peer: 'db1', when: { after: 'begin', ms: 3 }, lastsMs: null },
        { kind: 'temporal-kill', host: null, peer: null, when: { after: 'failover', ms: 7 }, lastsMs: 200 },
      ],
    };
    expect([...hostsHit(plan)].sort()).toEqual(['db1', 'db2']);
    expect(plan.faults.map(describeFault)).toEqual([
      'one-way-cut db2→db1 @begin+3 for long',
      'temporal-kill @failover+7 for 200 ms',
    ]);
  });
});

describe('chance', () => {
  test('spreads evenly', () => {
    const chance = new Chance('a seed');
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw += 1) {
      const number = chance.between(0, 9);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('chooses by weight', () => {
    const chance = new Chance('another');
    const choices = [
      { name: 'often', weight: 9 },
      { name: 'seldom', weight: 1 },
    ];
    const seldom = Array.from({ length: 2000 }, () => chance.weighted(choices)).filter((one) => one.name === 'seldom');
    expect(seldom.length).toBeGreaterThan(120);
    expect(seldom.length).toBeLessThan(280);
  });
});
