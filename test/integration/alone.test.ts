import { expect, test } from 'vitest';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();

test('a new primary that may not be alone opens when the replica that died during its promotion is back', async () => {
  const { lab, client, restore, startWorker, startLedger } = cluster();
  await restore('cluster');
  lab.configure({ alone: 'stop' });
  try {
    const first = await startWorker('first', 'promoteAndRoute.siblings:before');
    const ledger = startLedger();
    await ledger.acknowledged(20);
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    const running = client.failover({ cluster: 'shop', reason: 'test' });
    await first.says(/^held at /m);
    lab.host('db3').signal('mariadbd', 'SIGKILL');
    const second = await startWorker('second');
    await first.kill();
    await second.says(/db2 stays closed until a replica acknowledges/);
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
    await lab.host('db3').exec(['service', 'mariadb', 'start']);
    expect(await running).toMatchObject({ outcome: 'failed-over', newPrimary: 'db2' });
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db2' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    await until('lossless on record', async () => {
      const { stdout } = await lab.host('db2').exec(['cat', '/var/lib/standfast/sync']);
      return stdout.includes('lossless') && stdout.includes('db3') ? true : undefined;
    });
  } finally {
    lab.configure({});
  }
});
