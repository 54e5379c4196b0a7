import { describe, expect, it } from 'vitest';
import { observationOf } from '../../domain/observation.ts';
import { attempt, inSimulatedTime } from './sim/attempt.ts';
import { noAnswer } from './sim/ports.ts';
import { decide, fence, firstOf, open, promote } from './sim/runs.ts';
import { pass } from './sim/session.ts';
import { SimulatedShop } from './sim/shop.ts';

inSimulatedTime();

const isOpen = (shop: SimulatedShop, host: string): boolean => !shop.database(host).readOnly;

/** db1 restarted and is closed, as every member is then. */
function withClosedPrimary(): SimulatedShop {
  const shop = new SimulatedShop();
  shop.kill('db1');
  shop.database('db1').boot();
  return shop;
}

describe('an operation', () => {
  it('that only a minority obeys changes nothing, although all members could be read', async () => {
    const shop = withClosedPrimary();
    shop.interrupt('before', /^db2 claim/, () => noAnswer('db2'));
    shop.interrupt('before', /^db3 claim/, () => noAnswer('db3'));
    const outcome = await open(shop, 'db1');
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unsafe', message: expect.stringMatching(/1 of 3 members/) });
    expect(shop.log).toEqual(['db1 claim']);
    expect(isOpen(shop, 'db1')).toBe(false);
  });

  it('that two of four obey is no majority with the primary switched off, which is one of the two', async () => {
    const shop = new SimulatedShop({ witnesses: ['witness1'] });
    shop.hang('db1');
    shop.interrupt('before', /^db3 claim/, () => noAnswer('db3'));
    shop.interrupt('before', /^witness1 claim/, () => noAnswer('witness1'));
    expect(await fence(shop)).toMatchObject({
      kind: 'done',
      value: { kind: 'refused', explains: expect.stringContaining('2 of 4 members of shop accepted epoch 5') },
    });
    expect(firstOf(shop, / sql /)).toBe(Infinity);
  });

  it('that a majority obeys does not open a host that did not claim with it', async () => {
    const shop = withClosedPrimary();
    shop.interrupt('before', /^db1 claim/, () => noAnswer('db1'));
    const outcome = await open(shop, 'db1');
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('db1 did not accept epoch 5') });
    expect(shop.log).toEqual(['db2 claim', 'db3 claim']);
    expect(isOpen(shop, 'db1')).toBe(false);
  });

  it('does not count a member whose server hangs: its sessions could not be ended', async () => {
    const shop = withClosedPrimary();
    shop.hang('db2');
    shop.hang('db3');
    const outcome = await open(shop, 'db1');
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unsafe', message: expect.stringMatching(/1 of 3 members/) });
    expect(isOpen(shop, 'db1')).toBe(false);
  });

  it('does not count a member whose server denies its root, and says what mends that', async () => {
    const shop = withClosedPrimary();
    shop.database('db1').deniesRoot = true;
    const needed = await open(shop, 'db1');
    expect(needed).toMatchObject({ kind: 'failed', type: 'Unreachable' });
    shop.database('db2').deniesRoot = true;
    shop.hang('db3');
    const few = await open(shop, 'db1');
    expect(few).toMatchObject({ kind: 'failed', type: 'Unsafe' });
    for (const [outcome, servers] of [
      [needed, 'db1'],
      [few, 'db1 and db2'],
    ] as const)
      expect(outcome).toHaveProperty(
        'message',
        expect.stringContaining(`the server of ${servers} denies root the login over its socket`),
      );
    expect(few).toHaveProperty(
      'message',
      expect.stringMatching(/ALTER USER root@localhost .*; the server of db3 lets/),
    );
    expect(isOpen(shop, 'db1')).toBe(false);
  });

  it('is refused when another one claimed the same epoch first', async () => {
    const shop = withClosedPrimary();
    shop.interrupt('before', /^db[123] claim/, () => {
      shop.claimByOther('run-other');
    });
    expect(await open(shop, 'db1')).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(isOpen(shop, 'db1')).toBe(false);
  });

  it('that was frozen when it had asked whether it still counts does not overtake the attempt that has the work by now', async () => {
    const shop = withClosedPrimary();
    const late = await open(shop, 'db1', {
      isOurs: async () => {
        expect(await open(shop, 'db1', { attempt: 2 })).toMatchObject({ kind: 'done' });
        return true;
      },
    });
    expect(late).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(shop.member('db1').epoch).toEqual({ number: 5, run: 'run-5/openPrimary.2' });
  });

  it('that was given to another attempt meanwhile claims nothing', async () => {
    const shop = withClosedPrimary();
    const late = await open(shop, 'db1', { isOurs: () => Promise.resolve(false) });
    expect(late).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(shop.log).toEqual([]);
  });

  it('that another one overtook says no word on a session that it opens afterwards', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    const outcome = await promote(shop, decided, {
      at: {
        'promoteAndRoute.open:before': () => {
          shop.claimByOther('run-other');
        },
      },
    });
    expect(isOpen(shop, 'db2')).toBe(false);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
  });

  it('that another one overtook in the middle of a step loses its session, and opens no second one for the rest', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    shop.interrupt('before', /^db2 sql SET GLOBAL read_only = 0/, () => {
      shop.claimByOther('run-other');
    });
    const outcome = await promote(shop, decided);
    expect(isOpen(shop, 'db2')).toBe(false);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unreachable' });
  });

  it('whose held session is replaced, under the epoch, when it is gone', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    const restart = (): void => {
      shop.kill('db2');
      shop.database('db2').boot();
    };
    const outcome = await promote(shop, decided, { at: { 'promoteAndRoute.siblings:before': restart } });
    expect(outcome).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(isOpen(shop, 'db2')).toBe(true);
  });

  it('does not act on a session that it held while another one claimed on a server that hung', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    const overtake = async (): Promise<void> => {
      shop.hang('db2');
      shop.claimByOther('run-other');
      await pass(600);
      shop.database('db2').process = 'running';
    };
    const outcome = await promote(shop, decided, { at: { 'promoteAndRoute.open:before': overtake } });
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(isOpen(shop, 'db2')).toBe(false);
  });

  it('takes a higher number when another one was claimed since it looked', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    shop.interrupt('after', /^db2 relay-source/, () => {
      shop.claimByOther('run-other');
    });
    const { epoch } = await decide(shop);
    expect(epoch.number).toBeGreaterThan(2);
  });

  it('does not act on a record that reached a minority', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    shop.interrupt('before', /^db1 record-primary/, () => noAnswer('db1'));
    shop.interrupt('before', /^db3 record-primary/, () => noAnswer('db3'));
    const outcome = await promote(shop, decided);
    expect(outcome).toMatchObject({ kind: 'failed', type: 'Unverified', message: expect.stringContaining('1 of 3') });
    expect(firstOf(shop, /^db3 sql CHANGE MASTER/)).toBe(Infinity);
    expect(isOpen(shop, 'db2')).toBe(false);
  });

  it('makes a member that was silent at the claim take its epoch before an order', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    shop.interrupt('before', /^db3 claim/, () => noAnswer('db3'));
    const decided = await decide(shop);
    expect(await promote(shop, decided)).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(shop.member('db3').epoch).toEqual(decided.epoch);
  });
});

