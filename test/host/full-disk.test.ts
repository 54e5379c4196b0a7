import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, until, WORKER_KEY, type Outcome } from './sandbox.ts';

// The data and the records on one file system, which the server has filled.

const owner = 'plane-1';
const order = { owner, epoch: 1, run: 'run-1' };
const RECORDS = '/var/lib/standfast';
const proven = { process: 'gone', supervisor: 'gone', port: 'closed', vip: 'no' };
const full = { ok: false, type: 'Unverified', message: expect.stringMatching(/is full .*make room/) };

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.shell(`mkdir -p /srv/small; mount -t tmpfs -o size=320m small /srv/small
    cp -a ${RECORDS} /srv/small/records; mount --bind /srv/small/records ${RECORDS}
    install -d -o mysql -g mysql /srv/small/data; mount --bind /srv/small/data /var/lib/mysql`);
  host.installDatabase();
  host.fields('configure', { owner, server_id: 7, report_host: 'db1' });
});
afterAll(() => host.stop());
beforeEach(() => {
  host.shell(`rm -f /srv/small/rest ${RECORDS}/epoch ${RECORDS}/fenced ${RECORDS}/primary`);
  host.fields('configure', { owner, server_id: 7, report_host: 'db1' });
});

/** To the last byte, also of what a server that runs gives back meanwhile. */
const fill = (): void => {
  host.shell(`cat /dev/zero >/srv/small/rest || true
    while echo x >${RECORDS}/probe; do cat /dev/zero >>/srv/small/rest || true; done
    rm -f ${RECORDS}/probe`);
};

describe('a full disk', () => {
  it('keeps no operation from claiming the host and fencing its server, which goes on writing', async () => {
    host.fields('unfence', { ...order, ...claimed(1) });
    host.serve({ owner });
    host.sql(`SET GLOBAL read_only=0; CREATE DATABASE shop; CREATE TABLE shop.t (i INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB);
      INSERT INTO shop.t (b) VALUES (REPEAT('x', 4000000))`);
    const writes = host.start(
      ...['bash', '-c'],
      'while :; do mariadb --no-defaults -uroot -S /run/mysqld/mysqld.sock -f -e "INSERT INTO shop.t (b) SELECT b FROM shop.t LIMIT 4"; done',
    );
    await until(
      'the server has filled it',
      () => Number(host.shell('df --output=avail -k /srv/small | tail -n 1')),
      (left) => left < 1024,
    );
    fill();
    expect(host.fields('claim', { ...order, epoch: 5, run: 'run-5', account: 'standfast' })).toMatchObject({
      epoch: '5',
    });
    expect(host.fields('fence', { ...order, epoch: 5, run: 'run-5' })).toEqual(proven);
    writes.kill('SIGKILL');
    expect(host.fields('records')).toMatchObject({ epoch: '5', run: 'run-5', fenced: 'yes' });
    expect(host.shell(`stat -c %a ${RECORDS}/epoch`)).toBe('600');
    host.shell('rm -r /var/lib/mysql/shop /var/lib/mysql/ibdata1');
  });

  it('takes several records, of which the last one counts', () => {
    claimed(1);
    fill();
    for (const epoch of [2, 3, 4]) claimed(epoch);
    const lineage = Array.from({ length: 100 }, (_, at) => `${String(at + 1)}:7:0-7-${String(at)}`).join(';');
    host.fields('record-primary', {
      ...{ owner, epoch: 4, run: 'run-4', host: 'db1', lineage },
      ...{ mode: 'lossless', ackers: 'db2', k: 1 },
    });
    expect(host.fields('records')).toMatchObject({ epoch: '4', primary: 'db1', lineage, mode: 'lossless' });
  });

  it('is said to be the reason, with the remedy, when nothing is left that could be written over; and room is kept again when there is some', () => {
    claimed(1);
    host.shell(`rm -r ${RECORDS}/spare`);
    fill();
    expect(host.ask('claim', { owner, epoch: 2, run: 'run-2', account: 'standfast' })).toEqual(full);
    expect(host.fields('records')).toMatchObject({ epoch: '1' });
    host.shell('rm /srv/small/rest');
    host.fields('configure', { owner, server_id: 7, report_host: 'db1' });
    fill();
    expect(host.ask('claim', { owner, epoch: 2, run: 'run-2', account: 'standfast' }).ok).toBe(true);
  });
});

describe('a host whose /run is full, and has no log of its helper', () => {
  beforeAll(() => {
    host.shell(`mkdir -p /srv/run; mount -t tmpfs -o nr_inodes=64 run /srv/run
      cp -a /run/standfast/. /srv/run/; mount --bind /srv/run /run/standfast`);
  });
  afterAll(() => {
    host.shell('umount /run/standfast');
  });
  afterEach(() => {
    host.shell('rm -f /run/standfast/rest.*');
  });
  /** To the last inode: no file can be made. */
  const fillRun = (): void => {
    host.shell(`rm -f /run/standfast/{daemon.log,port-rule}
      for ((at = 0; at < 100; at++)); do : >/run/standfast/rest.$at || break; done 2>/dev/null`);
    expect(host.run('bash', '-c', ': >/run/standfast/daemon.log').exitCode).not.toBe(0);
  };

  it('can be claimed and fenced: its records are elsewhere, and have room', () => {
    host.fields('unfence', { owner, ...claimed(1) });
    fillRun();
    expect(claimed(2)).toEqual({ epoch: 2, run: 'run-2' });
    expect(host.fields('fence', { owner, epoch: 2, run: 'run-2' })).toEqual(proven);
    expect(host.fields('records')).toMatchObject({ epoch: '2', fenced: 'yes' });
    expect(host.fields('observe')).toMatchObject({ port: 'dropped' });
  });

  it('can be so also when its records have no room but what is kept for them, and says why when that is used up', () => {
    claimed(1);
    fillRun();
    fill();
    expect(claimed(2)).toEqual({ epoch: 2, run: 'run-2' });
    host.shell(`rm -r ${RECORDS}/spare`);
    fill();
    expect(host.ask('claim', { owner, epoch: 3, run: 'run-3', account: 'standfast' })).toEqual(full);
  });

  it('gets its helper installed, and is told that no room could be kept for its records', () => {
    const install = (): Outcome => host.run('/opt/shown/install.sh', '--key', WORKER_KEY);
    expect(install()).toMatchObject({ exitCode: 0, stderr: '' });
    host.shell(`rm -r ${RECORDS}/spare; mv /run/standfast/pause /run/standfast/hidden; mkdir /run/standfast/pause`);
    try {
      const { exitCode, stdout, stderr } = install();
      expect(stderr).toContain('no room could be kept for records on a full disk');
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('is ready on db1')]);
    } finally {
      host.shell('rmdir /run/standfast/pause; mv /run/standfast/hidden /run/standfast/pause');
    }
  });
});

function claimed(epoch: number): { readonly epoch: number; readonly run: string } {
  const at = { epoch, run: `run-${String(epoch)}` };
  host.fields('claim', { owner, ...at, account: 'standfast' });
  return at;
}
