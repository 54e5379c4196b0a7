import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

let host: Sandbox;
let peer: Sandbox;
beforeAll(async () => {
  [host, peer] = await Promise.all([Sandbox.start('db1'), Sandbox.start('db2')]);
  host.join(peer, { mine: '10.66.0.1', theirs: '10.66.0.2' });
});
afterAll(async () => {
  await Promise.all([host.stop(), peer.stop()]);
});

describe('what an audit asks of a host', () => {
  it('is its machine, and who may do what on it', () => {
    const said = host.fields('audit-host', { interface: 'eth0' });
    expect(said).toMatchObject({
      boot_seconds: expect.stringMatching(/^\d{10}$/),
      cpus: expect.stringMatching(/^[1-9]\d*$/),
      ...{ server_program: '', keepalived: 'stopped', unrestricted_keys: '0' },
      sudo: '(root) NOPASSWD: /usr/local/sbin/standfast-host',
      modes: expect.stringContaining('755 root /usr/local/sbin/standfast-host'),
    });
    expect(Math.abs(Number(host.fields('hello')['now']) / 1_000 - Date.now())).toBeLessThan(5_000);
    expect(said['addresses']?.split(',')).toContain('10.66.0.1');
  });

  it('sees a key without a restriction and a rule that allows more', () => {
    host.shell(`echo 'ssh-ed25519 AAAA someone' >>/var/lib/standfast-account/.ssh/authorized_keys
      echo 'standfast ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/more; chmod 440 /etc/sudoers.d/more`);
    expect(host.fields('audit-host')).toMatchObject({
      unrestricted_keys: '1',
      sudo: expect.stringContaining('(ALL) NOPASSWD: ALL'),
    });
    host.shell('rm /etc/sudoers.d/more');
  });

  it('is what the server would have, as its program reads its files, and no setting that was not asked for', () => {
    const names = 'read_only,sync_binlog,server_id,skip_slave_start';
    host.shell(`printf '[mysqld]\\nread-only\\nsync_binlog=1\\nskip-slave-start\\nbinlog-do-db=shop\\nreplicate_ignore_db=tmp\\nport=3307\\n' \\
      >/etc/mysql/mariadb.conf.d/zz-test.cnf`);
    const { values = '', filters, errors: none } = host.fields('audit-settings', { names });
    expect(values.split('\n').toSorted()).toEqual([
      ...['read_only=TRUE', 'server_id=1', 'skip_slave_start=TRUE', 'sync_binlog=1'],
    ]);
    expect(filters).toBe('binlog_do_db=shop\nreplicate_ignore_db=tmp');
    expect(none).toBe('');
    host.shell(`echo nonsense=1 >>/etc/mysql/mariadb.conf.d/zz-test.cnf`);
    const { errors } = host.fields('audit-settings', { names });
    host.shell('rm /etc/mysql/mariadb.conf.d/zz-test.cnf');
    expect(errors).toContain("unknown variable 'nonsense=1'");
  });

  it("is every file of keepalived, but for the package's samples", () => {
    host.shell(`mkdir -p /etc/keepalived/conf.d; printf 'include conf.d/*.conf\\n' >/etc/keepalived/keepalived.conf
      printf 'vrrp_instance A {\\n}\\n' >/etc/keepalived/conf.d/a.conf; echo x >/etc/keepalived/x.sample`);
    expect(host.fields('audit-keepalived')).toEqual({
      '/etc/keepalived/keepalived.conf': 'include conf.d/*.conf',
      '/etc/keepalived/conf.d/a.conf': 'vrrp_instance A {\n}',
    });
  });

  it('is the newest backup, with its age', () => {
    host.shell(`mkdir -p /srv/backups/day; echo old >/srv/backups/old.xb; touch -d @1700000000 /srv/backups/old.xb
      echo newer >/srv/backups/day/new.xb; touch -d @1700000100 /srv/backups/day/new.xb`);
    expect(host.fields('backup-age', { backup: '/srv/backups' })).toEqual({
      newest: '1700000100',
      bytes: '6',
      file: 'new.xb',
    });
    expect(host.fields('backup-age', { backup: '/srv/nowhere' })).toEqual({ newest: '', bytes: '', file: '' });
  });
});

describe('the round trip', () => {
  const samplesOf = (port: number) => host.fields('round-trip', { address: '10.66.0.2', target_port: port });
  const micros = (samples = '') => samples.split(',').map(Number);

  it('is measured 20 times by a refusal, which needs nobody to listen', () => {
    const { by, samples } = samplesOf(9);
    expect(by).toBe('tcp');
    expect(micros(samples)).toHaveLength(20);
    for (const sample of micros(samples)) expect(sample).toBeGreaterThan(0);
  });

  it('is not known where nothing comes back, and says so within a few seconds', () => {
    peer.shell(
      'nft add table inet audit && nft add chain inet audit input "{ type filter hook input priority 0; policy drop; }"',
    );
    const startedMs = Date.now();
    const answer = host.ask('round-trip', { address: '10.66.0.2', target_port: 9 });
    peer.shell('nft delete table inet audit');
    expect(answer).toMatchObject({
      ok: false,
      type: 'Unverified',
      message: expect.stringContaining('does not answer db1'),
    });
    expect(Date.now() - startedMs).toBeLessThan(12_000);
  });
});
