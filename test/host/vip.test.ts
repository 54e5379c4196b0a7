import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderKeepalived } from '../../adapters/keepalived.ts';
import { Sandbox, until } from './sandbox.ts';

const owner = 'plane-1';
const order = { owner, epoch: 1, run: 'run-1' };
const VIP = '10.88.0.50';
const seat = { vip: VIP, interface: 'eth0' };
const place = { ...seat, prefix: 24 };
const mac = { db1: '02:00:00:00:00:01', db2: '02:00:00:00:00:02' };

let db1: Sandbox;
let db2: Sandbox;
beforeAll(async () => {
  [db1, db2] = await Promise.all([Sandbox.start('db1'), Sandbox.start('db2')]);
  db1.join(db2, { mine: '10.88.0.1', theirs: '10.88.0.2' });
  for (const host of [db1, db2]) host.fields('claim', { ...order, account: 'standfast' });
});
afterAll(() => Promise.all([db1.stop(), db2.stop()]));

const content = (name: 'db1' | 'db2', routerId = 51) => {
  const addresses = { db1: '10.88.0.1', db2: '10.88.0.2' };
  return renderKeepalived({
    self: { name, address: addresses[name] },
    peers: [{ address: addresses[name === 'db1' ? 'db2' : 'db1'] }],
    vip: { address: `${VIP}/24`, interface: 'eth0', routerId },
  });
};
const holds = (host: Sandbox) => host.run('ip', '-o', 'addr', 'show', 'dev', 'eth0').stdout.includes(`${VIP}/`);
const state = (host: Sandbox) => host.run('cat', '/run/standfast/vip-state').stdout.trim();
const role = (host: Sandbox) => host.fields('observe', seat)['role'];
const becomes = (host: Sandbox, wanted: string) =>
  until(
    `keepalived of ${host.name} becomes ${wanted}`,
    () => state(host),
    (seen) => seen === wanted,
  );
const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });

describe('configure-vip', () => {
  it('starts keepalived and proves that it is in FAULT without a role', () => {
    expect(db1.fields('configure-vip', { owner, content: content('db1') })).toEqual({ changed: 'yes' });
    expect(db2.fields('configure-vip', { owner, content: content('db2') })).toEqual({ changed: 'yes' });
    expect(db1.fields('configure-vip', { owner, content: content('db1') })).toEqual({ changed: 'no' });
    expect([state(db1), state(db2)]).toEqual(['FAULT', 'FAULT']);
    expect(db1.fields('observe', seat)).toMatchObject({ keepalived: 'running', vip: 'no', role: '0', mac: mac.db1 });
  });

  it('answers by digest what keepalived has, and whether the server boots closed', () => {
    const sha256 = createHash('sha256').update(content('db1')).digest('hex');
    expect(db1.fields('installed', {})).toEqual({
      keepalived_sha256: sha256,
      dropin: 'no',
      dropin_file: '/etc/mysql/mariadb.conf.d/zz-standfast.cnf',
      boots: 'open',
      opened_by: '',
      socket_root: '',
    });
    db1.fields('configure', { owner, server_id: 1, report_host: 'db1' });
    expect(db1.fields('installed', {})).toMatchObject({ keepalived_sha256: sha256, dropin: 'yes', boots: 'closed' });
  });

  it('refuses what keepalived refuses, and changes nothing', () => {
    const before = db1.must('cat', '/etc/keepalived/keepalived.conf');
    const broken = content('db1').replace('vrrp_version', 'vrrp_vision');
    expect(db1.ask('configure-vip', { owner, content: broken })).toEqual(
      refused('BadInput', "Unknown keyword 'vrrp_vision'"),
    );
    expect(db1.must('cat', '/etc/keepalived/keepalived.conf')).toBe(before);
  });

  it.each([
    ['another instance', 'vrrp_instance web {\n}\nvrrp_instance db {\n}\n'],
    ['a virtual server', `vrrp_instance db { virtual_ipaddress { ${VIP}/24 } }\nvirtual_server 10.9.9.9 80 {\n}\n`],
    ['another address', 'vrrp_instance web { virtual_ipaddress { 10.9.9.9/24 } }\n'],
  ])('refuses to replace a file of somebody else that also has %s', (_, theirs) => {
    const file = '/etc/keepalived/keepalived.conf';
    db1.shell(`cp ${file} /root/ours; cat >${file} <<'END'\n${theirs}END`);
    expect(db1.ask('configure-vip', { owner, content: content('db1') })).toEqual(
      refused('Unsafe', 'does more than hold'),
    );
    expect(db1.must('cat', file)).toBe(theirs.trimEnd());
    db1.shell(`cp /root/ours ${file}`);
  });

  it('keeps once what somebody else had written for the address', async () => {
    const file = '/etc/keepalived/keepalived.conf';
    const before = '/var/lib/standfast/keepalived.conf.before-standfast';
    const theirs = `# by hand\nvrrp_instance db {\n virtual_ipaddress { ${VIP}/24 }\n}\n`;
    for (const text of [theirs, `${theirs}# later\n`]) {
      db1.shell(`service keepalived stop; cat >${file} <<'END'\n${text}END`);
      await until(
        'keepalived has ended',
        () => db1.run('pgrep', '-x', 'keepalived').stdout,
        (seen) => seen === '',
      );
      db1.fields('configure-vip', { owner, content: content('db1') });
      expect(db1.must('cat', before)).toBe(theirs.trimEnd());
      expect(db1.must('cat', file)).toBe(content('db1').trimEnd());
    }
  });

  it('refuses a configuration that would take the address without a role', () => {
    const open = content('db1').replace('        epoch\n        role\n', '        epoch\n');
    expect(db1.ask('configure-vip', { owner, content: open })).toEqual(refused('Unsafe', 'did not enter FAULT'));
    expect(db1.fields('observe', seat)).toMatchObject({ keepalived: 'stopped', vip: 'no' });
    expect(db1.fields('configure-vip', { owner, content: content('db1') })).toEqual({ changed: 'yes' });
    expect(holds(db1)).toBe(false);
  });
});

