import { describe, expect, it } from 'vitest';
import { AdapterFailure } from '../../adapters/ports.ts';
import { SHOP } from '../domain/shop.ts';
import { addressOf } from './sim/address.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { pass } from './sim/session.ts';
import { fence, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const thaw = (shop: SimulatedShop): void => {
  shop.database('db1').process = 'running';
};

/** db1 serves its clients and is cut off from the worker and from its replicas; only they can take its word away. */
function partitioned(): SimulatedShop {
  const shop = new SimulatedShop({ fence: ['revocation'] });
  shop.cutFromWorker.add('db1');
  for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
  return shop;
}

describe('a primary that lives', () => {
  it('is left alone when it answers again under the claim', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    shop.interrupt('after', /^db3 claim/, () => {
      thaw(shop);
    });
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'alive' } });
    expect(shop.member('db1').fenced).toBe(false);
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('is left alone when it has no connection left for us', async () => {
    const shop = new SimulatedShop();
    shop.database('db1').reach = 'full';
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'alive', diagnosis: { code: 'PrimaryFull' } },
    });
    expect(shop.log).toEqual([]);
  });

  it('is left alone when it refuses our login', async () => {
    const shop = new SimulatedShop();
    shop.database('db1').reach = 'denied';
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'alive', diagnosis: { code: 'PrimaryDenies' } },
    });
    expect(shop.log).toEqual([]);
  });

  it('is not taken for dead by a worker that is cut off from it, while a replica hears it', async () => {
    const shop = new SimulatedShop();
    shop.cutFromWorker.add('db1');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('a replica still hears it') },
    });
    expect(shop.log).toEqual([]);
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('is not taken for dead by a worker that is cut off from everybody', async () => {
    const shop = new SimulatedShop();
    for (const host of ['db1', 'db2', 'db3']) shop.cutFromWorker.add(host);
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'refused', changed: false } });
    expect(shop.log).toEqual([]);
  });

  it('is not fenced on votes that are older than a few seconds', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    const outcome = await fence(shop, {
      at: {
        'fenceAndDrain.fence:before': async () => {
          await pass(60_000);
          thaw(shop);
        },
      },
    });
    expect(shop.member('db1').fenced).toBe(false);
    expect(shop.write('db1')).toBe('acknowledged');
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unverified' });
  });
});

describe('a primary that says nothing', () => {
  it('is not fenced on votes that grew old while the members accepted the claim', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    const outcome = await fence(shop, { at: { 'fenceAndDrain.claim:after': () => pass(60_000) } });
    expect(shop.member('db1').fenced).toBe(false);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unverified' });
  });

  it.each([
    ['hang', [150, 150]],
    ['powerOff', [300, 150]],
  ] as const)('is not waited for a second time as if nobody had listened before: %s', async (fault, looks) => {
    const shop = new SimulatedShop();
    shop[fault]('db1');
    const outcome = await fence(shop);
    const { timeline = [] } = outcome.kind === 'done' ? outcome.value : {};
    const took = (step: string) =>
      timeline.filter((entry) => entry.step === step).map(({ durationMs }) => Math.round(durationMs / 50) * 50);
    expect([...took('observe'), ...took('diagnose')]).toEqual(looks);
  });

  it('lives when a replica has heard it since the first look, though it says nothing while it is looked at again', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    const outcome = await fence(shop, {
      at: {
        'fenceAndDrain.diagnose:before': async () => {
          thaw(shop);
          await pass(200);
          shop.move();
          shop.hang('db1');
        },
      },
    });
    expect(outcome).toMatchObject({
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('a replica still hears it') },
    });
    expect(shop.member('db1').fenced).toBe(false);
  });

  it('is a source that the kernels of its replicas refuse when its host is off, and not when it answers', async () => {
    const shop = new SimulatedShop();
    shop.powerOff('db1');
    expect(await fence(shop)).toMatchObject({ value: { kind: 'ready' } });
    for (const host of ['db2', 'db3']) expect(shop.member(host).goneSource).toBe(addressOf('db1'));
    const hung = new SimulatedShop();
    hung.hang('db1');
    expect(await fence(hung)).toMatchObject({ value: { kind: 'ready' } });
    for (const host of ['db2', 'db3']) expect(hung.member(host).goneSource).toBeNull();
  });
});

