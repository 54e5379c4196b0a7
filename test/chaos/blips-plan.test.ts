import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryOf, KINDS } from '../../chaos/blips/catalogue.ts';
import { composeBlip, describeBlip } from '../../chaos/blips/plan.ts';

const name = fc.record({ seed: fc.nat(), round: fc.integer({ min: 1, max: 100_000 }) });
const many = Array.from({ length: KINDS.length * 40 }, (_, index) => composeBlip({ seed: 4, round: index + 1 }));

describe('the composition of a blip', () => {
  test('is the same for the same seed and round, whatever was composed before', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const first = composeBlip(one);
        composeBlip(other);
        expect(composeBlip(one)).toEqual(first);
      }),
    );
  });

  test('has a length that its kind allows, and a host that it may hit', () => {
    fc.assert(
      fc.property(name, (one) => {
        const { kind, host, lastsMs } = composeBlip(one);
        const { hosts, lasts } = entryOf(kind);
        expect(lastsMs).toBeGreaterThanOrEqual(lasts[0]);
        expect(lastsMs).toBeLessThanOrEqual(lasts[1]);
        if (hosts.length === 0) expect(host).toBeNull();
        else expect(hosts).toContain(host);
      }),
    );
  });

  test('plays every kind once before any comes again, in another order each time', () => {
    const deals = Array.from({ length: 40 }, (_, deal) =>
      many.slice(deal * KINDS.length, (deal + 1) * KINDS.length).map(({ kind }) => kind),
    );
    for (const deal of deals) expect(deal.toSorted()).toEqual(KINDS.toSorted());
    expect(new Set(deals.map(String)).size).toBe(deals.length);
  });

  test('hits every host that a kind may hit', () => {
    for (const kind of KINDS) {
      const hit = new Set(many.filter((one) => one.kind === kind).map(({ host }) => host));
      const { hosts } = entryOf(kind);
      expect([...hit].toSorted()).toEqual(hosts.length === 0 ? [null] : hosts);
    }
  });

  test.each([
    'watcher-cut',
    'watcher-and-replica-cut',
    'watcher-isolated',
    'replica-isolated',
    'full-connections',
    'applier-stopped',
  ] as const)('makes %s both shorter and longer than the silence that counts', (kind) => {
    const lengths = many.filter((one) => one.kind === kind).map(({ lastsMs }) => lastsMs);
    expect(Math.min(...lengths)).toBeLessThan(400);
    expect(Math.max(...lengths)).toBeGreaterThan(1_000);
  });

  test('never silences the primary for everybody as long as policy.watch.silence', () => {
    expect(entryOf('server-stopped').lasts[1]).toBeLessThan(400);
  });

  test('is described in a line', () => {
    const blip = { seed: 1, round: 7, host: 'db1', pauseMs: 300, lastsMs: 1200, delayMs: 80 } as const;
    expect(describeBlip({ ...blip, kind: 'watcher-cut' })).toBe('1/7 watcher-cut db1 for 1200 ms');
    expect(describeBlip({ ...blip, kind: 'slow-log-in' })).toBe('1/7 slow-log-in db1 by 80 ms for 1200 ms');
    expect(describeBlip({ ...blip, kind: 'watcher-stopped', host: null })).toBe('1/7 watcher-stopped for 1200 ms');
  });
});