describe('configure-vip of an address that the helper alone holds', () => {
  it('is refused while keepalived is configured for it', () => {
    expect(db1.ask('configure-vip', { owner, vip: VIP })).toEqual(
      refused('BadInput', `configured for ${VIP} (in /etc/keepalived/keepalived.conf)`),
    );
    expect(db1.ask('configure-vip', { owner, vip: VIP.slice(0, -1) })).toEqual(refused('BadInput', 'still runs'));
  });

  it('is refused while keepalived runs with what it read before', () => {
    db1.shell('mv /etc/keepalived/keepalived.conf /root/');
    expect(db1.ask('configure-vip', { owner, vip: VIP })).toEqual(refused('BadInput', 'still runs'));
    db1.shell('mv /root/keepalived.conf /etc/keepalived/');
  });

  it('is refused without an address and a configuration, and with both', () => {
    expect(db1.ask('configure-vip', { owner })).toEqual(refused('BadInput', 'missing content'));
    expect(db1.ask('configure-vip', { owner, vip: VIP, content: content('db1') })).toEqual(
      refused('BadInput', 'not both'),
    );
  });
});

describe('the address', () => {
  it('is there and answered for when take returns, and keepalived adopts it', async () => {
    expect(db1.fields('vip-take', { ...order, ...place, n: 1 })).toEqual({ vip: 'yes', role: '1', mac: mac.db1 });
    expect(holds(db1)).toBe(true);
    expect(db2.fields('vip-probe', seat)).toEqual({ vip: 'no', mac: mac.db1 });
    await becomes(db1, 'MASTER');
    expect(holds(db1)).toBe(true);
    expect(db1.fields('vip-take', { ...order, ...place, n: 1 })).toMatchObject({ role: '1' });
    expect(db1.fields('vip-probe', seat)).toEqual({ vip: 'yes', mac: mac.db1 });
  });

  it('is gone when drop returns, whether keepalived removes it or not', async () => {
    expect(db1.fields('vip-drop', { ...order, ...place })).toEqual({ vip: 'no', role: '0' });
    expect(holds(db1)).toBe(false);
    expect(db2.fields('vip-probe', seat)).toEqual({ vip: 'no', mac: '' });
    await becomes(db1, 'FAULT');
    expect(holds(db1)).toBe(false);
    db1.fields('vip-take', { ...order, ...place, n: 1 });
    await becomes(db1, 'MASTER');
    const everyone = db1
      .run('pgrep', '-x', 'keepalived')
      .stdout.split('\n')
      .filter((line) => line !== '');
    db1.must('kill', '-STOP', ...everyone);
    expect(db1.fields('vip-drop', { ...order, ...place })).toEqual({ vip: 'no', role: '0' });
    db1.must('kill', '-CONT', ...everyone);
    await becomes(db1, 'FAULT');
    expect(holds(db1)).toBe(false);
  });

  it('is not announced any more when drop returns, also if it was taken only just now', async () => {
    const announcers = () => db1.run('pgrep', '-x', 'arping').stdout;
    db1.fields('vip-take', { ...order, ...place, n: 1 });
    db1.fields('vip-take', { ...order, ...place, n: 1 });
    await until('it is announced', announcers, (seen) => seen !== '');
    db1.fields('vip-drop', { ...order, ...place });
    expect(announcers()).toBe('');
  });

  it.each(['vip-drop', 'fence'])(
    'cuts the connections of its clients, whatever they ask for, by a %s',
    async (verb) => {
      db1.fields('vip-take', { ...order, ...place, n: 1 });
      await becomes(db1, 'MASTER');
      const server = db1.start('socat', `TCP-LISTEN:7000,bind=${VIP},reuseaddr`, 'PIPE');
      await until(
        'the server listens',
        () => db1.run('ss', '-Hltn', 'sport = :7000').stdout,
        (seen) => seen !== '',
      );
      const client = db2.start('socat', '-', `TCP:${VIP}:7000`);
      await until(
        'the client is connected',
        () => db2.run('ss', '-Htn', 'dport = :7000').stdout,
        (seen) => seen.includes('ESTAB'),
      );
      db1.fields(verb, { ...order, ...place });
      await until(
        'the client is told',
        () => client.exitCode ?? client.signalCode,
        (seen) => seen !== null,
      );
      server.kill('SIGKILL');
      db1.fields('unfence', order);
    },
  );

  it('follows the newer role, and the host that was passed gives up its own for good', async () => {
    db1.fields('vip-take', { ...order, ...place, n: 1 });
    await becomes(db1, 'MASTER');
    db2.fields('vip-take', { ...order, ...place, n: 2 });
    await becomes(db2, 'MASTER');
    await until(
      'the passed host has no role',
      () => role(db1),
      (seen) => seen === '0',
    );
    expect([holds(db1), holds(db2)]).toEqual([false, true]);
    await becomes(db1, 'FAULT');
  });

  it('leaves a fenced host, which may not take it again', async () => {
    expect(db2.fields('fence', { ...order, ...place })).toMatchObject({ vip: 'no' });
    expect(holds(db2)).toBe(false);
    expect(db2.ask('vip-take', { ...order, ...place, n: 3 })).toEqual(refused('Unsafe', 'fenced'));
    await becomes(db2, 'FAULT');
    expect(db2.ask('fence', { ...order, vip: VIP })).toEqual(refused('BadInput', 'interface and prefix'));
    db2.fields('unfence', order);
  });

  it('is not taken with a role out of range, on an interface that is not there, or by a stale order', () => {
    expect(db1.ask('vip-take', { ...order, ...place, n: 14 })).toMatchObject({ type: 'BadInput' });
    expect(db1.ask('vip-take', { ...order, ...place, interface: 'eth7', n: 1 })).toEqual(
      refused('BadInput', 'no interface eth7'),
    );
    expect(db1.ask('vip-take', { ...order, epoch: 9, ...place, n: 1 })).toMatchObject({ type: 'Stale' });
    expect([role(db1), holds(db1)]).toEqual(['0', false]);
  });

  it('does not come back with a host that lost power: the role is gone', async () => {
    db1.fields('vip-take', { ...order, ...place, n: 5 });
    await becomes(db1, 'MASTER');
    // What a power cycle leaves: no processes, an empty /run, the files.
    db1.must('pkill', '-KILL', '-x', 'keepalived'); // this host's own process list
    db1.shell(
      `ip addr del ${VIP}/24 dev eth0 2>/dev/null; rm -rf /run/vip-role /run/standfast* /run/keepalived* /run/vrrp*; service keepalived start`,
    );
    await becomes(db1, 'FAULT');
    expect(holds(db1)).toBe(false);
  });
});

