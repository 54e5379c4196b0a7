import { describe, expect, it } from 'vitest';
import { AdapterFailure } from '../../adapters/ports.ts';
import { inSimulatedTime } from './sim/attempt.ts';
import { decide, fence, firstOf, nthOf, promote } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** Rows that are acknowledged and wait in the relay logs alone. */
function withUnappliedRows(rows: number): SimulatedShop {
  const shop = new SimulatedShop();
  for (const host of ['db2', 'db3']) shop.database(host).applierPace = 0;
  for (let row = 0; row < rows; row += 1) shop.write('db1');
  return shop;
}

describe('a failover', () => {
  it('of a killed primary ends on the replica that holds everything, with no acknowledged write lost', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    expect(decided.winner).toBe('db2');
    expect(await promote(shop, decided)).toMatchObject({
      kind: 'done',
      value: { mode: 'lossless', ackers: ['db3'] },
    });
    expect(shop.write('db2')).toBe('acknowledged');
    expect(shop.lostOn('db2')).toEqual([]);
    expect(shop.violations).toEqual([]);
  });

  it('of a primary without power rests on the hook', async () => {
    const shop = new SimulatedShop();
    shop.powerOff('db1');
    const decided = await decide(shop);
    expect(decided.fence).toMatchObject({ rung: 'powerOff', host: 'db1' });
    expect(await promote(shop, decided)).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    shop.powerOn('db1');
    expect(shop.write('db1')).toBe('refused');
    expect(shop.lostOn('db2')).toEqual([]);
  });

  it('keeps the relay logs of every replica before it touches a thread of it', async () => {
    const shop = withUnappliedRows(5);
    shop.kill('db1');
    for (const host of ['db2', 'db3']) shop.database(host).applierPace = Infinity;
    await decide(shop);
    for (const host of ['db2', 'db3']) {
      expect(firstOf(shop, new RegExp(`^${host} keep-relay`))).toBeLessThan(
        firstOf(shop, new RegExp(`^${host} sql (START|STOP|CHANGE)`)),
      );
      expect(shop.member(host).kept.size).toBe(1);
    }
  });

  it('keeps the relay logs of a replica again that received more meanwhile', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    shop.interrupt('after', /^db2 keep-relay/, () => {
      shop.database('db2').applierPace = 0;
      shop.database('db2').channel?.relay.push('0-1-900');
      setTimeout(() => (shop.database('db2').applierPace = Infinity), 5_000);
    });
    const { epoch } = await decide(shop);
    expect(shop.member('db2').kept.get(epoch.number)).toContain('0-1-900');
  });

  it('keeps the relay logs again before a replica follows another source', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    await promote(shop, await decide(shop));
    expect(nthOf(shop, /^db3 keep-relay/, 2)).toBeLessThan(firstOf(shop, /^db3 sql CHANGE MASTER/));
  });

  it('saves what is in the relay log of a replica whose applier was stopped', async () => {
    const shop = new SimulatedShop();
    for (const host of ['db2', 'db3']) shop.database(host).stop('applier');
    for (let row = 0; row < 20; row += 1) shop.write('db1');
    shop.kill('db1');
    const fenced = await fence(shop);
    expect(fenced).toMatchObject({ kind: 'done', value: { kind: 'ready', winner: 'db2' } });
    expect(shop.lostOn('db2')).toEqual([]);
  });

  it('opens the winner only when everything that it received is applied', async () => {
    const shop = withUnappliedRows(20);
    shop.kill('db1');
    setTimeout(() => (shop.database('db2').applierPace = 1), 60_000);
    const decided = await decide(shop);
    expect(shop.lostOn('db2')).toEqual([]);
    await promote(shop, decided);
    expect(shop.write('db2')).toBe('acknowledged');
    expect(shop.lostOn('db2')).toEqual([]);
  });

  it('is refused when the applier of the winner stops on an error while it drains', async () => {
    const shop = withUnappliedRows(3);
    shop.kill('db1');
    const outcome = await fence(shop, {
      at: {
        'fenceAndDrain.drain:before': () => {
          const { channel } = shop.database('db2');
          if (channel !== null) channel.applierErrno = 1032;
        },
      },
    });
    expect(outcome).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', changed: true, explains: expect.stringContaining('error 1032') },
    });
    expect(shop.database('db2').readOnly).toBe(true);
  });

  it('reads the log of the old primary only when the winner has not read it to its end', async () => {
    const [whole, cut] = [new SimulatedShop(), new SimulatedShop()];
    whole.kill('db1');
    await decide(whole);
    expect(whole.log.filter((entry) => entry.includes('tail-export'))).toEqual([]);
    cut.database('db1').commit();
    cut.kill('db1');
    await decide(cut);
    expect(cut.log.filter((entry) => entry.includes('tail-export'))).toHaveLength(1);
  });

  it('records the new primary on a majority before it opens it', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    await promote(shop, await decide(shop));
    expect(nthOf(shop, /record-primary db2$/, 2)).toBeLessThan(firstOf(shop, /^db2 sql SET GLOBAL read_only = 0/));
  });

  it('makes the new primary wait for acknowledgements before it opens it', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    await promote(shop, await decide(shop));
    expect(firstOf(shop, /^db2 sql SET GLOBAL rpl_semi_sync_master_enabled = 1/)).toBeLessThan(
      firstOf(shop, /^db2 sql SET GLOBAL read_only = 0/),
    );
  });

  it('opens the new primary before clients are led to it', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    await promote(shop, await decide(shop));
    expect(firstOf(shop, /^db2 sql SET GLOBAL read_only = 0/)).toBeLessThan(firstOf(shop, /^db2 vip-take/));
  });

  it('that died between the stopped threads and the opening is gone on with by the next one', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    const died = new Promise<void>((resolve) => {
      shop.interrupt('before', /^db2 sql SET GLOBAL read_only = 0/, () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    void promote(shop, decided);
    await died;
    const next = await fence(shop, { run: 'run-6' });
    expect(next).toMatchObject({
      kind: 'done',
      value: {
        kind: 'ready',
        winner: 'db2',
        // What the earlier run accepted is not known here, so nothing is promised.
        decision: { fence: { rung: 'earlier', host: 'db1' }, coverage: { kind: 'lossy', count: null } },
      },
    });
  });
});

