import { expect, it } from 'vitest';
import { AdapterFailure } from '../../adapters/ports.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const input = { cluster: 'shop', job: 'job-1', donor: 'db1', target: 'db3' };
const clean = (shop: SimulatedShop, number = 1) => attempt(shop, 'cleanTransfer', { input, attempt: number });

/** Of a copy that failed, so that db3 is no acker. */
function withCopy(): SimulatedShop {
  const shop = new SimulatedShop();
  for (const { sync } of shop.members.values()) sync.ackers = 'db2';
  return shop;
}

const CLEANED = {
  undone: ['db3: emptied of what was copied', 'db1: copy ended, keys removed'],
  notUndone: [],
};
const BY_HAND = 'standfast-host job-clean owner=control-1 job=job-1, as root on db3';

it('a copy is cleaned up when its target is back, and not given up for a moment of silence', async () => {
  const shop = withCopy();
  shop.cutFromWorker.add('db3');
  expect(await clean(shop)).toMatchObject({ kind: 'failed', type: 'Unreachable' });
  expect(shop.log).toContain('db1 job-clean');
  shop.cutFromWorker.clear();
  expect(await clean(shop, 2)).toMatchObject({ kind: 'done', value: CLEANED });
});

it('a copy whose target stays away is given up in the end, with the order that cleans it', async () => {
  const shop = withCopy();
  shop.cutFromWorker.add('db3');
  const value = { undone: ['db1: copy ended, keys removed'], notUndone: [expect.stringContaining(BY_HAND)] };
  expect(await clean(shop, 59)).toMatchObject({ kind: 'failed' });
  expect(await clean(shop, 60)).toMatchObject({ kind: 'done', value });
});

it('a refusal to clean up is told at once', async () => {
  const shop = withCopy();
  shop.interrupt('before', /^db3 job-clean/, () => {
    throw new AdapterFailure({ type: 'Unsafe', host: 'db3', message: 'db3 refused job-clean: aside is missing' });
  });
  const notUndone = [expect.stringMatching(/^db3: emptied of what was copied: db3 refused .*aside is missing/)];
  expect(await clean(shop)).toMatchObject({ kind: 'done', value: { undone: [CLEANED.undone[1]], notUndone } });
});