/** Their receivers were stopped by hand, or by a failover that was ended, so they have not seen anything since. */
function deaf(shop = new SimulatedShop()): SimulatedShop {
  for (const host of ['db2', 'db3']) shop.database(host).stop('receiver');
  return shop;
}

describe('replicas whose receivers stand still', () => {
  it('do not call a primary dead that greets them, when the worker alone is cut off from it', async () => {
    const shop = deaf();
    shop.cutFromWorker.add('db1');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('a replica still hears it') },
    });
    expect(shop.log).toEqual([]);
    expect(shop.off.has('db1')).toBe(false);
  });

  it('have no vote when they cannot look, as with a helper of an earlier version', async () => {
    const shop = deaf();
    shop.cutFromWorker.add('db1');
    for (const host of ['db2', 'db3'])
      shop.interrupt('before', new RegExp(`^${host} server-probe`), () => {
        throw new AdapterFailure({ type: 'BadInput', host, message: 'there is no verb "server-probe"' });
      });
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('too few observers can say') },
    });
  });

  it.each<[string, (shop: SimulatedShop) => void]>([
    [
      'is off',
      (shop) => {
        shop.powerOff('db1');
      },
    ],
    [
      'is alive and whose server is dead',
      (shop) => {
        shop.kill('db1');
      },
    ],
    [
      'is alive and whose server hangs',
      (shop) => {
        shop.hang('db1');
      },
    ],
  ])('do not keep a failover from a primary whose host %s', async (_, die) => {
    const shop = new SimulatedShop();
    die(shop);
    deaf(shop);
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'ready' } });
    expect(shop.lostOn('db2')).toEqual([]);
  });
});

describe('a failover that may not leave its winner alone', () => {
  it('is refused before anything is changed when the other replica is not on record', async () => {
    const shop = new SimulatedShop({ alone: 'stop' });
    for (const member of shop.members.values()) member.sync = { ...member.sync, ackers: 'db2' };
    shop.kill('db1');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: false, explains: expect.stringContaining('nobody on record would be left') },
    });
    expect(shop.log).toEqual([]);
  });
});

describe('a fence', () => {
  it('is not made by the power switch on votes that grew old while members were asked to claim', async () => {
    // Of two, one alone is no majority: the claim itself rests on the other one being off.
    const shop = new SimulatedShop({ hosts: SHOP.hosts.slice(0, 2), witnesses: [], alone: 'async' });
    shop.powerOff('db1');
    shop.interrupt('before', /^db2 claim/, () => pass(12_000));
    let isAsked = false;
    shop.powerHook = () => {
      isAsked = true;
      return 'off';
    };
    const outcome = await fence(shop);
    expect(isAsked).toBe(false);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unverified' });
  });

  it('without its proof ends in a refusal, and no replica is touched', async () => {
    const shop = new SimulatedShop({ fence: ['ssh'] });
    shop.hang('db1');
    shop.member('db1').isFenceProof = false;
    const outcome = await fence(shop);
    expect(outcome).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: true, explains: expect.stringContaining('it is not proven that db1') },
    });
    expect(shop.log.filter((event) => / sql /.test(event))).toEqual([]);
  });

  it('falls back to the power switch when the helper cannot prove it', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    shop.member('db1').isFenceProof = false;
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'ready', decision: { fence: { rung: 'powerOff' } } },
    });
  });

  it('by revocation leaves a primary that nobody acknowledges any more, cut off with its clients as it is', async () => {
    const shop = partitioned();
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'ready', decision: { fence: { rung: 'revocation' } } },
    });
    shop.cut.clear();
    expect(shop.write('db1')).toBe('waits');
  });

  it('is not revoked by fewer ackers than it takes', async () => {
    const shop = partitioned();
    const outcome = await fence(shop, {
      at: {
        'fenceAndDrain.fence:before': () => {
          shop.powerOff('db3');
        },
      },
    });
    expect(outcome).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', explains: expect.stringContaining('it is not proven that db1') },
    });
  });

  it('is not believed of a power hook that does not confirm', async () => {
    const shop = new SimulatedShop();
    shop.powerOff('db1');
    shop.powerHook = (host) => {
      throw new AdapterFailure({ type: 'Unverified', host, message: 'the power hook did not confirm' });
    };
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'refused' } });
    expect(shop.log.filter((event) => / sql /.test(event))).toEqual([]);
  });

  it('that a newer operation forbids is not climbed past', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    const outcome = await fence(shop, {
      at: {
        'fenceAndDrain.fence:before': () => {
          shop.claimByOther('run-other');
        },
      },
    });
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(shop.off.has('db1')).toBe(false);
  });
});

