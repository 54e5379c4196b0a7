import { describe, expect, it } from 'vitest';
import { NO_RISK } from '../../domain/acceptance.ts';
import { FENCE_STEPS, PROMOTE_STEPS } from '../../activities/step-names.ts';
import type { PlanInput } from '../../domain/plan.ts';
import { planOf } from '../../domain/plan.ts';
import { SHOP } from './shop.ts';

const elected: NonNullable<PlanInput['elected']> = {
  winner: 'db2',
  votes: ['db2', 'db3'].map((host) => ({ host, received: '0-1-100', vetoes: [] })),
  ackers: ['db3'],
  byAckers: { kind: 'lossless', by: 'ackers', why: '2 of 2 recorded ackers contribute' },
  risk: NO_RISK,
};
const input: PlanInput = {
  cluster: SHOP,
  primary: 'db1',
  diagnosis: { code: 'PrimaryServes', explains: 'it serves', consequence: 'leave' },
  fence: ['ssh', 'powerOff'],
  elected,
  refusal: null,
  ifHostDies: null,
};
const stepsOf = (given: PlanInput, undone: boolean): readonly string[] =>
  planOf(given)
    .steps.filter((step) => step.undone === undone)
    .map(({ step }) => step);
const explained = (given: PlanInput, step: string) => planOf(given).steps.find((one) => one.step === step)?.explains;

describe('a plan', () => {
  it('has the steps of a failover in their order, on both sides of the point of no return', () => {
    expect(stepsOf(input, true)).toEqual(FENCE_STEPS.filter((step) => step !== 'observe'));
    expect(stepsOf(input, false)).toEqual(
      PROMOTE_STEPS.filter((step) => !['claim', 'confirm', 'prove'].includes(step)),
    );
  });

  it('points nobody at a winner that is alone', () => {
    const alone = { ...elected, votes: elected.votes.slice(0, 1), ackers: [] };
    expect(stepsOf({ ...input, elected: alone }, false)).not.toContain('siblings');
    expect(explained({ ...input, elected: alone }, 'semi-sync')).toContain('nobody is left to acknowledge');
  });

  it('claims no losslessness that only the old binary log could give', () => {
    const lossy = { ...elected, byAckers: { kind: 'lossy', why: 'async', missing: '', count: null } as const };
    const planned = planOf({ ...input, cluster: { ...SHOP, mode: 'async' }, elected: lossy });
    expect(planned.sentence).toBe('db2 would be promoted if db1 died now');
    expect(planned.loss).toContain('if the binary log of db1 can be read after the fence');
    expect(explained({ ...input, cluster: { ...SHOP, mode: 'async' } }, 'semi-sync')).toContain('waits for nobody');
  });

  it('says what the death of the whole host would change', () => {
    const ifHostDies = { explains: 'no fence is at hand', remedy: 'set a power hook', risk: null };
    expect(planOf({ ...input, ifHostDies }).sentence).toBe(
      'db2 would be promoted without loss if db1 died now, but not if its host died as well: no fence is at hand',
    );
  });

  it('says what becomes of a tail, by the policy', () => {
    expect(explained(input, 'salvage')).toContain('applied to db2');
    expect(explained({ ...input, cluster: { ...SHOP, salvage: 'quarantine' } }, 'salvage')).toContain('kept aside');
  });

  it('would refuse with the reason of the refusal', () => {
    const risk = { fence: null, loss: { count: 3, explains: 'three are lost' } };
    const lossy = { kind: 'lossy', why: 'async', missing: '', count: 3 } as const;
    const refusal = { explains: 'no', remedy: 'ask', risk };
    const planned = planOf({ ...input, elected: { ...elected, byAckers: lossy, risk }, refusal });
    expect(planned).toMatchObject({ outcome: 'would-refuse', winner: 'db2', loss: 'three are lost' });
    expect(planned.sentence).toBe('a failover, if db1 died now, would refuse, and change nothing: no');
  });
});
