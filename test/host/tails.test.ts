import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReplication } from '../../adapters/mariadb-status.ts';
import { endTail, faultOfTail, startTail } from '../../adapters/mariadb-tail.ts';
import { Sandbox, until } from './sandbox.ts';
import { at, checksums, killServer, owner, send, sessionOn, startServer } from './tails.ts';

let old: Sandbox;
let winner: Sandbox;
/** What the winner had received when it lost its source. */
let received: string;
/** How far it had read the log of its source then. */
let place: string;

beforeAll(async () => {
  old = await Sandbox.start('db1');
  winner = await Sandbox.start('db2');
  old.join(winner, { mine: '10.9.0.1', theirs: '10.9.0.2' });
  startServer(old, 1);
  startServer(winner, 2);
  old.sql(`SET GLOBAL read_only=0; CREATE USER repl IDENTIFIED BY 'x'; GRANT REPLICATION SLAVE ON *.* TO repl;
    CREATE DATABASE shop; CREATE TABLE shop.t (i INT PRIMARY KEY, b LONGBLOB, at DATETIME(6)); INSERT INTO shop.t VALUES (1, 'a', NOW(6))`);
  winner.sql(`CHANGE MASTER TO MASTER_HOST='10.9.0.1', MASTER_USER='repl', MASTER_PASSWORD='x', MASTER_CONNECT_RETRY=1,
    MASTER_USE_GTID=slave_pos; START SLAVE`);
  await caughtUp();
  winner.sql('STOP SLAVE IO_THREAD');
  received = winner.sql('SELECT @@gtid_slave_pos');
  // What a failover hands on as the place of the receiver is the end of the log, as the primary itself says it.
  const status = await readReplication({ rows: (text) => Promise.resolve(rowsOf(winner, text)) }, () => 'db1', {
    timeoutMs: 1_000,
  });
  place = status?.readUpTo ?? '';
  expect(place).toBe(old.sql('SHOW MASTER STATUS').split('\t').slice(0, 2).join(':'));
});
afterAll(() => Promise.all([old.stop(), winner.stop()]));

const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });
const state = (host: Sandbox) => host.sql('SELECT @@gtid_binlog_state').split(',').sort().join(',');
const position = (host: Sandbox) => host.sql('SELECT @@gtid_slave_pos').split(',').sort().join(',');
const rows = () => Number(winner.sql('SELECT COUNT(*) FROM shop.many'));
const exported = (epoch: number) => old.fields('tail-export', { ...at(epoch), logs: 'binlog', beyond: received });
const held = () => [state(winner), position(winner)].filter((set) => set !== '').join(',');
const staged = (epoch: number, tail: Readonly<Record<string, string>>) =>
  winner.fields('tail-stage', { ...at(epoch), tail: tail['tail'] ?? '', sha256: tail['sha256'] ?? '', beyond: held() });

/** By name: the client prints one column a line. */
const rowsOf = (host: Sandbox, statement: string) => [
  Object.fromEntries(
    host
      .shell(`mariadb --no-defaults -uroot -e '${statement}\\G'`)
      .split('\n')
      .map((line) => /^ *(\w+): ?(.*)$/.exec(line))
      .map((found) => [found?.[1] ?? '', found?.[2] ?? '']),
  ),
];

async function caughtUp(): Promise<void> {
  const goal = old.sql('SELECT @@gtid_binlog_pos').split(',').sort().join(',');
  await until(
    'the replica has applied everything',
    () => position(winner),
    (seen) => seen === goal,
  );
}

async function applied(log: string, isDone: () => boolean): Promise<void> {
  winner.sql('STOP SLAVE');
  await startTail(sessionOn(winner), log);
  await until('the tail is applied', isDone, (done) => done);
}

