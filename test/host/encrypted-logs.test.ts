import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';
import { at, killServer, onlyReceiving, owner } from './tails.ts';

let primary: Sandbox;
let replica: Sandbox;
/** What the replica had applied before what it then only received. */
let beyond: string;

const SETTINGS = '/etc/mysql/mariadb.conf.d/60-encrypt.cnf';

/** As an administrator would, with the plugin of the server's own package. */
const encrypt = (host: Sandbox) =>
  host.shell(`printf '1;00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\\n' >/etc/mysql/keys
    chown mysql /etc/mysql/keys
    printf '[mariadbd]\\nplugin_load_add=file_key_management\\nfile_key_management_filename=/etc/mysql/keys\\nencrypt_binlog=ON\\n' >${SETTINGS}`);
const restart = (host: Sandbox): void => {
  host.fields('service-stop', { owner });
  host.fields('service-start', { owner });
};

beforeAll(async () => {
  primary = await Sandbox.start('db1');
  replica = await Sandbox.start('db2');
  primary.join(replica, { mine: '10.9.0.1', theirs: '10.9.0.2' });
  for (const host of [primary, replica]) encrypt(host);
  beyond = await onlyReceiving(primary, replica);
  primary.sql('INSERT INTO shop.t VALUES (1)');
  const last = primary.sql('SELECT @@gtid_binlog_pos');
  await until(
    'it has received the row',
    () => replica.sql('SHOW SLAVE STATUS'),
    (seen) => seen.includes(`\t${last}\t`),
  );
});
afterAll(() => Promise.all([primary.stop(), replica.stop()]));

const ENCRYPTED = /is encrypted \(encrypt_binlog\).*only its own server can read it/;
const unread = { complete: 'no', count: '0', why: expect.stringMatching(ENCRYPTED) };
const place = () => {
  const [, file = '', size = ''] = /(mariadb-bin\.\d+) (\d+)/.exec(primary.shell(LAST_BINLOG)) ?? [];
  return `${file}:${size}`;
};
const LAST_BINLOG = 'cd /var/lib/mysql; stat -c "%n %s" $(ls mariadb-bin.0* | tail -n 1)';
const exported = (list: Readonly<Record<string, string>> = {}) =>
  primary.fields('tail-export', { ...at(1), logs: 'binlog', beyond, ...list });

describe('an encrypted log', () => {
  it('of a replica that runs is not said to hold its source, nor to have been thrown away', () => {
    const unknown = { source: 'unknown', why: expect.stringMatching(ENCRYPTED) };
    expect(replica.fields('relay-source')).toMatchObject(unknown);
    expect(replica.fields('keep-relay', at(1))).toMatchObject({ ...unknown, files: '2' });
  });

  it('of a replica that stands still is no tail, and is said to be encrypted', () => {
    restart(replica);
    const list = replica.fields('tail-list', { logs: 'relay', beyond });
    expect(list).toMatchObject({ ...unread, source: 'unknown' });
    expect(list['why']).not.toMatch(/thrown away|can be read up to/);
  });

  it('of a dead primary is no tail and has no end, and is said to be encrypted, not purged or damaged', () => {
    killServer(primary);
    for (const tail of [primary.fields('tail-list', { logs: 'binlog', beyond: '' }), exported()]) {
      expect(tail).toMatchObject(unread);
      expect(tail['why']).not.toMatch(/purged|can be read up to/);
    }
    expect(primary.ask('binlog-end')).toEqual({
      ok: false,
      type: 'Unverified',
      message: expect.stringMatching(ENCRYPTED),
    });
  });

  it('holds nothing beyond a receiver that has read all its bytes, and may from any place before', () => {
    expect(exported({ read_to: place() })).toMatchObject({ complete: 'yes', count: '0', from: place() });
    const [file = '', size = ''] = place().split(':');
    expect(exported({ read_to: `${file}:${String(Number(size) - 40)}` })).toMatchObject({ ...unread, from: '' });
  });

  it('is in nobody’s way once its server has begun a plain one that what was received reaches into', () => {
    primary.must('rm', SETTINGS);
    primary.shell(
      `printf '[mariadbd]\\nplugin_load_add=file_key_management\\nfile_key_management_filename=/etc/mysql/keys\\n' >${SETTINGS}`,
    );
    primary.fields('service-start', { owner });
    const received = primary.sql('SELECT @@gtid_binlog_pos');
    primary.sql('SET GLOBAL read_only=0; INSERT INTO shop.t VALUES (2)');
    killServer(primary);
    expect(exported({ beyond: received })).toMatchObject({ complete: 'yes', why: '', count: '1' });
    expect(primary.fields('binlog-end')).toMatchObject({ why: '' });
    // What comes before it is in the one that nobody can read.
    expect(exported()).toMatchObject({ complete: 'no', why: expect.stringMatching(ENCRYPTED) });
  });
});
