import { describe, expect, test } from 'vitest';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { useCluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';

const cluster = useCluster();

describe('a primary that lost its power and came back', () => {
  test('refuses the application until it is prepared, and loses nothing', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const ledger = startLedger({ hosts: ['db1'] });
    await ledger.acknowledged(20);
    await lab.host('db1').powerOff();
    await lab.host('db1').powerOn();
    ledger.hostIsBack('db1');
    const back = Ledger.now();
    await until('a server that answers', async () => {
      const { exitCode } = await lab.host('db1').exec(['mariadb-admin', 'ping']);
      return exitCode === 0 ? true : undefined;
    });
    expect(await lab.host('db1').sql('SELECT @@read_only, @@event_scheduler')).toEqual([['1', 'OFF']]);
    expect((await lab.host('db1').exec(['ip', '-o', 'addr', 'show', 'eth0'])).stdout).not.toContain(lab.vip);
    for (const route of ['db1', 'db1/socket']) await ledger.attempted(20, { route, since: Ledger.now() });
    const opened = Ledger.now();
    expect(ledger.attempts().filter((one) => one.sentAt > back && one.outcome === 'ack')).toEqual([]);
    const result = await client.preparePrimary({ cluster: 'shop', host: 'db1' });
    expect(result).toMatchObject({ outcome: 'open', host: 'db1', mode: 'lossless' });
    await ledger.acknowledged(20, { since: opened });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    expect(await client.verify({ cluster: 'shop' })).toMatchObject({ outcome: 'ok' });
  });

  test('is opened by a failover as well, when a majority knows it as the primary', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    await lab.host('db1').powerOff();
    await lab.host('db1').powerOn();
    const result = await client.failover({ cluster: 'shop', reason: 'it rebooted' });
    expect(result).toMatchObject({ outcome: 'reopened', oldPrimary: 'db1', newPrimary: 'db1' });
    expect(await lab.host('db1').sql('SELECT @@read_only')).toEqual([['0']]);
  });
});

test('no other host is opened while one is recorded as the primary', async () => {
  const { lab, client, restoreWithWorker } = cluster();
  await restoreWithWorker('cluster', 'only');
  const refusal = await refusalOf(client.preparePrimary({ cluster: 'shop', host: 'db2' }));
  expect(refusal.type).toBe('Unsafe');
  expect(refusal.message).toContain('db1 is recorded as primary');
  expect(refusal.message).toContain('standfast failover shop --to db2');
  expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
  expect(await lab.host('db1').sql('SELECT @@read_only')).toEqual([['0']]);
});
