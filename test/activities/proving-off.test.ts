import { describe, expect, it } from 'vitest';
import { AdapterFailure } from '../../adapters/ports.ts';
import { SHOP } from '../domain/shop.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { fence } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const WORD = { by: 'ann', reason: 'its plug is in my hand', fence: true, loss: 0 };

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
