import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseAdmitReplica,
  parseFailover,
  parseFenceDeposed,
  parseGoAsync,
  parseMakeRoom,
  parsePreparePrimary,
  parseProvisionReplica,
  parseRemoveAcker,
  parseVerifyReplication,
} from '../../domain/inputs.ts';

const PARSERS = {
  preparePrimary: { parse: parsePreparePrimary, least: { cluster: 'shop', host: 'db1' } },
  provisionReplica: { parse: parseProvisionReplica, least: { cluster: 'shop', host: 'db2' } },
  admitReplica: { parse: parseAdmitReplica, least: { cluster: 'shop', host: 'db2' } },
  removeAcker: { parse: parseRemoveAcker, least: { cluster: 'shop', host: 'db3' } },
  fenceDeposed: { parse: parseFenceDeposed, least: { cluster: 'shop', host: 'db1' } },
  goAsync: { parse: parseGoAsync, least: { cluster: 'shop' } },
  makeRoom: { parse: parseMakeRoom, least: { cluster: 'shop' } },
  verifyReplication: { parse: parseVerifyReplication, least: { cluster: 'shop' } },
  failover: { parse: parseFailover, least: { cluster: 'shop' } },
} as const;

const sentence = (input: unknown, parse: (input: unknown) => { readonly kind: string } = parseFailover): string => {
  const parsed = parse(input);
  expect(parsed.kind).toBe('bad');
  return 'message' in parsed ? String(parsed.message) : '';
};

describe.each(Object.entries(PARSERS))('the input of %s', (runbook, { parse, least }) => {
  it('is taken with its required fields alone', () => {
    expect(parse(least)).toEqual({ kind: 'ok', value: least });
  });

  it('is refused without any one of them, with an example that would be taken', () => {
    for (const name of Object.keys(least)) {
      const message = sentence({ ...least, [name]: undefined }, parse);
      expect(message).toBe(
        `${runbook} needs "${name}"; nothing was changed. Its input is one JSON object such as ${JSON.stringify(least)}`,
      );
    }
  });

  it('gives a sentence, never an exception, for anything at all', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (input) => {
        const parsed = parse(input);
        if (parsed.kind === 'bad') expect(parsed.message).toMatch(new RegExp(`^${runbook} .*nothing was changed`, 's'));
        else expect(parsed.value).toHaveProperty('cluster');
      }),
    );
  });
});

describe('a bad input', () => {
  it.each([
    [undefined, 'failover was given nothing instead of an object'],
    [null, 'failover was given null instead of an object'],
    ['shop', 'failover was given a string instead of an object'],
    [7, 'failover was given a number instead of an object'],
    [[{ cluster: 'shop' }], 'failover was given a list instead of an object'],
    [{}, 'failover needs "cluster"'],
    [{ cluster: null }, 'failover needs "cluster"'],
    [{ cluster: 5 }, 'failover needs "cluster" as a text, not a number'],
    [{ cluster: ['shop'] }, 'failover needs "cluster" as a text, not a list'],
    [{ cluster: '' }, 'failover was given "" as "cluster", which is not a name (small letters, digits, dashes)'],
    [{ cluster: 'Shop' }, 'failover was given "Shop" as "cluster", which is not a name'],
    [{ cluster: 'shop;rm' }, 'failover was given "shop;rm" as "cluster", which is not a name'],
    [{ cluster: 'shop\n' }, 'failover was given "shop\\n" as "cluster", which is not a name'],
    [{ cluster: '-shop' }, 'failover was given "-shop" as "cluster", which is not a name'],
    [{ cluster: 'shop', candidate: '10.0.0.2' }, 'failover was given "10.0.0.2" as "candidate", which is not a name'],
    [{ cluster: 'shop', candidate: 2 }, 'failover needs "candidate" as a text, not a number'],
    [{ cluster: 'shop', askWithin: 'soon' }, 'failover takes "askWithin" as a duration such as 15m'],
    [{ cluster: 'shop', askWithin: '0m' }, 'failover takes "askWithin" as a duration such as 15m'],
    [
      { cluster: 'shop', host: 'db2' },
      'failover does not know "host" (it takes cluster, candidate, reason, askWithin, dryRun)',
    ],
    [{ cluster: 'shop', reason: 'x'.repeat(501) }, 'failover takes at most 500 characters of "reason"'],
  ])('%j is answered by its sentence', (input, start) => {
    const message = sentence(input);
    expect(message.slice(0, start.length)).toBe(start);
    expect(message).toContain('nothing was changed. Its input is one JSON object such as {"cluster":"shop"}');
  });

  it('is repeated only in part when it is long', () => {
    expect(sentence({ cluster: 'X'.repeat(5000) }).length).toBeLessThan(400);
    expect(sentence({ ['x'.repeat(5000)]: 1 }).length).toBeLessThan(400);
  });

  it('names the fields that the runbook takes', () => {
    expect(sentence({ cluster: 'shop', candidate: 'db2' }, parseProvisionReplica)).toContain(
      'provisionReplica does not know "candidate" (it takes cluster, host, from)',
    );
  });
});

describe('a good input', () => {
  it('keeps its optional fields', () => {
    const all = { cluster: 'shop', candidate: 'db2', reason: 'Disk failure: "sda" — 03:00' };
    expect(parseFailover(all)).toEqual({ kind: 'ok', value: all });
    const provision = { cluster: 'shop', host: 'db2', from: 'db3' };
    expect(parseProvisionReplica(provision)).toEqual({ kind: 'ok', value: provision });
  });

  it('has a whole number where it needs one', () => {
    const input = { cluster: 'shop', host: 'db1', epoch: 12 };
    expect(parseFenceDeposed(input)).toEqual({ kind: 'ok', value: input });
    for (const epoch of ['12', 1.5])
      expect(sentence({ ...input, epoch }, parseFenceDeposed)).toContain('takes a whole number as "epoch"');
  });

  it('may give null for a field that it does not need, as forms do, and the field is left out', () => {
    expect(parseFailover({ cluster: 'shop', candidate: null, reason: undefined })).toStrictEqual({
      kind: 'ok',
      value: { cluster: 'shop' },
    });
  });

  it.each(['a', 'shop-2', 'a'.repeat(63)])('may name its cluster %s', (cluster) => {
    expect(parseFailover({ cluster })).toMatchObject({ kind: 'ok' });
    expect(parseFailover({ cluster: `${cluster}${'a'.repeat(63)}` })).toMatchObject({ kind: 'bad' });
  });

  it('may give a reason of 500 characters', () => {
    expect(parseFailover({ cluster: 'shop', reason: 'x'.repeat(500) })).toMatchObject({ kind: 'ok' });
  });
});
