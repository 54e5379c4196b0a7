import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClassicHost, ClassicServer } from '../../adapters/classic-host.ts';
import { marksIn, renderDraft } from '../../inventory/draft.ts';
import { parseInventory } from '../../inventory/load.ts';
import type { DiscoveredHost } from '../../worker/discovery.ts';
import { draftFrom } from '../../worker/drafting.ts';

const server: ClassicServer = {
  serverId: 1,
  port: 3306,
  version: '10.11.6-MariaDB',
  reportHost: '',
  isReadOnly: false,
  waitsForAck: false,
  source: null,
  replicas: ['10.0.0.2'],
  databases: ['shop', 'wiki', 'mysql'],
  filtered: [],
};
const facts: ClassicHost = {
  hostname: 'db1',
  addresses: [{ device: 'eth0', address: '10.0.0.1', prefix: 24 }],
  server,
  serverSilence: null,
  keepalived: null,
  rsyncs: [],
  unreadRsyncs: [],
};
const one = (address: string, change: Partial<ClassicHost> = {}): DiscoveredHost => ({
  address,
  facts: { ...facts, ...change },
  silence: null,
});

const order = { cluster: 'shop', from: '10.0.0.1', at: '2026-01-02T03:04:05.000Z', sshPort: 22 };
const textOf = (hosts: readonly DiscoveredHost[]): string => renderDraft(draftFrom(hosts, order));
const loaded = (hosts: readonly DiscoveredHost[]) => {
  const [cluster] = parseInventory('standfast.yaml', textOf(hosts)).clusters;
  if (cluster === undefined) throw new Error('a draft has a cluster');
  return cluster;
};

test('a host alone, without keepalived, loads, and says what is not known', () => {
  const text = textOf([one('10.0.0.1')]);
  expect(parseInventory('standfast.yaml', text).clusters[0]?.hosts).toMatchObject([
    { name: 'db1', address: '10.0.0.1' },
  ]);
  const marks = marksIn(text).map(({ what }) => what);
  for (const what of ['country', 'floating address', 'interface', 'VRRP router ID', 'replicas log in', 'password'])
    expect(marks.join('\n')).toContain(what);
  for (const { line, what } of marksIn(text)) expect(text.split('\n')[line - 1]).toContain(`# TODO: ${what}`);
});

test('two servers with one server_id, as a copied configuration leaves them, load with a mark', () => {
  const replica = one('10.0.0.2', {
    hostname: 'db2',
    server: { ...server, source: { host: '10.0.0.1', user: 'repl' } },
  });
  expect(loaded([one('10.0.0.1'), replica]).hosts.map(({ serverId }) => serverId)).toEqual([1, 2]);
  expect(textOf([one('10.0.0.1'), replica])).toContain('serverId: 2 # TODO: the server says 1, as another one does');
});

test('one that was reached by the VIP gets its own address', () => {
  const keepalived = {
    instances: [
      {
        name: 'VI',
        interface: 'eth0',
        routerId: 51,
        priority: 101,
        addresses: [{ address: '10.0.0.50', prefix: 24, device: null }],
      },
    ],
  };
  const addresses = [...facts.addresses, { device: 'eth0', address: '10.0.0.50', prefix: 24 }];
  const cluster = loaded([one('10.0.0.50', { keepalived, addresses })]);
  expect(cluster).toMatchObject({ hosts: [{ address: '10.0.0.1' }], vip: { address: '10.0.0.50', routerId: 51 } });
});

test('hosts with one name, or with none that fits, get names of their own', () => {
  const named = (index: number, hostname: string) => one(`10.0.0.${String(index)}`, { hostname });
  const names = loaded([named(1, 'DB_Main'), named(2, 'db-main'), named(3, '42')]).hosts.map(({ name }) => name);
  expect(names).toEqual(['db-main', 'db-main-2', 'db3']);
});

test('the primary comes first, whoever was asked first', () => {
  const replica = one('10.0.0.2', {
    hostname: 'db2',
    server: { ...server, serverId: 2, source: { host: '10.0.0.1', user: 'repl' } },
  });
  const names = (hosts: readonly DiscoveredHost[]) => loaded(hosts).hosts.map(({ name }) => name);
  expect(names([replica, one('10.0.0.1')])).toEqual(['db1', 'db2']);
  expect(loaded([replica, one('10.0.0.1')]).replication.user.name).toBe('repl');
});

