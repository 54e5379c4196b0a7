import { describe, expect, it } from 'vitest';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, fence, firstOf, promote, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const undo = (shop: SimulatedShop, run = RUN.run) => attempt(shop, 'undoFence', { input: { ...RUN, run } });

const ONCE_MORE = ['receiver of db2 started', 'receiver of db3 started'];

/** db3 has both threads stopped, as after a restart, and rows that were acknowledged in its relay logs alone. */
function resting(): SimulatedShop {
  const shop = new SimulatedShop();
  const db3 = shop.database('db3');
  db3.applierPace = 0;
  for (let row = 0; row < 5; row += 1) shop.write('db1');
  db3.stop('applier');
  db3.stop('receiver');
  db3.applierPace = Infinity;
  return shop;
}

describe('the undo of a fence', () => {
  it('opens the old primary again, with its replicas', async () => {
    const shop = new SimulatedShop();
    shop.hang('db1');
    await decide(shop);
    expect(await undo(shop)).toMatchObject({ kind: 'done', value: { notUndone: [] } });
    expect(shop.write('db1')).toBe('acknowledged');
    expect(shop.violations).toEqual([]);
    for (const host of ['db2', 'db3']) expect(shop.lostOn(host)).toEqual([]);
  });

  it('has the events run again that the old primary ran, since its server was started without', async () => {
    const shop = new SimulatedShop();
    shop.runsEvents = true;
    const db1 = shop.database('db1');
    db1.eventScheduler = true;
    shop.hang('db1');
    await decide(shop);
    expect(await undo(shop)).toMatchObject({
      kind: 'done',
      value: { undone: [...ONCE_MORE, 'db1 opened again', 'events of db1 run'], notUndone: [] },
    });
    expect(db1.eventScheduler).toBe(true);
  });

  it('is done otherwise when the events do not run again, and says so', async () => {
    const shop = new SimulatedShop();
    shop.runsEvents = true;
    shop.hang('db1');
    await decide(shop);
    shop.database('db1').noteFault = '1205: Lock wait timeout';
    expect(await undo(shop)).toMatchObject({
      kind: 'done',
      value: {
        undone: [...ONCE_MORE, 'db1 opened again'],
        notUndone: ['events of db1 run: db1: 1205: Lock wait timeout'],
      },
    });
    expect(shop.write('db1')).toBe('acknowledged');
  });

  it('starts the receivers whose stop was all that an attempt did before the primary was found alive', async () => {
    const shop = new SimulatedShop({ fence: ['revocation'] });
    shop.cutFromWorker.add('db1');
    for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
    await fence(shop, { holdAt: 'fenceAndDrain.receivers:after' });
    shop.cutFromWorker.clear();
    shop.cut.clear();
    expect(shop.write('db1')).toBe('waits');
    expect(await fence(shop, { attempt: 2 })).toMatchObject({ value: { kind: 'alive', changed: true } });
    expect(await undo(shop)).toMatchObject({ kind: 'done', value: { notUndone: [] } });
    expect(shop.write('db1')).toBe('acknowledged');
    expect(await fence(shop, { run: 'run-9' })).toMatchObject({ value: { kind: 'alive', changed: false } });
  });

  it('has an old primary that is back acknowledged again, when the winner was lost before it was on record', async () => {
    const shop = new SimulatedShop({ fence: ['revocation'] });
    shop.cutFromWorker.add('db1');
    for (const replica of ['db2', 'db3']) shop.cut.add(`db1 ${replica}`);
    const decision = await decide(shop);
    shop.powerOff(decision.winner);
    expect(await promote(shop, decision, { attempt: 2 })).toMatchObject({ kind: 'failed', facts: { lost: 'db2' } });
    shop.cutFromWorker.clear();
    shop.cut.clear();
    expect(shop.write('db1')).toBe('waits');
    expect(await fence(shop)).toMatchObject({ value: { kind: 'alive', primary: 'db1' } });
    expect(await undo(shop)).toMatchObject({ kind: 'done', value: { notUndone: [] } });
    expect(shop.write('db1')).toBe('acknowledged');
    expect(shop.violations).toEqual([]);
  });

  it('does nothing for a run that claimed nothing', async () => {
    const shop = new SimulatedShop();
    expect(await undo(shop, 'run-of-nobody')).toEqual({ kind: 'done', value: { undone: [], notUndone: [] } });
    expect(shop.log).toEqual([]);
  });

  it('applies what only the relay logs of a replica hold before its threads are started, which deletes them', async () => {
    const shop = resting();
    shop.hang('db1');
    // The worker dies after the claim; the replica was not touched yet.
    await fence(shop, { holdAt: 'fenceAndDrain.receivers:before' });
    expect(await undo(shop)).toMatchObject({ kind: 'done', value: { notUndone: [] } });
    expect(shop.lostOn('db3')).toEqual([]);
    expect(firstOf(shop, /^db3 tail-stage/)).toBeLessThan(firstOf(shop, /^db3 sql START SLAVE$/));
  });

  it('says so when the relay logs of a replica cannot be read by then, and starts nothing over them before the primary is open', async () => {
    const shop = resting();
    shop.hang('db1');
    await fence(shop, { holdAt: 'fenceAndDrain.receivers:before' });
    shop.interrupt('after', /^db3 keep-relay/, () => {
      const { channel } = shop.database('db3');
      if (channel !== null) channel.holdsSource = false;
    });
    expect(await undo(shop)).toMatchObject({
      kind: 'done',
      value: {
        notUndone: [
          expect.stringMatching(
            /starting its threads would delete its relay logs; they are kept in \/kept; .*"elsewhere" there says/,
          ),
        ],
      },
    });
    expect(firstOf(shop, /^db1 sql SET GLOBAL read_only = 0/)).toBeLessThan(firstOf(shop, /^db3 sql START/));
    expect(shop.lostOn('db3')).toEqual([]);
  });
});

describe('a replica with both threads stopped', () => {
  it('keeps what only its relay logs hold: a failover has it applied, and starts no thread of it', async () => {
    const shop = resting();
    shop.kill('db1');
    await decide(shop);
    expect(shop.lostOn('db3')).toEqual([]);
    expect(firstOf(shop, /^db3 sql START SLAVE($| SQL)/)).toBe(Infinity);
    expect(firstOf(shop, /^db3 keep-relay/)).toBeLessThan(firstOf(shop, /^db3 tail-stage/));
  });
});