/** db1 is off for good; db3 restarted with acknowledged rows in its relay logs alone. */
function restarted(): SimulatedShop {
  const shop = new SimulatedShop({ fence: ['powerOff'], alone: 'async' });
  shop.database('db3').applierPace = 0;
  for (let row = 0; row < 5; row += 1) shop.write('db1');
  shop.powerOff('db1');
  shop.kill('db3');
  shop.database('db3').boot();
  return shop;
}

describe('a host to promote that the cluster does not have', () => {
  const candidate = 'db9';
  const refused = {
    kind: 'failed',
    type: 'BadInput',
    message: 'db9 is not a database host of shop (it has db1, db2, db3). Nothing was changed',
  };

  it('ends a failover, and the plan of one, before anything is asked of the hosts', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    expect(await attempt(shop, 'planFailover', { input: { cluster: 'shop', candidate } })).toMatchObject(refused);
    const outcome = await attempt(shop, 'fenceAndDrain', { input: { ...RUN, candidate } });
    expect(outcome).toMatchObject({ ...refused, facts: { changed: false } });
    expect(shop.log).toEqual([]);
  });

  it('is no reason to undo nothing when an earlier attempt knew it', async () => {
    const shop = new SimulatedShop();
    const outcome = await attempt(shop, 'fenceAndDrain', { input: { ...RUN, candidate }, attempt: 2 });
    expect(outcome).toMatchObject({ kind: 'failed', type: 'BadInput' });
    expect(outcome).not.toMatchObject({ facts: { changed: false } });
  });
});

describe('a secret that cannot be read', () => {
  it('ends a failover before anything is changed, though it is needed only after the promotion', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    shop.secretFault = 'the secret file:/repl cannot be read: ENOENT';
    expect(await fence(shop)).toMatchObject({ kind: 'failed', type: 'BadInput', message: shop.secretFault });
    expect(shop.log).toEqual([]);
  });
});

describe('losslessness', () => {
  it('is not promised when an acker and the old primary are gone; nothing is changed', async () => {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.powerOff('db1');
    shop.powerOff('db3');
    const outcome = await fence(shop);
    expect(outcome).toMatchObject({ kind: 'done', value: { kind: 'refused', changed: false } });
    expect(shop.log).toEqual([]);
  });

  it('rests on the binlog of the old primary when an acker is gone', async () => {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.powerOff('db3');
    shop.kill('db1');
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'ready', decision: { coverage: { by: 'old-binlog' } } },
    });
    expect(shop.lostOn('db2')).toEqual([]);
  });

  it('counts a replica that restarted for what its relay logs hold', async () => {
    const shop = restarted();
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'ready' } });
    for (const host of ['db2', 'db3']) expect(shop.lostOn(host)).toEqual([]);
  });

  it.each<[string, readonly ('applier' | 'receiver')[]]>([
    ['its applier alone', ['applier']],
    ['both threads', ['applier', 'receiver']],
  ])(
    'counts a replica for nothing whose relay logs were thrown away by a start of %s, before anything is changed',
    async (_, threads) => {
      const shop = restarted();
      for (const thread of threads) shop.database('db3').start(thread);
      shop.move();
      expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'refused', changed: false } });
      expect(shop.log).toEqual([]);
    },
  );

  it('counts it for nothing as well when that start comes after the look', async () => {
    const shop = restarted();
    shop.interrupt('after', /^db3 claim/, () => {
      shop.database('db3').start('applier');
      shop.move();
    });
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'refused', changed: true } });
  });
});
