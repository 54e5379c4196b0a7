import { describe, expect, test } from 'vitest';
import { InventoryError } from '../../inventory/faults.ts';
import { findCluster, loadInventory, parseInventory } from '../../inventory/load.ts';
import { changed, EXAMPLE } from './example.ts';

function faultsOf(text: string): string[] {
  try {
    parseInventory('standfast.yaml', text);
  } catch (error) {
    if (error instanceof InventoryError)
      return error.faults.map(({ line, column, message }) => `${String(line)}:${String(column)}: ${message}`);
    throw error;
  }
  return [];
}

const MINIMAL = `
sites: { a: { country: NO } }
clusters:
  shop:
    hosts: { db1: { address: 10.0.0.1, site: a }, db2: { address: 10.0.0.2, site: a } }
    witnesses: { w1: { address: 10.0.0.9 } }
    vip: { address: 10.0.0.50/24, interface: eth0, routerId: 51 }
    replication: { user: { name: repl, password: env:REPL } }
access:
  ssh: { user: standfast, key: file:/key, knownHosts: /known_hosts }
  sql: { user: standfast, password: credential:sql }
`;

const WATCH = { shard: 'main', everyMs: 100, silenceMs: 400, observers: [], heartbeatMs: 1000, rehearsalMs: 3_600_000 };

describe('a good inventory', () => {
  test('becomes plain data with names, countries and milliseconds', () => {
    const inventory = parseInventory('standfast.yaml', EXAMPLE);
    expect(inventory).toMatchObject({
      path: 'standfast.yaml',
      access: {
        ssh: { user: 'standfast', key: 'file:/etc/standfast/ssh_key', knownHosts: '/etc/standfast/known_hosts' },
      },
    });
    expect(inventory.clusters).toEqual([
      {
        name: 'shop',
        backup: null,
        hosts: [
          {
            name: 'db1',
            address: '10.0.0.1',
            site: 'oslo-a',
            country: 'NO',
            rank: 101,
            promotable: true,
            serverId: 1,
            port: 3306,
            sshPort: 22,
          },
          {
            name: 'db2',
            address: '10.0.0.2',
            site: 'oslo-b',
            country: 'NO',
            rank: 100,
            promotable: true,
            serverId: 2,
            port: 3306,
            sshPort: 22,
          },
        ],
        witnesses: [],
        vip: { address: '192.168.10.50', prefix: 24, interface: 'eth0', routerId: 51, driver: 'keepalived' },
        replication: { mode: 'semisync', user: { name: 'repl', password: 'file:/etc/standfast/repl' } },
        policy: {
          failover: {
            automatic: true,
            fence: ['ssh', 'powerOff'],
            cooldownMs: 600_000,
            graceMs: 0,
            salvage: 'apply',
            maxLostTransactions: 0,
          },
          watch: WATCH,
          countries: ['NO'],
          lag: { warnMs: 1000, failMs: 10_000 },
          alone: 'async',
          continuity: { outageMs: 86_400_000, verifiedMs: 900_000, testedMs: 7_776_000_000 },
          events: false,
        },
        files: [
          {
            name: 'uploads',
            path: '/var/www/html/uploads/',
            everyMs: 300_000,
            marker: '.standfast',
            maxDelete: 100,
            bandwidthKiBps: 0,
            compress: false,
          },
        ],
        hooks: { powerOff: ['/etc/standfast/power', 'off', '{host}'] },
      },
    ]);
  });

  test('may leave out what has a default', () => {
    const [cluster] = parseInventory('standfast.yaml', MINIMAL).clusters;
    expect(cluster?.policy).toEqual({
      failover: {
        automatic: false,
        fence: ['ssh', 'revocation'],
        cooldownMs: 600_000,
        graceMs: 0,
        salvage: 'apply',
        maxLostTransactions: 0,
      },
      watch: WATCH,
      countries: [],
      lag: { warnMs: 1000, failMs: 10_000 },
      alone: 'async',
      continuity: { outageMs: 86_400_000, verifiedMs: 900_000, testedMs: 7_776_000_000 },
      events: false,
    });
    expect(cluster?.witnesses).toEqual([{ name: 'w1', address: '10.0.0.9', sshPort: 22 }]);
    expect(cluster?.replication).toMatchObject({ mode: 'semisync' });
    expect(cluster?.hooks).toEqual({ powerOff: null });
  });

  test('may leave open where a site is, but not where data may be', () => {
    const open = changed('oslo-a: { country: NO }', 'oslo-a: { country: ZZ }');
    expect(parseInventory('standfast.yaml', open).clusters[0]?.hosts[0]?.country).toBe('ZZ');
    expect(() => parseInventory('standfast.yaml', changed('countries: [NO]', 'countries: [ZZ]'))).toThrow(/found "ZZ"/);
  });

  test('may list databases, as in earlier versions, to no effect', () => {
    const text = changed('semisync, user', 'semisync, databases: [shop], user');
    expect(parseInventory('', text)).toEqual(parseInventory('', EXAMPLE));
  });

  test('cannot be changed afterwards', () => {
    const inventory = parseInventory('standfast.yaml', EXAMPLE);
    expect(() => {
      (inventory.clusters[0]?.policy.countries as string[]).push('SE');
    }).toThrow(TypeError);
  });

  test('says which clusters it has when another is asked for', () => {
    const inventory = parseInventory('standfast.yaml', EXAMPLE);
    expect(findCluster(inventory, 'shop')).toMatchObject({ kind: 'found', cluster: { name: 'shop' } });
    expect(findCluster(inventory, 'shpo')).toEqual({
      kind: 'unknown',
      message: 'standfast.yaml has no cluster "shpo"; it has shop; did you mean "shop"?',
    });
  });
});

