import { describe, expect, it } from 'vitest';
import { AdapterFailure } from '../../adapters/ports.ts';
import { SHOP } from '../domain/shop.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import type { Decided } from './sim/runs.ts';
import { fence, promote, readyOf, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const WORD = { by: 'ann', reason: 'its plug is in my hand', fence: true, loss: 0, primary: 'db1' };

/** Of two, one alone is no majority: a claim rests on the other one being off. `asked`: whose power was to be taken. */
function two(changes: ConstructorParameters<typeof SimulatedShop>[0] = {}) {
  const shop = new SimulatedShop({ hosts: SHOP.hosts.slice(0, 2), alone: 'async', ...changes });
  const asked: string[] = [];
  const takePower = shop.powerHook;
  shop.powerHook = (host) => {
    asked.push(host);
    return takePower(host);
  };
  return { shop, asked };
}

const noHook = (host: string): never => {
  throw new AdapterFailure({ type: 'Unsafe', host, message: 'the inventory has no hook powerOff' });
};

describe('a primary of two, cut off from the other one and from the worker', () => {
  /** It answers again when it is looked at for the second time. */
  const cutForAMoment = (changes: ConstructorParameters<typeof SimulatedShop>[0] = {}) => {
    const { shop, asked } = two(changes);
    shop.cutFromWorker.add('db1');
    shop.cut.add('db1 db2');
    const heal = (): void => {
      shop.cutFromWorker.clear();
      shop.cut.clear();
    };
    return { shop, asked, at: { 'fenceAndDrain.diagnose:before': heal } };
  };

  it('keeps its power when it answers again at the second look, and nothing was changed', async () => {
    const { shop, asked, at } = cutForAMoment();
    expect(await fence(shop, { at })).toMatchObject({ kind: 'done', value: { kind: 'alive', changed: false } });
    expect(asked).toEqual([]);
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('is left alone then, whatever a person answers for', async () => {
    const { shop, at } = cutForAMoment({ fence: ['ssh', 'revocation'] });
    expect(await fence(shop, { at, accepted: WORD })).toMatchObject({ value: { kind: 'alive', changed: false } });
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('is opened again when it has restarted meanwhile', async () => {
    const { shop, asked, at } = cutForAMoment();
    shop.kill('db1');
    shop.database('db1').boot();
    expect(await fence(shop, { at })).toMatchObject({ kind: 'done', value: { kind: 'closed' } });
    expect(asked).toEqual([]);
  });

  it('loses its power when it stays silent', async () => {
    const { shop, asked } = cutForAMoment();
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'ready', decision: { fence: { rung: 'powerOff', host: 'db1' } } },
    });
    expect(asked).toEqual(['db1']);
  });
});

describe('a refusal of a failover of two', () => {
  it('does not say that nothing was changed when the hook was run and did not confirm', async () => {
    const { shop } = two();
    shop.powerOff('db1');
    shop.powerHook = (host) => {
      throw new AdapterFailure({ type: 'Unverified', host, message: 'the power hook did not confirm' });
    };
    expect(await fence(shop)).toMatchObject({
      value: {
        kind: 'refused',
        changed: true,
        explains: 'too few members answer, and the power hook did not confirm',
        risk: { loss: null },
      },
    });
  });

  it('says so when there is no hook', async () => {
    const { shop, asked } = two({ fence: ['ssh', 'revocation'] });
    shop.powerOff('db1');
    expect(await fence(shop)).toMatchObject({
      value: {
        kind: 'refused',
        changed: false,
        explains: 'too few members answer, and the policy has no power switch for db1',
      },
    });
    expect(asked).toEqual([]);
  });
});

describe('a promotion of two whose worker died in it', () => {
  it('is gone on with by the next attempt on the word that a person gave for the old primary, and asks no hook', async () => {
    const { shop } = two({ fence: ['ssh'] });
    shop.powerHook = noHook;
    shop.powerOff('db1');
    const fenced = await fence(shop, { accepted: WORD });
    const decided = readyOf(fenced);
    expect(decided.fence).toMatchObject({ rung: 'accepted', host: 'db1' });
    expect(await promote(shop, decided, { attempt: 2 })).toMatchObject({ kind: 'done' });
    expect(shop.write('db2')).toBe('acknowledged');
  });
});

describe('a failover of two that is started again after the earlier one had recorded its decision', () => {
  /** db1 is off, db2 is recorded as primary and closed. */
  async function recorded(changes: ConstructorParameters<typeof SimulatedShop>[0] = {}, accepted?: typeof WORD) {
    const { shop, asked } = two(changes);
    if (accepted !== undefined) shop.powerHook = noHook;
    shop.powerOff('db1');
    const decided = readyOf(await fence(shop, accepted === undefined ? {} : { accepted }));
    await promote(shop, decided, { holdAt: 'promoteAndRoute.record:after' });
    expect(shop.member('db2').primary.host).toBe('db2');
    expect(shop.database('db2').readOnly).toBe(true);
    asked.length = 0;
    return { shop, asked };
  }

  const goOn = (shop: SimulatedShop, accepted?: typeof WORD) =>
    fence(shop, { run: 'run-6', ...(accepted === undefined ? {} : { accepted }) });

  const finish = async (shop: SimulatedShop, { winner: primary, ...decided }: Decided): Promise<void> => {
    const input = { ...RUN, run: 'run-6', ...decided };
    for (const number of [1, 2]) {
      const promoted = await attempt(shop, 'promoteAndRoute', {
        attempt: number,
        input: { ...input, winner: primary },
      });
      expect(promoted).toMatchObject({ kind: 'done' });
      if (promoted.kind !== 'done') return;
      const { epoch } = promoted.value;
      expect(await attempt(shop, 'settleCluster', { input: { ...input, epoch, primary } })).toMatchObject({
        kind: 'done',
      });
    }
    expect(shop.write('db2')).toBe('acknowledged');
  };

  it('goes on when the hook confirms that the old primary is off', async () => {
    const { shop, asked } = await recorded();
    const decided = readyOf(await goOn(shop));
    expect(decided.fence).toMatchObject({ rung: 'earlier', host: 'db1', again: { rung: 'powerOff', host: 'db1' } });
    expect(asked).toEqual(['db1']);
    await finish(shop, decided);
  });

  it('asks a person where there is no hook, with nothing changed, and goes on on his word', async () => {
    const { shop } = await recorded({ fence: ['ssh'] }, WORD);
    expect(await goOn(shop)).toMatchObject({
      value: {
        kind: 'refused',
        primary: 'db1',
        changed: false,
        risk: { fence: 'too few members answer, and the policy has no power switch for db1', loss: null },
      },
    });
    // It is recorded by now, and that word would be about db2.
    expect(await goOn(shop, { ...WORD, primary: 'db2' })).toMatchObject({ value: { kind: 'refused', primary: 'db1' } });
    const fenced = await goOn(shop, WORD);
    expect(fenced).toMatchObject({ value: { decision: { accepted: WORD } } });
    await finish(shop, readyOf(fenced));
  });

  it('asks no hook when the old primary answers, closed', async () => {
    const { shop, asked } = await recorded();
    shop.powerOn('db1');
    const { fence: proof } = readyOf(await goOn(shop));
    expect(proof).toMatchObject({ rung: 'earlier', host: 'db1' });
    expect(proof.again).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('counts nobody as off when the new primary has served since: the other one may have followed it', async () => {
    const { shop, asked } = await recorded();
    shop.database('db2').commit();
    expect(await goOn(shop)).toMatchObject({
      value: {
        kind: 'refused',
        changed: false,
        explains: expect.stringMatching(/^1 of 2 members .*; bring back db1$/),
      },
    });
    expect(asked).toEqual([]);
  });
});
