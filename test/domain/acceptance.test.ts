import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Acceptance, Risk } from '../../domain/acceptance.ts';
import { acceptanceOf, leftOpen, parseAcceptance } from '../../domain/acceptance.ts';

const FENCE: Risk = { fence: 'db1 may still accept writes', loss: null };
const LOSS: Risk = { fence: null, loss: { count: 3, explains: '3 transactions would be lost' } };
const UNKNOWN: Risk = { fence: null, loss: { count: null, explains: 'nobody knows what would be lost' } };
const BOTH: Risk = { fence: FENCE.fence, loss: UNKNOWN.loss };
const KARI = { by: 'Kari Nordmann', reason: 'the rack burns' };

const messageOf = (input: unknown, risk: Risk | null): string => {
  const parsed = parseAcceptance(input, risk);
  return parsed.kind === 'bad' ? parsed.message : 'taken';
};

describe('an acceptance', () => {
  it.each([
    ['an unproven fence', { ...KARI, fence: true }, FENCE],
    ['a loss that was counted', { ...KARI, loss: 3 }, LOSS],
    ['a loss that is smaller than what was granted', { ...KARI, loss: 10 }, LOSS],
    ['a loss that nobody can count', { ...KARI, loss: 'unknown' }, UNKNOWN],
    ['both', { ...KARI, fence: true, loss: 'unknown' }, BOTH],
  ])('is taken for %s', (_what, input, risk) => {
    expect(parseAcceptance(input, risk)).toMatchObject({ kind: 'ok', value: input });
  });

  it.each([
    ['when nothing is asked', { ...KARI, fence: true }, null, 'asks nothing'],
    ['without a name', { reason: 'x', fence: true }, FENCE, '"by" must name'],
    ['with an empty name', { ...KARI, by: ' ', fence: true }, FENCE, '"by" must name'],
    ['without a reason', { by: 'Kari', fence: true }, FENCE, '"reason" must say why'],
    ['that is no object', 'yes', FENCE, 'not one JSON object'],
    ['with a word that it does not know', { ...KARI, fence: true, sure: true }, FENCE, 'does not know "sure"'],
    ['with a fence that is no truth value', { ...KARI, fence: 'yes' }, FENCE, '"fence" is true or false'],
    ['with a loss that is no number', { ...KARI, loss: 'some' }, LOSS, '"loss" is a number'],
    ['with a negative loss', { ...KARI, loss: -1 }, LOSS, '"loss" is a number'],
    ['of less than is lost', { ...KARI, loss: 2 }, LOSS, '3 transactions would be lost'],
    ['of a number where nobody can count', { ...KARI, loss: 1_000_000 }, UNKNOWN, 'nobody knows'],
    ['of the loss alone', { ...KARI, loss: 'unknown' }, BOTH, 'db1 may still accept writes'],
    ['of the fence alone', { ...KARI, fence: true }, BOTH, 'nobody knows'],
  ])('is refused %s', (_when, input, risk, says) => {
    expect(messageOf(input, risk)).toContain(says);
  });

  it('is refused with the JSON that would be taken', () => {
    for (const risk of [FENCE, LOSS, UNKNOWN, BOTH]) {
      const example = JSON.parse(messageOf({}, risk).split('What would be: ')[1] ?? '') as object;
      expect(parseAcceptance(example, risk)).toMatchObject({ kind: 'ok' });
      expect(example).toEqual(acceptanceOf(risk));
    }
  });

  const risks = fc.record({
    fence: fc.option(fc.constant('unproven')),
    loss: fc.option(fc.record({ count: fc.option(fc.nat(20)), explains: fc.constant('lost') })),
  });
  const acceptances: fc.Arbitrary<Acceptance> = fc.record({
    by: fc.constant('Kari'),
    reason: fc.constant('x'),
    fence: fc.boolean(),
    loss: fc.oneof(fc.nat(20), fc.constant('unknown' as const)),
  });

  it('never covers a fence or a loss that it does not name', () => {
    fc.assert(
      fc.property(risks, acceptances, (risk, accepted) => {
        const open = leftOpen(risk, accepted);
        expect(open.includes('unproven')).toBe(risk.fence !== null && !accepted.fence);
        const { loss } = risk;
        const granted = accepted.loss === 'unknown' ? Infinity : accepted.loss;
        const needed = loss === null ? 0 : (loss.count ?? Infinity);
        expect(open.includes('lost')).toBe(loss !== null && needed > granted && accepted.loss !== 'unknown');
        expect(leftOpen(risk, null, 10).includes('lost')).toBe(loss !== null && needed > 10);
        expect(leftOpen(risk, null)).toHaveLength(Number(risk.fence !== null) + Number(loss !== null));
      }),
    );
  });
});
