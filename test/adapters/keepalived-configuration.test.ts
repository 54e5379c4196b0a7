import { describe, expect, it } from 'vitest';
import { renderKeepalived } from '../../adapters/keepalived.ts';
import { Passwords, readKeepalived } from '../../adapters/keepalived-configuration.ts';

const MAIN = '/etc/keepalived/keepalived.conf';
const read = (text: string, files: Readonly<Record<string, string>> = {}, passwords = new Passwords()) =>
  readKeepalived({ [MAIN]: text, ...files }, passwords);

describe("keepalived's configuration", () => {
  it('of our own is read as it is meant', () => {
    const own = read(
      renderKeepalived({
        self: { name: 'db1', address: '10.0.0.1' },
        peers: [{ address: '10.0.0.2' }],
        vip: { address: '192.168.10.50/24', interface: 'eth0', routerId: 51 },
      }),
    );
    expect(own).toMatchObject({ vrrpVersion: 3, scriptSecurity: true, unread: [], faults: [], scripts: [] });
    expect(own.trackFiles).toEqual([
      { name: 'epoch', file: '/run/vip-role', weight: 1, reverse: false },
      { name: 'role', file: '/run/vip-role', weight: 0, reverse: true },
    ]);
    expect(own.instances).toEqual([
      {
        ...{ name: 'VIP', state: 'BACKUP', interface: 'eth0', routerId: 51, priority: 240, advertSeconds: 0.1 },
        ...{ nopreempt: false, peers: ['10.0.0.2'], sourceAddress: '10.0.0.1', addresses: ['192.168.10.50'] },
        trackedScripts: [],
        trackedFiles: [
          { name: 'epoch', weight: null },
          { name: 'role', weight: null },
        ],
        ...{ authType: '', passwordNumber: null, passwordTooLong: false },
      },
    ]);
  });

  it('knows comments, quotes, blocks on one line, and defaults', () => {
    const { instances, scripts, faults } = read(`
! a comment
vrrp_script chk { script "/usr/bin/killall -0 mysqld" # and another
  weight -20 }
vrrp_instance 'A B' { state master
  virtual_ipaddress { 10.0.0.50/24 dev eth0 label "eth0:1" }
  track_script { chk weight 5 } }`);
    expect(faults).toEqual([]);
    expect(scripts).toEqual([{ name: 'chk', command: '/usr/bin/killall -0 mysqld', weight: -20 }]);
    expect(instances).toEqual([
      expect.objectContaining({
        ...{ name: 'A B', state: 'MASTER', priority: 100, advertSeconds: 1, routerId: null, addresses: ['10.0.0.50'] },
        trackedScripts: [{ name: 'chk', weight: 5 }],
      }),
    ]);
  });

  it('tells equal passwords from different ones by their first 8 characters, and shows none', () => {
    const passwords = new Passwords();
    const numberOf = (password: string) => {
      const whole = read(
        `vrrp_instance V { authentication { auth_type PASS\n auth_pass ${password}\n } }`,
        {},
        passwords,
      );
      expect(JSON.stringify(whole)).not.toContain(password);
      return whole.instances[0];
    };
    expect(numberOf('12345678')).toMatchObject({ passwordNumber: 1, passwordTooLong: false });
    expect(numberOf('123456789')).toMatchObject({ passwordNumber: 1, passwordTooLong: true });
    expect(numberOf('other')).toMatchObject({ passwordNumber: 2 });
  });

  it('tells no password of a check that logs in somewhere', () => {
    const { scripts } = read(`vrrp_script a { script "/usr/bin/mysqladmin -uroot -phunter2 ping" }
vrrp_script b { script "/etc/check.sh" }`);
    expect(scripts.map(({ command }) => command)).toEqual(['/usr/bin/mysqladmin …', '/etc/check.sh']);
  });

  it('follows what it includes, by name and by pattern, from where it stands', () => {
    const { instances, unread } = read('include conf.d/*.conf\ninclude one.txt', {
      '/etc/keepalived/conf.d/b.conf': 'vrrp_instance B {\n include peers\n}',
      '/etc/keepalived/conf.d/a.conf': 'vrrp_instance A {\n}',
      '/etc/keepalived/conf.d/peers': 'unicast_peer {\n 10.0.0.2\n}',
      '/etc/keepalived/conf.d/a.bak': 'vrrp_instance no {\n}',
      '/etc/keepalived/one.txt': 'vrrp_instance C {\n}',
    });
    expect(instances.map(({ name, peers }) => [name, peers])).toEqual([
      ['A', []],
      ['B', ['10.0.0.2']],
      ['C', []],
    ]);
    expect(unread).toEqual([]);
  });

  it.each([
    ['include /opt/vip.conf', { unread: ['/opt/vip.conf'] }],
    ['include keepalived.conf', { faults: [expect.stringContaining('too deeply')] }],
    ['vrrp_instance A {', { faults: ['1 blocks are not closed'] }],
    ['}', { faults: [`${MAIN}:1: a closing brace too many`] }],
    ['\n{ }', { faults: [`${MAIN}:2: a block without a name`] }],
    ['@db1 priority 1', { faults: [expect.stringContaining('"@db1" is a condition')] }],
    ['vrrp_instance A {\npriority $PRIO\n}', { faults: [expect.stringContaining(':2: "$PRIO" is a condition')] }],
  ])('says what it does not understand, or was not given: %j', (text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });

  it('is empty on a host without a file', () => {
    expect(readKeepalived({}, new Passwords())).toMatchObject({ instances: [], faults: [], unread: [] });
  });
});
