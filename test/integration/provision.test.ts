import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dataDirectory, tracesOfCopies } from '../../lab/copies.ts';
import type { Lab } from '../../lab/lab.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { signalPid } from '../../lab/processes.ts';
import { until } from '../../lab/run.ts';
import { caughtUp, checksums, useCluster, useWorker } from './cluster.ts';
import { expectDdlGoesOn, freezeCopy } from './copy.ts';
import { refusalOf } from './refusal.ts';
import { useTemporal } from './temporal.ts';

const cluster = useCluster();
const temporal = useTemporal();
const order = { cluster: 'shop', host: 'db2' };
const members = ['db1', 'db2', 'db3'];
/** The donor's files and what the copy of them weighs are of this order. */
const MB = 1_000_000;

const recordsOf = (lab: Lab, name: 'sync' | 'epoch'): Promise<readonly string[]> =>
  Promise.all(members.map(async (host) => (await lab.host(host).exec(['cat', `/var/lib/standfast/${name}`])).stdout));

/** Bytes that left the host, as its network card counts them. */
async function bytesSent(lab: Lab, host: string): Promise<number> {
  const { stdout } = await lab.host(host).exec(['ip', '-s', '-j', 'link', 'show', 'dev', 'eth0']);
  const [link] = JSON.parse(stdout) as readonly { readonly stats64: { readonly tx: { readonly bytes: number } } }[];
  return link?.stats64.tx.bytes ?? 0;
}

/** Answers when it stood still, on the clock of the ledger. */
function freeze(lab: Lab, host: string): number {
  lab.host(host).signal('mariadbd', 'SIGSTOP');
  return Ledger.now();
}

async function someCommitWaits(lab: Lab, primary: string): Promise<true | undefined> {
  const state = "STATE LIKE 'Waiting for semi-sync ACK%'";
  const [[waiting] = []] = await lab
    .host(primary)
    .sql(`SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ${state}`);
  return waiting === '0' ? undefined : true;
}

/** Waits until the run's copy is in the hands of a second worker. */
const isTakenOver = (workflowId: string): Promise<true> =>
  until('a second attempt at the copy', async () => {
    const { raw } = await temporal().workflow.getHandle(workflowId).describe();
    const [pending] = raw.pendingActivities ?? [];
    return (pending?.attempt ?? 0) > 1 && pending?.lastWorkerIdentity !== '' ? true : undefined;
  });

/** What a refusal must leave as it was. */
async function stateOf(lab: Lab) {
  return {
    epochs: await recordsOf(lab, 'epoch'),
    sync: await recordsOf(lab, 'sync'),
    data: await dataDirectory(lab, 'db2'),
    traces: [await tracesOfCopies(lab, 'db1'), await tracesOfCopies(lab, 'db2')],
  };
}