test('of folders that lie in one another the outer one is taken, and the inner one is told of', () => {
  const rsync = { everyMinutes: 5, targetHost: 'db2', deletes: true };
  const rsyncs = ['/srv/www/uploads/', '/srv/www/', '/srv/other/'].map((path) => ({
    ...rsync,
    source: path,
    target: path,
  }));
  const draft = draftFrom([one('10.0.0.1', { rsyncs })], order);
  expect(draft.files.map(({ path }) => path.value)).toEqual(['/srv/www/', '/srv/other/']);
  expect(draft.remarks).toContain('cron copies /srv/www/uploads/ as well, which is a part of /srv/www/');
});

test('an rsync of a loop goes to all its targets, and one that could not be read is marked with its file and line', () => {
  const rsync = { everyMinutes: 5, source: '/srv/up/', target: '/srv/up/', deletes: false };
  const rsyncs = [
    { ...rsync, targetHost: 'web2' },
    { ...rsync, targetHost: 'web3' },
  ];
  const unreadRsyncs = [{ file: '/usr/local/bin/sync.sh', line: 4, why: '$h is not known' }];
  const text = textOf([one('10.0.0.1', { rsyncs, unreadRsyncs })]);
  expect(text).toContain('path: /srv/up/ # rsync from cron, to web2, web3\n');
  expect(marksIn(text).map(({ what }) => what)).toContain(
    'db1 (10.0.0.1): the rsync of /usr/local/bin/sync.sh, line 4, is not in here, since $h is not known; write its folder under files, if it is one of the cluster',
  );
});

test('filters of replication are to be taken out, and limit nothing in the inventory', () => {
  const text = textOf([one('10.0.0.1', { server: { ...server, filtered: ['shop'] } })]);
  expect(marksIn(text).map(({ what }) => what)).toContain(
    'take these filters out of the servers, they drop writes silently, such as those to wiki: only shop (binlog_do_db or replicate_do_db)',
  );
  expect(text).not.toContain('databases:');
});

test('whatever is found, the draft loads', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom('db1', 'db-1', '-', 'a:b # c', '\n- x', "'", '"'),
  );
  const ip = fc.ipV4();
  const anyServer = fc.record({
    serverId: fc.integer({ min: 0, max: 4_294_967_295 }),
    port: fc.integer({ min: 1, max: 65_535 }),
    version: word,
    reportHost: word,
    isReadOnly: fc.boolean(),
    waitsForAck: fc.boolean(),
    source: fc.option(fc.record({ host: fc.oneof(word, ip), user: word })),
    replicas: fc.array(ip, { maxLength: 2 }),
    databases: fc.array(word, { maxLength: 3 }),
    filtered: fc.array(word, { maxLength: 3 }),
  });
  const instance = fc.record({
    name: word,
    interface: fc.option(word),
    routerId: fc.option(fc.nat()),
    priority: fc.option(fc.nat()),
    addresses: fc.array(fc.record({ address: ip, prefix: fc.option(fc.nat(40)), device: fc.option(word) }), {
      maxLength: 2,
    }),
  });
  const rsync = fc.record({
    everyMinutes: fc.option(fc.integer({ min: 1, max: 2000 })),
    source: word.map((text) => `/${text}/`),
    targetHost: word,
    target: word.map((text) => `/${text}/`),
    deletes: fc.boolean(),
  });
  const host = fc.record({
    address: fc.oneof(ip, word),
    silence: fc.option(word),
    facts: fc.option(
      fc.record({
        hostname: word,
        addresses: fc.array(fc.record({ device: word, address: ip, prefix: fc.integer({ min: 1, max: 32 }) }), {
          maxLength: 2,
        }),
        server: fc.option(anyServer),
        serverSilence: fc.option(word),
        keepalived: fc.option(fc.record({ instances: fc.array(instance, { maxLength: 2 }) })),
        rsyncs: fc.array(rsync, { maxLength: 3 }),
        unreadRsyncs: fc.array(fc.record({ file: word, line: fc.nat(), why: word }), { maxLength: 2 }),
      }),
    ),
  });
  const hosts = fc.uniqueArray(host, { minLength: 1, maxLength: 4, selector: ({ address }) => address });
  fc.assert(
    fc.property(hosts, (found) => {
      expect(loaded(found).hosts).toHaveLength(found.length);
    }),
    { numRuns: 500 },
  );
});
