import { describe, expect, it } from 'vitest';
import { SHOP } from '../domain/shop.ts';
import type { Circumstances } from './sim/attempt.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { decide, firstOf, promote, RUN } from './sim/runs.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

/** db1 of two is off, and db2 was promoted in its place. */
async function promotedAlone() {
  const shop = new SimulatedShop({ hosts: SHOP.hosts.slice(0, 2), alone: 'async' });
  shop.powerOff('db1');
  const decision = await decide(shop);
  expect(await promote(shop, decision)).toMatchObject({ kind: 'done' });
  const asked: string[] = [];
  shop.powerHook = (host) => {
    asked.push(host);
    return `${host} is off`;
  };
  const { fence, epoch } = decision;
  const settle = (how: Circumstances = {}) =>
    attempt(shop, 'settleCluster', { ...how, input: { ...RUN, primary: 'db2', epoch, fence } });
  return { shop, asked, settle };
}

describe('settling', () => {
  it('of a two-host cluster counts the fence of the host that is off, and asks nobody again', async () => {
    const { shop, asked, settle } = await promotedAlone();
    expect(await settle()).toMatchObject({ kind: 'done' });
    expect(shop.database('db2').channel).toBeNull();
    expect(asked).toEqual([]);
    expect(shop.write('db2')).toBe('acknowledged');
  });

  it('has the host proven off anew when another attempt claims', async () => {
    const { shop, asked, settle } = await promotedAlone();
    expect(await settle({ attempt: 2 })).toMatchObject({ kind: 'done' });
    expect(shop.database('db2').channel).toBeNull();
    expect(asked).toEqual(['db1']);
  });

  it('touches nothing on a host that is not primary any more', async () => {
    const shop = new SimulatedShop();
    const outcome = await attempt(shop, 'settleCluster', {
      input: { ...RUN, primary: 'db2', epoch: { number: 5, run: RUN.run } },
    });
    expect(firstOf(shop, /RESET SLAVE ALL/)).toBe(Infinity);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
  });

  it('touches nothing when another operation has claimed since', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const { epoch, ...decision } = await decide(shop);
    await promote(shop, { epoch, ...decision });
    shop.claimByOther('run-other');
    const outcome = await attempt(shop, 'settleCluster', { input: { ...RUN, primary: 'db2', epoch } });
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(shop.database('db2').channel).not.toBeNull();
  });
});