describe('a fenced host', () => {
  it.each([
    ['a firewall was loaded anew', 'nft delete table inet standfast'],
    ['nothing says that its rules are there', 'rm /run/standfast/port-rule'],
  ])('is shut again when %s', (_, happens) => {
    db1.fields('fence', { ...order, ...place });
    db1.shell(happens);
    db1.fields('fence', { ...order, ...place });
    expect(db1.fields('observe', seat)).toMatchObject({ port: 'dropped' });
    expect(db1.must('nft', 'list', 'table', 'inet', 'standfast').match(/reject with tcp reset/g)).toHaveLength(2);
    db1.fields('unfence', order);
    expect(db1.run('nft', 'list', 'table', 'inet', 'standfast').exitCode).not.toBe(0);
  });

  it('refuses whoever still sends to it for the address, so that nobody waits for an answer', () => {
    db2.must('ip', 'neigh', 'replace', VIP, 'lladdr', mac.db1, 'dev', 'eth0', 'nud', 'permanent');
    const knock = () => db2.run('timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${VIP}/3306`).exitCode;
    db1.fields('vip-drop', { ...order, ...place });
    db2.fields('vip-drop', { ...order, ...place });
    expect(knock()).toBe(124);
    db1.fields('fence', { ...order, ...place });
    expect(knock()).toBe(1);
    db1.fields('unfence', order);
    expect(knock()).toBe(124);
    db2.must('ip', 'neigh', 'del', VIP, 'dev', 'eth0');
  });
});