describe('provisioning', () => {
  test('makes a replica of a primary that is being written to, equal to it by checksum, and admits it', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    const ledger = startLedger({ hosts: ['db1'] });
    await ledger.acknowledged(20);
    const result = await client.provisionReplica(order);
    expect(result).toMatchObject({ outcome: 'admitted', host: 'db2', donor: 'db1' });
    expect(result.checksum.tables).toBeGreaterThan(5);
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    await caughtUp(lab, 'db2', 'db1');
    expect(await checksums(lab, 'db2')).toEqual(await checksums(lab, 'db1'));
    expect(await lab.host('db2').sql('SELECT @@read_only, @@event_scheduler')).toEqual([['1', 'OFF']]);
    for (const record of await recordsOf(lab, 'sync')) expect(record).toMatch(/lossless.*\bdb2\b/);
    for (const host of ['db1', 'db2']) expect(await tracesOfCopies(lab, host)).toEqual([]);
  });

  test('leaves a primary that waits: without its only acker no write is acknowledged', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    await client.provisionReplica(order);
    const ledger = startLedger({ hosts: [] });
    await ledger.acknowledged(20);
    const frozenAt = freeze(lab, 'db2');
    try {
      await until('a commit that waits for db2', () => someCommitWaits(lab, 'db1'));
      expect(ledger.attempts().filter((one) => one.sentAt > frozenAt && one.outcome === 'ack')).toEqual([]);
    } finally {
      // A write that nobody acknowledges would hold up the end of the ledger.
      lab.host('db2').signal('mariadbd', 'SIGCONT');
    }
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    expect(await ledger.verdict({ primary: 'db1' })).toMatchObject({ lost: [], duplicated: [] });
  });

  test('sends the bytes once when the worker is killed in the middle of the copy', async () => {
    const { lab, client, startWorker, restoreWithWorker } = cluster();
    const first = await restoreWithWorker('plain', 'first');
    const sentBefore = await bytesSent(lab, 'db1');
    const running = client.provisionReplica(order);
    const copy = await freezeCopy(lab, 'db1', 20 * MB);
    const [backup] = lab.host('db1').processes('mariadb-backup');
    expect(copy.bytes()).toBeGreaterThan(20 * MB);
    await first.kill();
    await startWorker('second');
    await isTakenOver('provision/shop/db2');
    expect(lab.host('db1').processes('dd')).toEqual([copy.counter]);
    expect(lab.host('db1').processes('mariadb-backup')).toEqual([backup]);
    copy.thaw();
    const result = await running;
    const sent = (await bytesSent(lab, 'db1')) - sentBefore;
    expect(result.bytes).toBeGreaterThan(30 * MB);
    // What was sent before the kill weighs more than all that is sent beside the copy.
    expect(sent).toBeGreaterThan(result.bytes);
    expect(sent).toBeLessThan(result.bytes + 10 * MB);
    const journal = (await lab.host('db1').exec(['grep', 'job-send', '/var/lib/standfast/journal'])).stdout;
    expect(journal.match(/job-send begin/g)).toHaveLength(2);
    await caughtUp(lab, 'db2', 'db1');
    expect(await checksums(lab, 'db2')).toEqual(await checksums(lab, 'db1'));
  });

  test('ends with the reason and two clean hosts when the copy fails', async () => {
    const { lab, client, startLedger, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    const ledger = startLedger({ hosts: [] });
    await ledger.acknowledged(20);
    const before = await stateOf(lab);
    const running = refusalOf(client.provisionReplica(order));
    const copy = await freezeCopy(lab, 'db1');
    for (const pid of lab.host('db1').processes('mariadb-backup')) signalPid(pid, 'SIGKILL');
    copy.thaw();
    const refusal = await running;
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 5 });
    expect(refusal.message).toMatch(/the copy failed on db1 in step send \(exit backup:137/);
    expect(refusal.facts).toMatchObject({ changed: true, notUndone: [] });
    expect(await stateOf(lab)).toEqual(before);
    expect(lab.host('db2').processes('mariadbd')).toEqual([]);
    await expectDdlGoesOn(lab, 'db1');
    await ledger.acknowledged(20, { since: Ledger.now() });
    expect(await client.provisionReplica(order)).toMatchObject({ outcome: 'admitted' });
  });

  test('is refused while the same host is being provisioned, and names what runs', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    const running = client.provisionReplica(order);
    const copy = await freezeCopy(lab, 'db1');
    const refusal = await refusalOf(client.provisionReplica(order));
    expect(refusal).toMatchObject({ type: 'Busy', exitCode: 4 });
    expect(refusal.message).toContain('provision/shop/db2');
    expect(lab.host('db1').processes('dd')).toEqual([copy.counter]);
    copy.thaw();
    expect((await running).outcome).toBe('admitted');
  });
});

