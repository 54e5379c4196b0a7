import { describe, expect, test } from 'vitest';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { refusalOf } from './refusal.ts';
import { recordOn, useSmallLab } from './small-lab.ts';

const small = useSmallLab('2h', ['db1', 'db2']);
const order = { cluster: 'shop', reason: 'test' };

/** It answers, and refuses writes. */
const isClosed = async (host: string): Promise<boolean> =>
  (
    await until(
      `the server of ${host}`,
      () =>
        small()
          .lab.host(host)
          .sql('SELECT @@read_only')
          .catch(() => undefined),
      60_000,
    )
  ).flat()[0] === '1';

describe('two hosts without a witness', () => {
  test('fail over when the server is dead and both hosts answer', { timeout: 240_000 }, async () => {
    const { lab, client, restore, startLedger } = small();
    await restore();
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    expect(await client.failover(order)).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db2', faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
  });

  test(
    'fail over when the other is proven off, and the one that was off is not believed when it is back alone',
    { timeout: 480_000 },
    async () => {
      const { lab, client, restore, startLedger } = small();
      await restore();
      const ledger = startLedger();
      await ledger.acknowledged(20);
      const faultAt = Ledger.now();
      await lab.host('db1').powerOff();
      const result = await client.failover(order);
      expect(result).toMatchObject({
        outcome: 'failed-over',
        newPrimary: 'db2',
        decision: { fence: { rung: 'powerOff' } },
      });
      await ledger.acknowledged(20, { since: Ledger.now() });
      await ledger.stop();
      const verdict = await ledger.verdict({ primary: 'db2', faultAt });
      expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });

      // Now db2 dies, and db1 comes back with what it knew: that it is the primary itself.
      await lab.host('db2').powerOff();
      await lab.host('db1').powerOn();
      expect(await recordOn(lab, 'db1', 'primary')).toMatch(/ db1 led /);
      const refusal = await refusalOf(client.failover(order));
      expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
      expect(refusal.message).toMatch(
        /bring back db2, or, if nobody was made primary while db1 was off, .*on db1: standfast-host vouch/,
      );
      expect(await isClosed('db1')).toBe(true);

      // With db2 the truth is back, and db1 is told.
      await lab.host('db2').powerOn();
      // It restarted, so it is closed; it is the recorded primary, and opened again.
      expect(await isClosed('db2')).toBe(true);
      expect(await client.failover(order)).toMatchObject({ newPrimary: 'db2' });
      expect(await isClosed('db2')).toBe(false);
      expect(await isClosed('db1')).toBe(true);
      expect(await recordOn(lab, 'db1', 'primary')).toMatch(/ db2 - /);
    },
  );

  test('are opened by what a person vouches for, when the other is gone for good', { timeout: 240_000 }, async () => {
    const { lab, client, restore } = small();
    await restore();
    for (const host of ['db1', 'db2']) await lab.host(host).powerOff();
    await lab.host('db1').powerOn();
    expect((await refusalOf(client.failover(order))).message).toContain('standfast-host vouch');
    expect((await lab.host('db1').exec(['standfast-host', 'vouch'])).stdout).toContain('primary=db1');
    // Known again, but one of two is no majority: that is for the power switch, and only of a primary.
    expect((await refusalOf(client.failover(order))).message).not.toContain('vouch');
  });
});