describe('a worker that comes back late', () => {
  it('has no effect after a second attempt of the same run took over', async () => {
    const shop = new SimulatedShop();
    shop.kill('db1');
    const decided = await decide(shop);
    let wake = (): void => undefined;
    const frozen = new Promise<void>((resolve) => (wake = resolve));
    const late = promote(shop, decided, { at: { 'promoteAndRoute.semi-sync:before': () => frozen } });
    const second = await promote(shop, decided, { attempt: 2 });
    const effects = shop.log.length;
    wake();
    expect(await late).toMatchObject({ kind: 'failed', type: 'Stale' });
    expect(second).toMatchObject({ kind: 'done', value: { mode: 'lossless' } });
    expect(shop.log.length).toBe(effects);
    expect(shop.member('db2').sync).toMatchObject({ mode: 'lossless' });
  });
});

describe('a member whose lineage is damaged', () => {
  it.each(['4:1:0-1-x', '4:one:', 'nonsense', '4:1:0-1-5;'])(
    'takes no part, by name, and is not read as one without (%s)',
    async (lineage) => {
      const shop = new SimulatedShop();
      shop.member('db3').lineage = lineage;
      const seen = await attempt(shop, 'observeCluster', { input: { cluster: 'shop' } });
      if (seen.kind !== 'done') throw new Error(`it ended ${seen.kind}`);
      const { helper } = observationOf(seen.value, 'db3');
      expect(helper.reach).toBe('denied');
      expect(helper).toMatchObject({
        why: expect.stringMatching(
          /^the lineage in the record primary on db3 is damaged .*never copy it .* remove it and \/var\/lib\/standfast\/standing/,
        ),
      });
    },
  );

  it('is done without: the others fail over, and it is not elected', async () => {
    const shop = new SimulatedShop({ alone: 'async' });
    shop.member('db2').lineage = 'nonsense';
    shop.kill('db1');
    const decided = await decide(shop);
    expect(decided.winner).toBe('db3');
    expect(await promote(shop, decided)).toMatchObject({ kind: 'done' });
    expect(shop.lostOn('db3')).toEqual([]);
    expect(shop.violations).toEqual([]);
  });
});
