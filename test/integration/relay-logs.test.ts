import { describe, expect, test } from 'vitest';
import type { Host } from '../../lab/machine.ts';
import { until } from '../../lab/run.ts';
import { useCluster } from './cluster.ts';
import { refusalOf } from './refusal.ts';
import { useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();
const order = { cluster: 'shop', reason: 'test' };
const ROWS = 20;

/** One transaction a row. */
const insertRows = (count: number): string =>
  Array.from(
    { length: count },
    (_, row) => `INSERT INTO ledger.writes (token, route, server) VALUES (${String(row)}, 'test', 1)`,
  ).join(';');

const isUp = (host: Host): Promise<true> =>
  until(`the server of ${host.name}`, () =>
    host.sql('SELECT 1').then(
      () => true as const,
      () => undefined,
    ),
  );

/** It comes back closed and with both threads stopped. */
async function killServer(host: Host): Promise<void> {
  host.signal('mariadbd', 'SIGKILL');
  await until(`end of the server of ${host.name}`, () => (host.processes('mariadbd').length === 0 ? true : undefined));
  await host.exec(['service', 'mariadb', 'start']);
}

const cutPower = (host: Host): Promise<unknown> => host.powerOff().then(() => host.powerOn());
const SYNCED = '[mariadb]\\nsync_relay_log=1\\n';

const ENDS: readonly (readonly [string, (host: Host) => Promise<unknown>])[] = [
  ['both its threads were stopped', (host) => host.sql('STOP SLAVE')],
  ['its server was restarted', (host) => host.exec(['service', 'mariadb', 'restart'])],
  ['its server was killed and came back', killServer],
  ['its host, which syncs relay logs, lost power and came back', cutPower],
];

/** db3 alone acknowledges some rows and does not apply them; db2 receives nothing. */
async function onlyReceivedByDb3(): Promise<Host> {
  const { lab } = cluster();
  await lab.host('db3').exec(['bash', '-c', `printf '${SYNCED}' >/etc/mysql/mariadb.conf.d/60-sync.cnf`]);
  await lab.host('db3').sql('SET GLOBAL sync_relay_log = 1');
  await lab.host('db2').sql('STOP SLAVE IO_THREAD');
  await lab.host('db3').sql('STOP SLAVE SQL_THREAD');
  await lab.host('db1').sql(insertRows(ROWS));
  return lab.host('db3');
}

const rowsOn = async (host: Host): Promise<number> =>
  Number((await host.sql("SELECT COUNT(*) FROM ledger.writes WHERE route = 'test'"))[0]?.[0]);

const channels = async (host: Host): Promise<readonly string[]> =>
  (await host.sql('SHOW ALL SLAVES STATUS')).map((row) => row[0] ?? '');

describe('acknowledged rows that only the relay logs of one replica hold', () => {
  test.each(ENDS)('are on the new primary, when %s', async (_, end) => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const db3 = await onlyReceivedByDb3();
    await end(db3);
    await isUp(db3);
    expect(await rowsOn(db3)).toBe(0);
    await lab.host('db1').powerOff();
    const result = await client.failover(order);
    expect(result).toMatchObject({ outcome: 'failed-over', newPrimary: 'db3', loss: { lossless: true } });
    expect(await rowsOn(db3)).toBe(ROWS);
    expect(await channels(db3)).toEqual([]);
  });

  test('are kept and applied by a failover that is called off, and the replica goes on by GTID', async () => {
    const { lab, client, restoreWithWorker, startWorker } = cluster();
    const held = await restoreWithWorker('cluster', 'held', 'fenceAndDrain.receivers:after');
    const db3 = await onlyReceivedByDb3();
    await killServer(db3);
    await isUp(db3);
    lab.host('db1').signal('mariadbd', 'SIGKILL');
    await client.failover(order, { detach: true });
    await held.says(/^held at /m);
    const run = temporal().workflow.getHandle('operation/shop');
    await run.cancel();
    await held.kill();
    await startWorker('second');
    await expect(run.result()).rejects.toThrow('cancelled');
    expect(await rowsOn(db3)).toBe(ROWS);
    expect(await channels(db3)).toEqual(['']);
    await lab.host('db1').sql(insertRows(1));
    await until('db3 follows db1 again', async () => ((await rowsOn(db3)) === ROWS + 1 ? true : undefined));
  });
});

describe('a replica whose relay logs cannot be trusted', () => {
  test('lets nothing be promised when they are damaged, and nothing is started on it', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const db3 = await onlyReceivedByDb3();
    await db3.sql('STOP SLAVE');
    await db3.exec([
      'bash',
      '-c',
      'cd /var/lib/mysql; for log in *-relay-bin.0*; do [ $(stat -c %s $log) -lt 2000 ] || printf XXXXXXXX | dd of=$log bs=1 seek=$(($(stat -c %s $log) / 2)) conv=notrunc status=none; done',
    ]);
    await lab.host('db1').powerOff();
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({ type: 'Unsafe' });
    expect(refusal.message).toContain('1 of 2 recorded ackers contribute');
    expect(refusal.message).toContain('Nothing was changed');
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
    expect(await rowsOn(db3)).toBe(0);
  });

  test('lets nothing be promised after a power cut when they are not synced: they may have lost their end and look whole', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const db3 = await onlyReceivedByDb3();
    await db3.exec(['rm', '/etc/mysql/mariadb.conf.d/60-sync.cnf']);
    await cutPower(db3);
    await isUp(db3);
    await lab.host('db1').powerOff();
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({
      type: 'Unsafe',
      message: expect.stringContaining('1 of 2 recorded ackers contribute'),
    });
    expect(refusal.message).toContain('Nothing was changed');
  });

  test('lets nothing be promised when somebody started it with nobody to receive from', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('cluster', 'only');
    const db3 = await onlyReceivedByDb3();
    await lab.host('db1').powerOff();
    await killServer(db3);
    await isUp(db3);
    await db3.sql('START SLAVE');
    const refusal = await refusalOf(client.failover(order));
    expect(refusal).toMatchObject({ type: 'Unsafe' });
    expect(refusal.message).toContain('1 of 2 recorded ackers contribute');
    expect(await lab.host('db2').sql('SELECT @@read_only')).toEqual([['1']]);
  });
});