describe('provisioning is refused with nothing changed', () => {
  test('when the target holds data, which is named', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    await lab
      .host('db2')
      .exec(['sh', '-c', 'mkdir /var/lib/mysql/payroll && echo 1 >/var/lib/mysql/payroll/salary.ibd']);
    const before = await stateOf(lab);
    const refusal = await refusalOf(client.provisionReplica(order));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toMatch(/db2 is not a fresh installation, it has: payroll.*nothing was changed/s);
    expect(await stateOf(lab)).toEqual(before);
  });

  test('when a database server runs on the target', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    expect((await lab.host('db2').exec(['service', 'mariadb', 'start'])).exitCode).toBe(0);
    const refusal = await refusalOf(client.provisionReplica(order));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toMatch(/mysqld runs on db2 .*nothing was changed/s);
    expect(lab.host('db2').processes('mariadbd')).toHaveLength(1);
  });

  test('when the placement policy forbids the target, before a byte moves', async () => {
    const { lab, client, restoreWithWorker } = cluster();
    await restoreWithWorker('plain', 'only');
    const before = await stateOf(lab);
    const inventory = readFileSync(lab.etc('standfast.yaml'), 'utf8');
    onTestFinished(() => {
      writeFileSync(lab.etc('standfast.yaml'), inventory);
    });
    writeFileSync(lab.etc('standfast.yaml'), inventory.replace(/(oslo-b:\s+country:) NO/, '$1 SE'));
    const sentBefore = await bytesSent(lab, 'db1');
    const refusal = await refusalOf(client.provisionReplica(order));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toContain('db2 stands in SE (site oslo-b), and policy.placement allows only NO');
    expect(await stateOf(lab)).toEqual(before);
    expect((await bytesSent(lab, 'db1')) - sentBefore).toBeLessThan(MB);
  });
});

describe('provisioning is refused, and the primary left as it is,', () => {
  useWorker(cluster);

  test.each([
    ['sync_binlog=0', /sync_binlog is 0: .*\(SET GLOBAL sync_binlog=1, and put it into its configuration/],
    [
      'innodb_flush_log_at_trx_commit=2',
      /innodb_flush_log_at_trx_commit is 2: .*\(SET GLOBAL innodb_flush_log_at_trx_commit=1/,
    ],
    ['gtid_strict_mode=0', /gtid_strict_mode is OFF: .*\(SET GLOBAL gtid_strict_mode=1/],
    ["binlog_format='MIXED'", /binlog_format is MIXED: .*\(SET GLOBAL binlog_format=ROW/],
  ])('when the primary runs with %s, naming the setting and its remedy', async (setting, sentence) => {
    const { lab, client } = cluster();
    if (lab.host('db2').processes('mariadbd').length > 0) throw new Error('db2 is to be empty here');
    const [name = ''] = setting.split('=');
    const [[usual = ''] = []] = await lab.host('db1').sql(`SELECT @@GLOBAL.${name}`);
    await lab.host('db1').sql(`SET GLOBAL ${setting}`);
    const refusal = await refusalOf(client.provisionReplica(order));
    await lab.host('db1').sql(`SET GLOBAL ${name}='${usual}'`.replace(/'(\d+)'/, '$1'));
    expect(refusal).toMatchObject({ type: 'Unsafe', exitCode: 4 });
    expect(refusal.message).toMatch(sentence);
    expect(refusal.message).toContain('Nothing was changed');
  });

  test.each([
    [{ host: 'db1' }, 'Unsafe', 4, 'db1 is the primary itself; nothing was changed'],
    [{ host: 'db9' }, 'BadInput', 2, 'db9 is not a database host of shop (it has db1, db2, db3)'],
    [{ host: 'db2', from: 'db2' }, 'Unsafe', 4, 'db2 is the donor itself; nothing was changed'],
    [{ host: 'db2', from: 'db3' }, 'Unsafe', 4, 'db3 does not answer'],
  ])('when it is asked for %o', async (fields, type, exitCode, sentence) => {
    const { client } = cluster();
    const refusal = await refusalOf(client.provisionReplica({ cluster: 'shop', ...fields }));
    expect(refusal).toMatchObject({ type, exitCode });
    expect(refusal.message).toContain(sentence);
  });
});
