import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { FailoverPlan } from '../../domain/plan.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, promote } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

async function plan(shop: SimulatedShop, candidate: string | null = null): Promise<FailoverPlan> {
  const before = shop.log.length;
  const outcome = await attempt(shop, 'planFailover', { input: { cluster: 'shop', candidate } });
  assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
  expect(shop.log.slice(before), 'a plan changes nothing').toEqual([]);
  return outcome.value;
}

describe('the plan of a failover', () => {
  it('names who would be promoted while the primary lives, and leaves it open', async () => {
    const shop = new SimulatedShop();
    expect(await plan(shop)).toMatchObject({
      outcome: 'planned',
      primary: 'db1',
      winner: 'db2',
      ackers: ['db3'],
      fence: ['ssh', 'powerOff'],
      refusal: null,
      diagnosis: { code: 'PrimaryServes' },
      sentence: 'db2 would be promoted without loss if db1 died now',
    });
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('is what a failover does then', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const planned = await plan(shop);
    expect(planned.sentence).toBe('db2 would be promoted without loss now');
    const decided = await decide(shop);
    expect(decided.winner).toBe(planned.winner);
    expect(planned.fence).toContain(decided.fence.rung);
    expect(await promote(shop, decided)).toMatchObject({ value: { ackers: planned.ackers } });
  });

  it('follows a person who names the replica', async () => {
    expect(await plan(new SimulatedShop(), 'db3')).toMatchObject({ winner: 'db3', ackers: ['db2'] });
  });

  it('has the rungs that are at hand: a host without power is not shut off over SSH', async () => {
    const shop = new SimulatedShop();
    shop.powerOff('db1');
    expect(await plan(shop)).toMatchObject({ outcome: 'planned', winner: 'db2', fence: ['powerOff'] });
  });

  it('says what would be refused, and what a person could answer for', async () => {
    const shop = new SimulatedShop({ fence: ['ssh'] });
    shop.powerOff('db1');
    const planned = await plan(shop);
    expect(planned).toMatchObject({ outcome: 'would-refuse', winner: 'db2', fence: [] });
    expect(planned.refusal?.risk?.fence).toContain('the policy has no power switch');
    expect(planned.sentence).toContain('a failover now would refuse, and change nothing: it cannot be proven that db1');
  });

  it('says that it would refuse if the host died with its server, where nothing but SSH fences', async () => {
    const shop = new SimulatedShop({ fence: ['ssh'] });
    const planned = await plan(shop);
    expect(planned).toMatchObject({ outcome: 'planned', winner: 'db2', refusal: null });
    expect(planned.ifHostDies?.risk?.fence).toContain('the policy has no power switch');
    shop.powerOff('db1');
    expect((await plan(shop)).ifHostDies).toBeNull();
    expect((await plan(new SimulatedShop())).ifHostDies).toBeNull();
  });

  it('names the obstacle when nobody can be promoted', async () => {
    const shop = new SimulatedShop();
    for (const replica of ['db2', 'db3']) shop.kill(replica);
    expect(await plan(shop)).toMatchObject({ outcome: 'would-refuse', winner: null, steps: [] });
  });

  it('waits for a primary that is slow to answer, as one is whose host is busy', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    setTimeout(() => (shop.database('db1').process = 'running'), 1_000);
    expect(await plan(shop)).toMatchObject({ outcome: 'planned', diagnosis: { code: 'PrimaryServes' } });
  });

  it('would not go on while it cannot be told whether the primary is dead', async () => {
    const shop = new SimulatedShop();
    shop.cutFromWorker.add('db1');
    const planned = await plan(shop);
    expect(planned.outcome).toBe('would-refuse');
    expect(planned.refusal?.explains).toBe(planned.diagnosis.explains);
  });
});