describe('the tail of a dead primary', () => {
  it('is not read while its server runs, since it may still grow', () => {
    expect(old.ask('tail-list', { logs: 'binlog', beyond: received })).toEqual(refused('Unsafe', 'stop it first'));
  });

  it('holds exactly the complete transactions that a set lacks, of every kind, from every file, in their order', () => {
    const gtids: string[] = [];
    const write = (statement: string): void => {
      gtids.push(old.sql(`${statement}; SELECT @@last_gtid`).split('\n').at(-1) ?? '');
    };
    write(`INSERT INTO shop.t VALUES (2, REPEAT(X'00FF0A0D09', 100000), NOW(6))`);
    write(`SET SESSION gtid_domain_id=7; INSERT INTO shop.t VALUES (3, 'another domain', NOW(6))`);
    write(`SET SESSION binlog_format=STATEMENT; INSERT INTO shop.t VALUES (4, RAND(), NOW(6))`);
    write(`CREATE TABLE shop.u (i INT, s VARCHAR(200)) ENGINE=MyISAM`);
    write(`INSERT INTO shop.u VALUES (1, 'no transaction')`);
    write(
      `FLUSH BINARY LOGS; BEGIN; INSERT INTO shop.t VALUES (5, 'x', NOW(6)); UPDATE shop.t SET b='y' WHERE i=5; COMMIT`,
    );
    // Text that looks like the end of a transaction, or like a mark between events.
    write(`SET SESSION binlog_format=STATEMENT; BEGIN; INSERT INTO shop.t VALUES (6, 'a\n# at 99\nCOMMIT\n/*!*/;\n', NOW(6));
      INSERT INTO shop.t VALUES (7, 'the rest of it', NOW(6)); COMMIT`);
    write(`CREATE TABLE shop.copied AS SELECT * FROM shop.t`);
    write(`FLUSH BINARY LOGS; CREATE TABLE shop.v (i INT) COMMENT='\n# at 99\nCOMMIT\n/*!*/;\n'`);
    killServer(old);
    const tail = exported(1);
    expect(tail).toMatchObject({ count: String(gtids.length), complete: 'yes', why: '', tail: '1-binlog' });
    expect(tail['gtids']?.split(',')).toEqual(gtids);
    expect(exported(1)).toEqual(tail);
    const folder = '/var/lib/standfast/quarantine/1-binlog';
    expect(old.shell(`cat ${folder}/gtids`).split('\n')).toEqual(gtids);
    for (const statement of ['CREATE TABLE shop.u', `###   @2='another domain'`, 'gtid_seq_no=6*/'])
      expect(old.run('grep', '-qF', '-e', statement, `${folder}/tail.sql`).exitCode).toBe(0);
    expect(old.shell(`stat -c '%a %U' ${folder}`)).toBe('700 root');
  });

  it('is read from where a receiver has read to, and is the same; whatever is not a place between two transactions is not believed', () => {
    const whole = exported(1);
    const [file = '', size = ''] = old
      .shell('cd /var/lib/mysql; f=$(ls *-bin.[0-9]* | tail -n 1); stat -c "%n %s" $f')
      .split(' ');
    const readTo = (place: string) =>
      old.fields('tail-export', { ...at(1), logs: 'binlog', beyond: received, read_to: place });
    const { count, gtids, sha256 } = whole;
    expect(readTo(place)).toMatchObject({ from: place, count, gtids, sha256, complete: 'yes' });
    expect(readTo(`${file}:${size}`)).toMatchObject({ from: `${file}:${size}`, count: '0', tail: '', complete: 'yes' });
    const [name = '', byte = ''] = place.split(':');
    for (const wrong of [
      `${name}:${String(Number(byte) + 1)}`,
      `${file}:${String(Number(size) - 1)}`,
      'other.000001:4',
    ])
      expect(readTo(wrong)).toMatchObject({ from: '', count, gtids, sha256 });
  });

  it('begins where the fence says that the log ends; of one that cannot be found it says nothing', () => {
    const [index = '', end = ''] = old
      .shell('cd /var/lib/mysql; f=$(ls *-bin.[0-9]* | tail -n 1); echo *-bin.index $f:$(stat -c %s $f)')
      .split(' ');
    const fence = () => old.fields('fence', { ...at(1), logs: 'binlog' });
    expect(fence()).toMatchObject({ process: 'gone', log_end: end });
    old.must('mv', `/var/lib/mysql/${index}`, '/var/lib/mysql/away');
    const unknown = fence();
    old.must('mv', '/var/lib/mysql/away', `/var/lib/mysql/${index}`);
    expect(unknown).toMatchObject({ process: 'gone', log_end: '' });
    old.fields('unfence', at(1));
  });

  it('gives way to itself under a newer epoch', () => {
    old.fields('claim', { ...at(2), account: 'standfast' });
    winner.fields('claim', { ...at(2), account: 'standfast' });
    expect(exported(2)).toMatchObject({ tail: '2-binlog' });
    expect(old.shell('ls /var/lib/standfast/quarantine')).toBe('2-binlog');
  });

  it('is applied on the winner with its own GTIDs, and the winner could follow the old primary again', async () => {
    const tail = exported(2);
    await send(old, winner, { name: '2-binlog', epoch: 2 });
    const { log = '', up_to: goal } = staged(2, tail);
    await applied(log, () => position(winner) === goal?.split(',').sort().join(','));
    await endTail(sessionOn(winner));
    expect(staged(2, tail)).toMatchObject({ count: '0', log: '' });
    expect(winner.shell('ls /var/lib/standfast/quarantine /var/lib/mysql')).not.toMatch(/binlog$|standfast\./m);
    old.fields('service-start', { owner });
    expect(state(winner)).toBe(state(old));
    expect(checksums(winner, 'shop')).toBe(checksums(old, 'shop'));
    winner.sql('START SLAVE');
    old.sql(`SET GLOBAL read_only=0; INSERT INTO shop.t VALUES (100, 'after the undo', NOW(6))`);
    await caughtUp();
    winner.sql('STOP SLAVE IO_THREAD');
    received = position(winner);
  });

  it('is applied once, when the winner is killed in the middle', async () => {
    old.sql('CREATE TABLE shop.many (i INT PRIMARY KEY, b CHAR(200))');
    winner.sql('START SLAVE');
    await caughtUp();
    winner.sql('STOP SLAVE');
    received = position(winner);
    old.shell(
      `for i in {1..400}; do echo "INSERT INTO shop.many VALUES ($i, '$i');"; done | mariadb --no-defaults -uroot -S /run/mysqld/mysqld.sock`,
    );
    killServer(old);
    const tail = exported(2);
    expect(tail).toMatchObject({ count: '400', complete: 'yes' });
    await send(old, winner, { name: '2-binlog', epoch: 2 });
    // The applier has to wait in front of the 200th, and there it is killed.
    const holder = winner.start(
      'mariadb',
      '--no-defaults',
      '-uroot',
      '-S',
      '/run/mysqld/mysqld.sock',
      '-e',
      `BEGIN; INSERT INTO shop.many VALUES (200, ''); SELECT SLEEP(600)`,
    );
    await until(
      'the row is held',
      () => winner.sql(`SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE='User sleep'`),
      (seen) => seen === '1',
    );
    await applied(staged(2, tail)['log'] ?? '', () => rows() === 199);
    killServer(winner);
    holder.kill('SIGKILL');
    winner.fields('service-start', { owner });
    expect(rows()).toBe(199);
    await endTail(sessionOn(winner));
    const again = staged(2, tail);
    expect(again).toMatchObject({ count: '201' });
    await applied(again['log'] ?? '', () => rows() === 400);
    await endTail(sessionOn(winner));
    expect(staged(2, tail)).toMatchObject({ count: '0' });
    old.fields('service-start', { owner });
    expect(checksums(winner, 'shop')).toBe(checksums(old, 'shop'));
    expect(state(winner)).toBe(state(old));
    received = position(winner);
  });

  it('stops at a transaction that the winner cannot apply, and says why', async () => {
    winner.sql(`SET SESSION sql_log_bin=0; INSERT INTO shop.t VALUES (300, 'in the way', NULL)`);
    old.sql(
      `SET GLOBAL read_only=0; INSERT INTO shop.t VALUES (299, 'before', NOW(6)); INSERT INTO shop.t VALUES (300, 'refused', NOW(6))`,
    );
    killServer(old);
    const tail = exported(2);
    await send(old, winner, { name: '2-binlog', epoch: 2 });
    const session = sessionOn(winner);
    const faults: (string | null)[] = [];
    await startTail(session, staged(2, tail)['log'] ?? '');
    for (let fault = await faultOfTail(session); faults.push(fault) < 1000 && fault === null;)
      fault = await faultOfTail(session);
    expect(faults.at(-1)).toMatch(/^error 1062: .*Duplicate entry/);
    await endTail(session);
    winner.sql('SET SESSION sql_log_bin=0; DELETE FROM shop.t WHERE i=300');
    const again = staged(2, tail);
    expect(again).toMatchObject({ count: '1' });
    await applied(again['log'] ?? '', () => winner.sql('SELECT b FROM shop.t WHERE i=300') === 'refused');
    await endTail(session);
    expect(await faultOfTail(session)).toBe('its channel is gone');
    expect(staged(2, tail)).toMatchObject({ count: '0' });
    old.fields('service-start', { owner });
    received = position(winner);
  });

  it('ends before a transaction whose end is not in the file', () => {
    old.sql(
      `SET GLOBAL read_only=0; INSERT INTO shop.t VALUES (200, 'whole', NOW(6)); INSERT INTO shop.t VALUES (201, 'cut off', NOW(6))`,
    );
    const [whole = ''] = tailOf(old);
    old.must('truncate', '-s', '-5', lastLog(old));
    expect(exported(2)).toMatchObject({ count: '1', gtids: whole, complete: 'yes' });
  });

  it('says up to where a damaged log can be read, and gives what is before', () => {
    const log = lastLog(old);
    old.shell(`printf 'XXXXXXXX' | dd of=${log} bs=1 seek=$(($(stat -c %s ${log}) - 60)) conv=notrunc status=none`);
    const tail = exported(2);
    expect(tail).toMatchObject({
      complete: 'no',
      why: expect.stringMatching(/mariadb-bin\.\d+ can be read up to byte \d+: ERROR/),
    });
    // mariadb-binlog itself is content: it takes the damage in a log that was not closed for the end of it.
    expect(old.run('mariadb-binlog', '--no-defaults', '-r', '/dev/null', log).exitCode).toBe(0);
    expect(old.ask('binlog-end')).toEqual(refused('Unverified', 'can be read up to byte'));
  });

  it('is not complete when logs that it would need were purged', () => {
    const first = old.shell(
      'cd /var/lib/mysql; first=$(head -n 1 mariadb-bin.index); rm "$first"; sed -i 1d mariadb-bin.index; echo "$first"',
    );
    expect(first).toContain('mariadb-bin.000001');
    expect(old.fields('tail-list', { logs: 'binlog', beyond: '' })).toMatchObject({
      complete: 'no',
      why: expect.stringContaining('were purged'),
    });
    expect(old.fields('tail-list', { logs: 'binlog', beyond: received })['why']).not.toContain('purged');
  });
});