it('a replica whose server has nothing but an error of its own keeps the other from nothing', async () => {
  const shop = new SimulatedShop({ alone: 'async' });
  shop.kill('db1');
  const message = "db3: a statement failed (Can't create a new thread)";
  shop.interrupt('before', /^db3 sql /, () => {
    throw new AdapterFailure({ type: 'Unverified', host: 'db3', facts: { errno: 1135 }, message });
  });
  expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'ready', winner: 'db2' } });
});

it.each(['Unverified', 'NotYet'] as const)(
  'a host whose helper answers nothing but %s keeps the other from nothing',
  async (type) => {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.kill('db1');
    for (let looks = 0; looks < 50; looks += 1)
      shop.interrupt('before', /^db3 (records|observe|glance|hello)/, () => {
        throw new AdapterFailure({ type, host: 'db3', message: 'db3: fork: Cannot allocate memory' });
      });
    expect(await fence(shop)).toMatchObject({ kind: 'done', value: { kind: 'ready', winner: 'db2' } });
  },
);

it('a primary whose helper has an error of its own at every look is fenced over SSH all the same', async () => {
  const shop = new SimulatedShop({ alone: 'async' });
  shop.kill('db1');
  for (let looks = 0; looks < 50; looks += 1)
    shop.interrupt('before', /^db1 (records|observe|glance|hello)/, () => {
      throw new AdapterFailure({ type: 'Unverified', host: 'db1', message: 'db1: fork: Cannot allocate memory' });
    });
  expect(await fence(shop)).toMatchObject({
    ...{ kind: 'done', value: { kind: 'ready', decision: { fence: { rung: 'ssh', host: 'db1' } } } },
  });
});

it('a person answers for the host that was asked about, and for no other', async () => {
  const shop = new SimulatedShop({ fence: ['ssh'] });
  shop.powerOff('db1');
  const word = { by: 'ann', reason: 'I pulled its plug', fence: true, loss: 'unknown' } as const;
  for (const of of [{ primary: 'db2' }, {}])
    expect(await fence(shop, { accepted: { ...word, ...of } })).toMatchObject({
      value: { kind: 'refused', primary: 'db1', risk: { fence: expect.stringContaining('db1') } },
    });
  expect(shop.log).toEqual([]);
  expect(await fence(shop, { accepted: { ...word, primary: 'db1' } })).toMatchObject({
    value: { kind: 'ready', decision: { fence: { rung: 'accepted', host: 'db1' }, accepted: { primary: 'db1' } } },
  });
});

describe('a tail that the winner cannot apply', () => {
  const ACCEPTED = { by: 'ann', reason: 'shop must open', fence: false, loss: 3, primary: 'db1' };

  /** Two writes that only db1 has, and a winner that finds no place for them. */
  function withStrangeTail(mayLose = 0): SimulatedShop {
    const shop = new SimulatedShop({ mode: 'async', mayLose });
    for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
    for (let row = 0; row < 2; row += 1) shop.write('db1');
    shop.kill('db1');
    shop.interrupt('before', /^db2 tail-stage/, () => {
      throw new AdapterFailure({ type: 'Unsafe', host: 'db2', message: 'a row is missing' });
    });
    return shop;
  }

  it('is no reason to go on without a person, when the promise rested on it', async () => {
    expect(await fence(withStrangeTail())).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', risk: { loss: { count: 2, explains: expect.stringContaining('a row is missing') } } },
    });
  });

  it('is a loss that the policy allows, stated and accepted by nobody', async () => {
    expect(await fence(withStrangeTail(2))).toMatchObject({
      kind: 'done',
      value: { kind: 'ready', decision: { coverage: { kind: 'lossy', count: 2 }, accepted: null } },
    });
  });

  it('asks a person when it would lose one more than the policy allows', async () => {
    expect(await fence(withStrangeTail(1))).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', risk: { loss: { count: 2 } } },
    });
  });

  it('is stated as a loss when a person has accepted it', async () => {
    const shop = withStrangeTail();
    const lost = shop.lostOn('db2');
    expect(await fence(shop, { accepted: ACCEPTED })).toMatchObject({
      kind: 'done',
      value: {
        kind: 'ready',
        decision: {
          coverage: { kind: 'lossy', count: 2 },
          salvage: { applied: { count: 0 }, quarantined: { count: 2, gtids: lost } },
          accepted: ACCEPTED,
        },
      },
    });
  });

  it('does not stay behind on the winner, where a start of all channels would apply it to an open primary', async () => {
    const shop = withStrangeTail(2);
    shop.interrupt('before', /^db2 tail-stage/, () => Promise.resolve());
    shop.interrupt('before', /^db2 sql START SLAVE 'standfast'/, () => {
      expect(shop.database('db2').tail).not.toBeNull();
      throw new AdapterFailure({ type: 'Unsafe', host: 'db2', message: 'a row is missing' });
    });
    expect(await fence(shop)).toMatchObject({ value: { kind: 'ready', decision: { coverage: { kind: 'lossy' } } } });
    expect(shop.database('db2').tail).toBeNull();
  });
});