describe('the events of the new primary', () => {
  const NOTED = '{"enabled":[["shop","hourly"],["shop","once"]],"disabled":[["shop","local"],["shop","purge"]]}';

  /** db2 was promoted; replication had switched off all of its events. */
  async function promoted(change: (shop: SimulatedShop) => void = () => undefined) {
    const shop = new SimulatedShop();
    shop.runsEvents = true;
    const db2 = shop.database('db2');
    db2.notedEvents = NOTED;
    db2.events = [
      { name: 'hourly', status: 'SLAVESIDE_DISABLED' },
      { name: 'once', status: 'SLAVESIDE_DISABLED', isOver: true },
      { name: 'purge', status: 'SLAVESIDE_DISABLED' },
      { name: 'local', status: 'DISABLED' },
    ];
    change(shop);
    shop.kill('db1');
    const decision = await decide(shop);
    expect(await promote(shop, decision)).toMatchObject({ kind: 'done' });
    const input = { ...RUN, primary: decision.winner, epoch: decision.epoch };
    const settle = () => attempt(shop, 'settleCluster', { input });
    return { shop, db2, settle };
  }
  const statuses = (db2: { readonly events: readonly { readonly status: string }[] }) =>
    db2.events.map(({ status }) => status);
  const REMEDY =
    "SET character_set_client = 'utf8mb4', collation_connection = 'utf8mb4_general_ci'; ALTER DEFINER = `app`@`%` EVENT `shop`.`hourly` ENABLE; SET NAMES utf8mb4";

  it('run again, except for those that a person had disabled, and one that would run twice', async () => {
    const { db2, settle } = await promoted();
    expect(await settle()).toMatchObject({
      kind: 'done',
      value: {
        events: { enabled: ['shop.hourly'], disabled: ['shop.purge'], leftOff: [{ event: 'shop.once' }] },
      },
    });
    expect(statuses(db2)).toEqual(['ENABLED', 'SLAVESIDE_DISABLED', 'SLAVESIDE_DISABLED', 'DISABLED']);
    expect(db2.eventScheduler).toBe(true);
    expect(db2.notedEvents).toBe(NOTED);
    expect(await settle()).toMatchObject({ kind: 'done', value: { events: { enabled: [] } } });
  });

  it('are named with the statement for each when the account may not switch them on, and nothing fails', async () => {
    const { db2, settle } = await promoted((shop) => (shop.database('db2').maySwitchEvents = false));
    expect(await settle()).toMatchObject({
      kind: 'done',
      value: {
        events: {
          enabled: [],
          leftOff: [
            { event: 'shop.once' },
            { event: 'shop.hourly', why: expect.stringContaining('1044') as string, statement: REMEDY },
          ],
        },
      },
    });
    expect(db2.channel).toBeNull();
    expect(db2.eventScheduler).toBe(true);
    db2.maySwitchEvents = true;
    expect(await settle()).toMatchObject({ kind: 'done', value: { events: { enabled: ['shop.hourly'] } } });
  });

  it('are left to a person when nobody had noted which of them were enabled, also when it is done again', async () => {
    const { db2, settle } = await promoted((shop) => (shop.database('db2').notedEvents = null));
    for (const turn of [1, 2])
      expect([turn, await settle()]).toMatchObject([
        turn,
        { value: { events: { enabled: [], disabled: [], leftOff: [{}, {}, { event: 'shop.purge' }] } } },
      ]);
    expect(statuses(db2)).toEqual([...['SLAVESIDE_DISABLED', 'SLAVESIDE_DISABLED', 'SLAVESIDE_DISABLED'], 'DISABLED']);
  });

  it('are not run on a primary that was started anew since, and is closed', async () => {
    const { shop, db2, settle } = await promoted();
    db2.die();
    db2.boot();
    shop.log.length = 0;
    expect(await settle()).toMatchObject({
      kind: 'done',
      value: { events: { enabled: [], leftOff: [], fault: 'none were run, since db2 is read-only' } },
    });
    expect(shop.log.filter((line) => /CREATE|ALTER|EXECUTE|CALL|event_scheduler/.test(line))).toEqual([]);
    expect(statuses(db2)[0]).toBe('SLAVESIDE_DISABLED');
    expect(db2.eventScheduler).toBe(false);
  });

  it('run although they cannot be noted, and that is told', async () => {
    const { db2, settle } = await promoted((shop) => (shop.database('db2').noteFault = '1205: Lock wait timeout'));
    db2.events.push({ name: 'new', status: 'ENABLED' });
    expect(await settle()).toMatchObject({
      kind: 'done',
      value: { events: { enabled: ['shop.hourly'], fault: 'db2: 1205: Lock wait timeout' } },
    });
    expect(db2.eventScheduler).toBe(true);
  });

  it('have what they are noted in made once', async () => {
    const { shop, settle } = await promoted();
    await settle();
    shop.log.length = 0;
    await settle();
    expect(firstOf(shop, /CREATE/)).toBe(Infinity);
  });

  it('are run over another session when one is lost', async () => {
    const { shop, db2, settle } = await promoted();
    shop.interrupt('before', /^db2 sql EXECUTE IMMEDIATE/, () => {
      for (const session of shop.sessions) session.kill();
    });
    expect(await settle()).toMatchObject({ kind: 'done', value: { events: { enabled: ['shop.hourly'] } } });
    expect(db2.eventScheduler).toBe(true);
  });

  it('are nobody else to run when another operation has claimed in the middle', async () => {
    const { shop, db2, settle } = await promoted();
    shop.interrupt('before', /^db2 sql EXECUTE IMMEDIATE/, () => {
      shop.claimByOther('run-other');
      for (const session of shop.sessions) session.kill();
    });
    expect(await settle()).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(db2.eventScheduler).toBe(false);
  });

  it('fail nothing when the server does not answer, and that is told', async () => {
    const { shop, settle } = await promoted();
    shop.interrupt('before', /^db2 sql EXECUTE IMMEDIATE/, () => {
      shop.hang('db2');
    });
    expect(await settle()).toMatchObject({
      kind: 'done',
      value: { events: { enabled: [], fault: expect.stringContaining('it is not known whether all run') as string } },
    });
  });

  it('are switched off again when somebody has put another one in the place of one meanwhile', async () => {
    const { shop, db2, settle } = await promoted();
    shop.interrupt('before', /^db2 sql EXECUTE IMMEDIATE/, () => {
      const [hourly] = db2.events;
      if (hourly !== undefined) hourly.body = 'GRANT ALL';
    });
    expect(await settle()).toMatchObject({
      kind: 'done',
      value: {
        events: {
          enabled: [],
          leftOff: [{}, { event: 'shop.hourly', why: expect.stringContaining('made it anew') as string }],
        },
      },
    });
    expect(statuses(db2)[0]).toBe('DISABLED');
  });

  it('are not touched when the policy is not to run them', async () => {
    const { db2, settle } = await promoted((shop) => (shop.runsEvents = false));
    expect(await settle()).toMatchObject({ kind: 'done', value: { events: null } });
    expect(statuses(db2)[0]).toBe('SLAVESIDE_DISABLED');
    expect(db2.eventScheduler).toBe(false);
  });
});