const lastLog = (host: Sandbox): string => host.shell('cd /var/lib/mysql; realpath "$(tail -n 1 mariadb-bin.index)"');

/** Kills the server and lists what it has beyond the winner. */
function tailOf(host: Sandbox): readonly string[] {
  killServer(host);
  return host.fields('tail-list', { logs: 'binlog', beyond: received })['gtids']?.split(',') ?? [];
}

describe('a tail that is sent', () => {
  const piece = Buffer.from('piece').toString('base64');
  const write = (offset: number) => winner.ask('tail-write', { ...at(2), tail: '2-relay', offset, piece });

  it('lands in the same place when a piece comes twice, and never leaves a hole', () => {
    expect(write(5)).toEqual(refused('BadInput', 'leave a hole'));
    for (const offset of [0, 5, 5, 0, 5])
      expect(write(offset)).toEqual({ ok: true, fields: { bytes: String(offset + 5) } });
  });

  it('is not staged when it is not the one that was sent', () => {
    const answer = winner.ask('tail-stage', { ...at(2), tail: '2-relay', sha256: '0'.repeat(64), beyond: '' });
    expect(answer).toEqual(refused('Unverified', 'not the one that was sent'));
  });

  it('goes with the relay logs that were kept; one of a newer operation stays, and so does what was exported here', () => {
    const folder = '/var/lib/standfast/quarantine';
    const tails = () => winner.shell(`ls ${folder}`).split('\n');
    for (const name of ['1-binlog', '2-binlog', '99-binlog', '1-binlog.new'])
      winner.shell(`mkdir -p ${folder}/${name}; echo x >${folder}/${name}/tail.binlog`);
    winner.shell(`mkdir ${folder}/0-binlog; echo x >${folder}/0-binlog/summary`);
    winner.fields('release-relay', at(2));
    expect(tails()).toEqual(expect.arrayContaining(['0-binlog', '99-binlog', '1-binlog.new']));
    expect(tails()).not.toEqual(expect.arrayContaining(['1-binlog']));
    expect(tails()).not.toEqual(expect.arrayContaining(['2-binlog']));
    winner.shell(`rm -r ${folder}/0-binlog ${folder}/99-binlog ${folder}/1-binlog.new`);
  });

  it('is refused by name when the disk has no room', () => {
    const folder = '/var/lib/standfast/quarantine';
    winner.shell(`mount -t tmpfs -o size=64k tmpfs ${folder}`);
    try {
      expect(write(0)).toEqual(refused('Unverified', 'bytes free'));
    } finally {
      winner.must('umount', folder);
    }
  });
});
