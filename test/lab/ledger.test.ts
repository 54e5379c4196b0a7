import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '../../lab/lab.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { until } from '../../lab/run.ts';
import { loadShop } from '../../lab/shop.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up({ name: 't-ledger', hosts: ['db1', 'db2'], withHelper: false });
  await lab.host('db1').exec(['ip', 'addr', 'add', `${lab.vip}/24`, 'dev', 'eth0']);
}, 60_000);

afterAll(async () => {
  await Lab.remove('t-ledger');
}, 60_000);

describe('the ledgers', () => {
  it('account for every write through every door, over a crash of the server and a loss of power', async () => {
    const db1 = lab.host('db1');
    const ledger = Ledger.start(lab, { vipWriters: 2 });
    await ledger.acknowledged(50);
    await ledger.acknowledged(20, { route: 'db1' });
    await ledger.acknowledged(20, { route: 'db1/socket' });
    db1.signal('mariadbd', 'SIGKILL');
    await db1.exec(['service', 'mariadb', 'start']);
    await ledger.acknowledged(20, { since: Ledger.now() });
    const faultAt = Ledger.now();
    await db1.powerOff();
    await db1.powerOn();
    await db1.exec(['ip', 'addr', 'add', `${lab.vip}/24`, 'dev', 'eth0']);
    ledger.hostIsBack('db1');
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.acknowledged(20, { since: faultAt, route: 'db1/socket' });
    await ledger.stop();
    ledger.begin();
    for (const route of ['vip', 'db1', 'db1/socket']) await ledger.acknowledged(20, { since: Ledger.now(), route });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db1', faultAt });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], refusedButPresent: [], twoWriters: [] });
    expect(verdict.acknowledged).toBeGreaterThan(150);
    expect(verdict.present).toBe(verdict.acknowledged);
    expect(verdict.writeOutageMs).toBeGreaterThan(0);
    expect(new Set(ledger.attempts().map((one) => one.route))).toEqual(
      new Set(['vip', 'db1', 'db2', 'db1/socket', 'db2/socket']),
    );
  });

  it('catch a second server that takes writes', async () => {
    const db2 = lab.host('db2');
    await db2.exec(['sh', '-c', 'printf "[mysqld]\\nserver_id=2\\n" > /etc/mysql/mariadb.conf.d/62-second.cnf']);
    await db2.exec(['service', 'mariadb', 'start']);
    const password = readFileSync(lab.etc('app.password'), 'utf8').trim();
    const table = (await lab.host('db1').exec(['mariadb-dump', '--no-data', '--databases', 'ledger'])).stdout;
    await db2.sql(`${table};CREATE USER app@'%' IDENTIFIED BY '${password}';GRANT ALL ON ledger.* TO app@'%'`);
    const ledger = Ledger.start(lab);
    await ledger.acknowledged(20, { route: 'db2' });
    await ledger.acknowledged(20, { route: 'db1' });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db1' });
    expect(verdict.twoWriters.length).toBeGreaterThan(0);
    expect(verdict.lost.length).toBeGreaterThan(0);
    await db2.exec(['service', 'mariadb', 'stop']);
  });

  it('call a write to a read-only server refused', async () => {
    const db1 = lab.host('db1');
    await db1.sql('SET GLOBAL read_only = 1');
    const ledger = Ledger.start(lab, { hosts: ['db1'] });
    await ledger.attempted(10, { route: 'db1/socket' });
    await ledger.stop();
    expect(ledger.attempts().map((one) => one.outcome)).not.toContain('ack');
    expect(ledger.attempts().map((one) => one.code)).toContain('ER_OPTION_PREVENTS_STATEMENT');
    expect((await ledger.verdict({ primary: 'db1' })).refusedButPresent).toEqual([]);
    await db1.sql('SET GLOBAL read_only = 0');
  });

  it('call a write to a frozen server unknown, and later ones refused while it cannot be reached', async () => {
    const db1 = lab.host('db1');
    const ledger = Ledger.start(lab, { hosts: ['db1'] });
    await ledger.acknowledged(10);
    const frozenAt = Ledger.now();
    db1.signal('mariadbd', 'SIGSTOP');
    // Not one that no server had greeted while the ledger began.
    const late = () =>
      ledger
        .attempts()
        .find(
          ({ route, outcome, code, endedAt }) =>
            route === 'vip' && outcome === 'unknown' && code === 'LATE' && endedAt >= frozenAt,
        );
    await until('a write that gets no answer', late);
    await ledger.attempted(2, { route: 'vip', since: frozenAt });
    db1.signal('mariadbd', 'SIGCONT');
    await ledger.acknowledged(10, { since: Ledger.now() });
    await ledger.stop();
    expect((await ledger.verdict({ primary: 'db1' })).lost).toEqual([]);
  });
});

describe('the shop', () => {
  it('is the same for the same seed and size, and another for another seed', async () => {
    const db1 = lab.host('db1');
    const checksums = async (seed: number): Promise<string> => {
      await db1.sql('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
      const loaded = await loadShop(db1, { sizeMb: 2, seed });
      expect(loaded.rows).toBeGreaterThan(2_000);
      const tables = [
        'customers',
        'addresses',
        'products',
        'product_images',
        'orders',
        'order_lines',
        'payments',
        'reviews',
      ];
      return JSON.stringify(await db1.sql(`CHECKSUM TABLE ${tables.map((name) => `shop.${name}`).join(', ')}`));
    };
    const first = await checksums(7);
    expect(await checksums(7)).toBe(first);
    expect(await checksums(8)).not.toBe(first);
    expect(await db1.sql("SELECT COUNT(*) > 0 FROM shop.reviews WHERE body LIKE '%😀%'")).toEqual([['1']]);
    expect(await db1.sql("SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = 'shop'")).toEqual([
      ['2'],
    ]);
    expect(await db1.sql("SELECT COUNT(*) FROM information_schema.events WHERE event_schema = 'shop'")).toEqual([
      ['1'],
    ]);
  });
});
