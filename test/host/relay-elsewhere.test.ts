import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const order = { owner: 'plane-1', epoch: 2, run: 'run-2' };

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
});
afterAll(() => host.stop());

describe('keep-relay of logs on another file system', () => {
  it('keeps them there, since a link cannot cross it, and releases all that was kept', () => {
    host.fields('claim', { ...order, account: 'standfast' });
    host.shell(`mkdir -p /srv/relay; mount -t tmpfs relay /srv/relay
      printf '[mysqld]\\nrelay_log=/srv/relay/logs\\n' >/etc/mysql/mariadb.conf.d/71-relay.cnf
      cd /srv/relay; echo one >logs.000001; echo two >logs.000002; printf '/srv/relay/logs.000001\\n/srv/relay/logs.000002\\n' >logs.index`);
    try {
      const { path = '', files } = host.fields('keep-relay', order);
      expect(files).toBe('2');
      host.shell('echo three >/srv/relay/logs.000003; echo /srv/relay/logs.000003 >>/srv/relay/logs.index');
      expect(host.fields('keep-relay', order)).toMatchObject({ path, files: '3' });
      expect(host.fields('keep-relay', order)).toMatchObject({ path, files: '3' });
      host.shell('rm /srv/relay/logs.00000[123]');
      const [elsewhere = ''] = host.must('cat', `${path}/elsewhere`).split('\n');
      expect(host.shell(`cd ${elsewhere} && cat logs.00000[123]; wc -l <${path}/logs.index`)).toBe(
        'one\ntwo\nthree\n3',
      );
      expect(host.fields('release-relay', order)).toEqual({ released: '1' });
      expect(host.shell('ls -A /srv/relay')).toBe('logs.index');
    } finally {
      host.shell('rm /etc/mysql/mariadb.conf.d/71-relay.cnf; umount /srv/relay');
    }
  });
});

describe('release-relay', () => {
  const beside = '/srv/relay/.standfast';
  const kept = (): string => host.shell(`ls ${beside} 2>/dev/null || :`);
  const configured = (text: string): void => {
    host.shell(`mkdir -p /srv/relay; printf '[mysqld]\\n${text}\\n' >/etc/mysql/mariadb.conf.d/71-relay.cnf
      cd /srv/relay; echo one >logs.000001; echo /srv/relay/logs.000001 >logs.index`);
  };
  beforeEach(() => {
    host.fields('claim', { ...order, account: 'standfast' });
  });
  afterEach(() => {
    host.shell('rm -rf /etc/mysql/mariadb.conf.d/71-relay.cnf /srv/relay /var/lib/mysql/.standfast');
  });

  it.each([
    ['the logs are there still', ''],
    ['the index is gone, as after a start of a server without data', 'rm /srv/relay/logs.*'],
  ])('finds what lies beside relay logs elsewhere when the data directory was emptied, and %s', (_, then) => {
    configured('relay_log=/srv/relay/logs');
    host.fields('keep-relay', order);
    expect(kept()).toBe('relay-2');
    host.shell(`rm -rf /var/lib/mysql/* /var/lib/mysql/.standfast; ${then}`);
    expect(host.fields('release-relay', order)).toEqual({ released: '1' });
    host.shell(`test ! -e ${beside}`);
  });

  it('finds it also where the index lies elsewhere than the logs', () => {
    configured('relay_log=/srv/relay/logs\\nrelay_log_index=/var/lib/mysql/logs.index');
    host.shell('mv /srv/relay/logs.index /var/lib/mysql/');
    host.fields('keep-relay', order);
    expect(kept()).toBe('relay-2');
    host.shell('rm -rf /var/lib/mysql/* /var/lib/mysql/.standfast');
    expect(host.fields('release-relay', order)).toEqual({ released: '1' });
    expect(kept()).toBe('');
  });

  it('leaves what a newer epoch keeps there, and whatever else is there', () => {
    configured('relay_log=/srv/relay/logs');
    host.shell(`mkdir -p ${beside}/{relay-1,relay-3,relay-x,other}`);
    expect(host.fields('release-relay', order)).toEqual({ released: '1' });
    expect(kept()).toBe('other\nrelay-3\nrelay-x');
  });
});