describe('one fault', () => {
  const cases: readonly (readonly [title: string, from: string, to: string, mark: string, fault: string])[] = [
    [
      'files that are to be copied more often than a schedule can count',
      'every: 5m',
      'every: 1500ms',
      '1500ms',
      'clusters.shop.files.uploads.every: found 1500ms, expected whole seconds, at least 1s',
    ],
    [
      'an unknown key, with what was meant',
      'address: 10.0.0.1,',
      'address: 10.0.0.1, rnak: 7,',
      'rnak:',
      'clusters.shop.hosts.db1: found the unknown key "rnak", allowed: address, site, rank, promotable, serverId, port, sshPort; did you mean "rank"?',
    ],
    [
      'a missing key',
      ', interface: eth0',
      '',
      'vip:',
      'clusters.shop.vip: "interface" is missing, expected the name of a network interface, such as eth0',
    ],
    [
      'a value of the wrong kind',
      'rank: 101',
      'rank: high',
      'high',
      'clusters.shop.hosts.db1.rank: found "high", expected a whole number from 0 to 1000',
    ],
    [
      'a duration without a unit',
      'cooldown: 10m',
      'cooldown: 10',
      '10, maxLost',
      'clusters.shop.policy.failover.cooldown: found 10 (number), expected a duration with its unit (ms, s, m, h, d), such as 500ms, 10s or 5m',
    ],
    [
      'a word that is not allowed, with what was meant',
      'mode: semisync',
      'mode: semi-sync',
      'semi-sync',
      'clusters.shop.replication.mode: found "semi-sync", expected semisync or async; did you mean "semisync"?',
    ],
    [
      'an unknown driver',
      'driver: keepalived',
      'driver: vrrpd',
      'vrrpd',
      'clusters.shop.vip.driver: found "vrrpd", expected keepalived or direct',
    ],
    [
      'keepalived without a router ID',
      'routerId: 51, ',
      '',
      '{ address: 192.168.10.50',
      'clusters.shop.vip: "routerId" is missing, expected a VRRP router ID from 1 to 255 for keepalived (the driver direct needs none)',
    ],
    [
      'an unknown site, with what was meant',
      'site: oslo-a',
      'site: olso-a',
      'olso-a',
      'clusters.shop.hosts.db1.site: found "olso-a", allowed: oslo-a, oslo-b; did you mean "oslo-a"?',
    ],
    [
      'an address that two hosts have',
      '10.0.0.2',
      '10.0.0.1',
      '10.0.0.1, site: oslo-b',
      'clusters.shop.hosts.db2.address: found 10.0.0.1, which is the address of clusters.shop.hosts.db1 too; each needs its own',
    ],
    [
      'a server ID that collides with one given by place',
      'rank: 101',
      'serverId: 2',
      'db2:',
      'clusters.shop.hosts.db2.serverId: found 2, which is the server ID of clusters.shop.hosts.db1 too; each needs its own',
    ],
    [
      'a VIP without a prefix',
      '192.168.10.50/24',
      '192.168.10.50',
      '192.168.10.50',
      'clusters.shop.vip.address: found "192.168.10.50", expected an IPv4 address with its prefix, such as 192.168.10.50/24',
    ],
    [
      'a VIP that is the address of a host',
      '192.168.10.50/24',
      '10.0.0.1/24',
      '10.0.0.1/24',
      'clusters.shop.vip.address: found 10.0.0.1, which is the address of clusters.shop.hosts.db1 too; each needs its own',
    ],
    [
      'a country that does not exist',
      'oslo-a: { country: NO',
      'oslo-a: { country: ZX',
      'ZX',
      'sites.oslo-a.country: found "ZX", expected a country code of ISO 3166',
    ],
    [
      'a country by habit',
      'countries: [NO]',
      'countries: [UK]',
      'UK',
      'clusters.shop.policy.placement.countries.0: found "UK", expected a country code of ISO 3166; did you mean "GB"?',
    ],
    [
      'a hook without an absolute path',
      '/etc/standfast/power',
      'power',
      'power, off',
      'clusters.shop.hooks.powerOff: found "power", expected the absolute path of a command',
    ],
    [
      'a hook that names no host',
      '"{host}"',
      'now',
      '[/etc/standfast/power, off',
      'clusters.shop.hooks.powerOff: found a command that does not say which host, expected {host} or {address} in it',
    ],
    [
      'a placeholder that is not known',
      '"{host}"',
      '"{hots}"',
      '"{hots}"',
      'clusters.shop.hooks.powerOff: found {hots}, allowed: {host}, {address}, {cluster}; did you mean "{host}"?',
    ],
    [
      'a fence that needs a hook',
      '    hooks: { powerOff: [/etc/standfast/power, off, "{host}"] }\n',
      '',
      '[ssh, powerOff]',
      'clusters.shop.policy.failover.fence: found powerOff, which needs the command hooks.powerOff',
    ],
    [
      'a bad cluster name',
      '  shop:',
      '  Shop:',
      'Shop:',
      'clusters: found the name "Shop", expected a name of small letters, digits and hyphens that starts with a letter (at most 63)',
    ],
    [
      'a warning above the failure',
      'warn: 1s',
      'warn: 1m',
      '{ warn: 1m',
      'clusters.shop.policy.lag: found warn 1m above fail 10s, expected warn at or below fail',
    ],
    ['a key given twice', 'rank: 101', 'rank: 101, rank: 102', 'rank: 102', 'not valid YAML: Map keys must be unique'],
    [
      'a folder without its last slash',
      'uploads/',
      'uploads',
      '/var/www',
      'clusters.shop.files.uploads.path: found "/var/www/html/uploads", expected an absolute path that ends with "/"',
    ],
    [
      'a folder inside another one',
      '      uploads: {',
      '      all: { path: /var/www/ }\n      uploads: {',
      '/var/www/html/uploads/',
      'clusters.shop.files.uploads.path: found /var/www/html/uploads/, which overlaps with /var/www/ of all; each needs a folder of its own',
    ],
    [
      'a marker with a name of ours',
      'marker: .standfast,',
      'marker: .standfast-tmp,',
      '.standfast-tmp',
      'clusters.shop.files.uploads.marker: found ".standfast-tmp", expected a file name that does not begin with ".standfast-"',
    ],
  ];

  test.each(cases)('names %s', (_title, from, to, mark, fault) => {
    const text = changed(from, to);
    const before = text.slice(0, text.indexOf(mark)).split('\n');
    const place = `${String(before.length)}:${String((before.at(-1) ?? '').length + 1)}`;
    expect(text).toContain(mark);
    expect(faultsOf(text)).toEqual([`${place}: ${fault}`]);
  });

  test('of a cluster without hosts is named', () => {
    const none = changed('db1: { address: 10.0.0.1, site: oslo-a, rank: 101 }', '{}').replace(/ +db2: .*\n/, '');
    expect(faultsOf(none)).toEqual(['7:7: clusters.shop.hosts: found none, expected at least one host']);
  });

  test('never repeats what may be a secret', () => {
    const [fault] = faultsOf(changed('file:/etc/standfast/sql', 'hunter2'));
    expect(fault).toContain('access.sql.password: found something else, expected a reference to a secret');
    expect(fault).not.toContain('hunter2');
  });

  test('of a file that is not there says how to name another', async () => {
    await expect(loadInventory('/nowhere/standfast.yaml')).rejects.toThrow(
      '/nowhere/standfast.yaml:1:1: the file cannot be read (ENOENT), expected the inventory; name it with STANDFAST_CONFIG',
    );
  });

  test('of an empty file is its first line', () => {
    expect(faultsOf('')).toEqual(['1:1: found nothing, expected the sections sites, clusters and access']);
  });
});

