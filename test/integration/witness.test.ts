import { describe, expect, test } from 'vitest';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { refusalOf } from './refusal.ts';
import { recordOn, useSmallLab } from './small-lab.ts';

const small = useSmallLab('2w', ['db1', 'db2', 'w1']);
const order = { cluster: 'shop', reason: 'test' };

describe('two hosts and a witness', () => {
  test('fail over by the vote of the witness when the primary loses its power', { timeout: 240_000 }, async () => {
    const { lab, client, restore, startLedger } = small();
    await restore();
    const ledger = startLedger();
    await ledger.acknowledged(20);
    const faultAt = Ledger.now();
    await lab.host('db1').powerOff();
    const result = await client.failover(order);
    expect(result).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db2', faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    expect(await recordOn(lab, 'w1', 'epoch')).toBe(await recordOn(lab, 'db2', 'epoch'));
    expect(await recordOn(lab, 'w1', 'primary')).toMatch(/ db2 - /);
  });

  test(
    'leave nothing but the helper on the witness: no database, no keepalived, no VIP',
    { timeout: 240_000 },
    async () => {
      const { lab, client, restore } = small();
      await restore();
      const witness = lab.host('w1');
      expect([...witness.processes('mariadbd'), ...witness.processes('keepalived')]).toEqual([]);
      for (const file of ['/etc/keepalived/keepalived.conf', '/etc/mysql/mariadb.conf.d/zz-standfast.cnf'])
        expect((await witness.exec(['test', '-e', file])).exitCode, file).not.toBe(0);
      expect((await witness.exec(['ip', '-4', 'addr', 'show'])).stdout).not.toContain(lab.vip);
      const found = await refusalOf(client.provisionReplica({ cluster: 'shop', host: 'w1' }));
      expect(found.message).toContain('w1 is not a database host of shop');
    },
  );

  test(
    'do without the witness while the hosts answer, and say whom they need when they do not',
    { timeout: 300_000 },
    async () => {
      const { lab, client, restore, startLedger } = small();
      await restore();
      await lab.host('w1').powerOff();
      const ledger = startLedger();
      await ledger.acknowledged(20);
      lab.host('db1').signal('mariadbd', 'SIGKILL');
      expect(await client.failover(order)).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
      await ledger.acknowledged(20, { since: Ledger.now() });
      await lab.host('db2').powerOff();
      const refusal = await refusalOf(client.failover(order));
      expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
      expect(refusal.message).toMatch(/1 of 3 members answered.*bring back db2 or w1.*Nothing was changed/s);
      await lab.host('w1').powerOn();
      // The witness missed that record and is told; a witness is never switched off as primary, so it counts.
      await lab.host('db2').powerOn();
      expect(await client.failover(order)).toMatchObject({ newPrimary: 'db2' });
      expect(await recordOn(lab, 'w1', 'primary')).toMatch(/ db2 - /);
    },
  );
});
