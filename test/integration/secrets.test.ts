import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  canariesOf,
  changed,
  foundAtControl,
  foundOnHosts,
  generalLogOf,
  logEverything,
  ProcessWatch,
} from './canaries.ts';
import { useCluster } from './cluster.ts';
import { othersEnded, stagesThere } from './stage.ts';
import { refusalOf } from './refusal.ts';

// Provisioning with every statement logged takes its time on a loaded machine.
vi.setConfig({ testTimeout: 300_000 });

// The last file (test/sequencer.ts): what is searched at the control seats is what all runs of the tests before left there, those that failed too.
const cluster = useCluster();

/** Where a secret must be on the hosts: a replica has to know how to log in at its source. */
const OF_THE_RECEIVER = (host: string): string => `${host} /var/lib/mysql/master.info: password of repl`;

test('no secret is in a history, the database of Temporal, a log, a file of a host or a process list after a provisioning and a failover', async () => {
  const { lab, client, restore, startWorker, startLedger } = cluster();
  const canaries = canariesOf(lab);
  await restore('plain');
  for (const host of ['db1', 'db2', 'db3']) await logEverything(lab, host);
  const worker = await startWorker('told-everything');
  const watch = new ProcessWatch(canaries);
  for (const host of ['db2', 'db3']) await client.provisionReplica({ cluster: 'shop', host });
  await client.verify({ cluster: 'shop' });
  const ledger = startLedger();
  await ledger.acknowledged(20);
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  const { outcome, newPrimary } = await client.failover({ cluster: 'shop', reason: 'a search for secrets' });
  expect(outcome).toBe('failed-over');
  await ledger.stop();
  const { found, programs, samples } = watch.stop();
  expect(found).toEqual([]);
  expect(samples).toBeGreaterThan(20);
  expect([...programs]).toEqual(expect.arrayContaining(['mariadb-backup', 'mbstream', 'mariadbd', 'sudo', 'ssh']));

  expect(worker.log().length).toBeGreaterThan(100);
  expect(readFileSync(path.join(lab.folder, 'run', 'temporal.db'), 'latin1')).toContain('provisionReplica');
  const onHosts = await foundOnHosts(lab, canaries);
  // The search finds what is there, and a primary has forgotten its source.
  expect(onHosts).toContain(OF_THE_RECEIVER(newPrimary === 'db2' ? 'db3' : 'db2'));
  expect(onHosts.filter((one) => !['db2', 'db3'].map(OF_THE_RECEIVER).includes(one))).toEqual([]);
  for (const host of ['db2', 'db3']) {
    const general = await generalLogOf(lab, host);
    expect(general).toContain('sql_log_off = 1');
    expect(general).toContain('START SLAVE');
  }
});

test('a password from the environment is in that of the worker alone, and no hook can print it', async () => {
  const { lab, client, restore, startWorker } = cluster();
  const [sql] = canariesOf(lab);
  if (sql === undefined) throw new Error('the lab has a password for SQL');
  await restore('cluster');
  const printing = lab.etc('printing');
  writeFileSync(printing, '#!/bin/sh\nenv >&2\nexit 1\n');
  chmodSync(printing, 0o700);
  const restored = changed(lab, 'standfast.yaml', (text) =>
    text
      .replace(`file:${lab.etc('standfast.password')}`, 'env:STANDFAST_SQL_PASSWORD')
      .replace(lab.etc('power'), printing),
  );
  const watch = new ProcessWatch([sql]);
  const worker = await startWorker('by-environment', undefined, { STANDFAST_SQL_PASSWORD: sql.value });
  await lab.host('db1').powerOff();
  const refusal = await refusalOf(client.failover({ cluster: 'shop', reason: 'the switch is broken' }));
  restored();
  expect(refusal.message).toContain('the power hook does not confirm');
  expect(refusal.message).toContain('PATH=');
  const { found } = watch.stop();
  expect(found).toEqual([`${sql.name} in environ of ${String(worker.pid)}`]);
});

test('no run of any test left a secret at a control seat', async () => {
  await othersEnded();
  for (const { lab, temporal } of stagesThere())
    expect(await foundAtControl(lab, temporal, canariesOf(lab))).toEqual([]);
});