test('an address that the host helper holds alone needs no router ID', () => {
  expect(faultsOf(MINIMAL.replace('routerId: 51', 'driver: direct'))).toEqual([]);
});

describe('several faults', () => {
  test('are all reported at once, in reading order, schema and cross-checks together', () => {
    const text = changed('site: oslo-a', 'site: bergen')
      .replace('routerId: 51', 'routerId: 300')
      .replace('warn: 1s', 'warn: 1');
    expect(faultsOf(text).map((fault) => fault.split(': ')[1])).toEqual([
      'clusters.shop.hosts.db1.site',
      'clusters.shop.vip.routerId',
      'clusters.shop.policy.lag.warn',
    ]);
  });

  test('between clusters: a host of two, a witness that is a host, one router ID in one network', () => {
    const [, shop = ''] = /clusters:\n([^]*)access:/.exec(MINIMAL) ?? [];
    const books = shop
      .replace('shop:', 'books:')
      .replace('10.0.0.2', '10.0.0.12')
      .replace('10.0.0.9', '10.0.0.2')
      .replace('10.0.0.50', '10.0.0.51');
    expect(
      faultsOf(MINIMAL.replace('access:', `${books}access:`)).map((fault) => fault.replace(/^\d+:\d+: /, '')),
    ).toEqual([
      'clusters.books.hosts.db1.address: found 10.0.0.1, which is the address of clusters.shop.hosts.db1 too; each needs its own',
      'clusters.books.witnesses.w1.address: found 10.0.0.2, which is the address of clusters.shop.hosts.db2 too; each needs its own',
      'clusters.books.vip.routerId: found 51 in the network 10.0.0.0/24, which is the router ID of clusters.shop.vip too; each needs its own',
    ]);
  });

  test('one witness may serve two clusters', () => {
    const [, shop = ''] = /clusters:\n([^]*)access:/.exec(MINIMAL) ?? [];
    const books = shop
      .replace('shop:', 'books:')
      .replace('10.0.0.1,', '10.0.0.11,')
      .replace('10.0.0.2', '10.0.0.12')
      .replace('10.0.0.50/24, interface: eth0, routerId: 51', '10.0.0.51/24, interface: eth0, routerId: 52');
    expect(faultsOf(MINIMAL.replace('access:', `${books}access:`))).toEqual([]);
  });
});
