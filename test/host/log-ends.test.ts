import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';
import { at, killServer, onlyReceiving, owner } from './tails.ts';

let primary: Sandbox;
let replica: Sandbox;
/** What the replica had applied before anything that these tests write. */
let beyond: string;
/** A compressed statement, a transaction of rows, and a compressed statement at the end: received by the replica, not applied. */
const gtids: string[] = [];

beforeAll(async () => {
  primary = await Sandbox.start('db1');
  replica = await Sandbox.start('db2');
  primary.join(replica, { mine: '10.9.0.1', theirs: '10.9.0.2' });
  primary.shell(`printf '[mariadb]\\nlog_bin_compress=1\\n' >/etc/mysql/mariadb.conf.d/60-compress.cnf`);
  beyond = await onlyReceiving(primary, replica);
  gtids.push(write(`CREATE TABLE shop.long (i INT) COMMENT='${'x'.repeat(400)}'`));
  gtids.push(write('INSERT INTO shop.t VALUES (1)'));
  gtids.push(write(`CREATE TABLE shop.longer (i INT) COMMENT='${'y'.repeat(400)}'`));
  await until(
    'the replica has received them',
    () => replica.sql('SHOW SLAVE STATUS'),
    (seen) => seen.includes(gtids.at(-1) ?? ''),
  );
  killServer(primary);
});
afterAll(() => Promise.all([primary.stop(), replica.stop()]));

const LOGS = '/var/lib/mysql';
const binlog = (list: Readonly<Record<string, string>> = {}) =>
  primary.fields('tail-list', { logs: 'binlog', beyond, ...list });
const relay = () => replica.fields('tail-list', { logs: 'relay', beyond });
const refused = (text: string) => ({ ok: false, type: 'Unverified', message: expect.stringContaining(text) });
const write = (statement: string) => primary.sql(`${statement}; SELECT @@last_gtid`).split('\n').at(-1) ?? '';
const logsOf = (host: Sandbox, pattern: string) => host.shell(`cd ${LOGS}; ls ${pattern}`).split('\n');

type Place = readonly [from: number, to: number];

/** Where the events of some kinds are in a log. */
function eventsOf(host: Sandbox, log: string, ...kinds: readonly string[]): readonly Place[] {
  const printed = host.shell(`mariadb-binlog --no-defaults --base64-output=decode-rows ${log} | grep -A 1 '^# at '`);
  const events = [...printed.matchAll(/^# at (\d+)\n#.* end_log_pos \d+ [^\t]*\t(\S+)/gm)];
  const size = Number(host.shell(`stat -c %s ${log}`));
  return events
    .map(([, from, kind = ''], i) => [kind, [Number(from), Number(events[i + 1]?.[1] ?? size)]] as const)
    .filter(([kind]) => kinds.includes(kind))
    .map(([, place]) => place);
}

/** As if the event were of a kind that the helper does not know. */
function without(host: Sandbox, log: string, [from, to]: Place = [0, 0]): void {
  host.shell(
    `cp -p ${log} /tmp/whole; { head -c ${String(from)} /tmp/whole; tail -c +${String(to + 1)} /tmp/whole; } >${log}`,
  );
}
const putBack = (host: Sandbox, log: string) => host.shell(`cat /tmp/whole >${log}`);

describe('a transaction in a log', () => {
  it('is found when its statement is compressed, whatever follows it', () => {
    const log = `${LOGS}/${logsOf(primary, 'mariadb-bin.0*').at(-1) ?? ''}`;
    expect(eventsOf(primary, log, 'Query_compressed')).toHaveLength(2);
    const found = { complete: 'yes', gtids: gtids.join(), count: '3' };
    expect(binlog()).toMatchObject(found);
    expect(primary.fields('tail-export', { ...at(1), logs: 'binlog', beyond })).toMatchObject(found);
    expect(relay()).toMatchObject(found);
  });

  it('whose end cannot be found is damage, when the next one begins or the log ends; it is not when the log was cut off', () => {
    const log = `${LOGS}/${logsOf(primary, 'mariadb-bin.0*').at(-1) ?? ''}`;
    const received = `${LOGS}/${logsOf(replica, '*relay-bin.0*').at(-1) ?? ''}`;
    const endless = (gtid = '') => ({
      complete: 'no',
      why: expect.stringContaining(`no end of the transaction ${gtid} was found`),
    });
    without(primary, log, eventsOf(primary, log, 'Xid').at(-1));
    expect(binlog()).toMatchObject({ ...endless(gtids[1]), gtids: gtids[0] });
    expect(primary.ask('binlog-end')).toEqual(refused('no end of the transaction'));
    putBack(primary, log);
    const last = eventsOf(primary, log, 'Query_compressed').at(-1);
    without(primary, log, last);
    expect(binlog()).toMatchObject({ ...endless(gtids[2]), count: '2' });
    putBack(primary, log);
    primary.must('truncate', '-s', '-5', log);
    expect(binlog()).toMatchObject({ complete: 'yes', count: '2' });
    putBack(primary, log);
    expect(binlog()).toMatchObject({ complete: 'yes', count: '3' });
    // What a receiver has received in part is no damage: an acknowledgement is for a whole transaction.
    const ends = eventsOf(replica, received, 'Xid', 'Query').slice(-3);
    without(replica, received, ends[2]);
    expect(relay()).toMatchObject({ complete: 'yes', count: '2' });
    putBack(replica, received);
    without(replica, received, ends[1]);
    expect(relay()).toMatchObject({ ...endless(gtids[1]), gtids: gtids[0] });
    putBack(replica, received);
    expect(relay()).toMatchObject({ complete: 'yes', count: '3' });
  });
});

describe('a log', () => {
  /** What the tail is like while the index has a line more; of one that has the logs of this host. */
  const withLine = (
    host: Sandbox,
    { sed, index }: { readonly sed: string; readonly index: string },
    look: () => void,
  ) => {
    host.shell(`cd ${LOGS}; cp -p ${index} /tmp/index; sed -i '${sed}' ${index}`);
    try {
      look();
    } finally {
      host.shell(`cat /tmp/index >${LOGS}/${index}`);
    }
  };

  it('is missing from the tail when the index names it and it is not there, unless it is the first', () => {
    const gone = (name: string) => ({
      complete: 'no',
      why: expect.stringMatching(`names .*/${name}, which is not there`),
    });
    const whole = { complete: 'yes', count: '3', why: '' };
    const index = 'mariadb-bin.index';
    const fence = () => primary.fields('fence', { ...at(1), logs: 'binlog' })['log_end'];
    const size = primary.shell(`stat -c %s ${LOGS}/mariadb-bin.000001`);
    const place = `mariadb-bin.000001:${size}`;
    withLine(primary, { index, sed: '$a ./mariadb-bin.000002' }, () => {
      expect(binlog()).toMatchObject({ ...gone('mariadb-bin.000002'), count: '3' });
      const readTo = { ...at(1), logs: 'binlog', beyond, read_to: place };
      expect(primary.fields('tail-export', readTo)).toMatchObject({ ...gone('mariadb-bin.000002'), from: '' });
      expect(primary.fields('binlog-end')).toMatchObject({ gtid: '', why: gone('mariadb-bin.000002').why });
      expect(fence()).toBe('');
    });
    withLine(primary, { index, sed: '1i ./mariadb-bin.000000' }, () => {
      expect(binlog()).toMatchObject(whole);
      expect(primary.fields('binlog-end')).toMatchObject({ gtid: gtids[2], why: '' });
      expect(fence()).toBe(place);
    });
    primary.fields('unfence', at(1));
    const relays = 'mysqld-relay-bin.index';
    withLine(replica, { index: relays, sed: '$i ./mysqld-relay-bin.000009' }, () => {
      expect(relay()).toMatchObject(gone('mysqld-relay-bin.000009'));
    });
    withLine(replica, { index: relays, sed: '1i ./mysqld-relay-bin.000000' }, () => {
      expect(relay()).toMatchObject(whole);
    });
  });

  it('is not trusted after the host was started anew, unless it was closed in order, synced at every write, or read by a receiver since', () => {
    const first = `${LOGS}/mariadb-bin.000001`;
    const readTo = (place: string) =>
      primary.fields('tail-export', { ...at(1), logs: 'binlog', beyond: binlog()['held'] ?? '', read_to: place });
    const endOf = (log: string) => `${log}:${primary.shell(`stat -c %s ${LOGS}/${log}`)}`;
    const lost = { complete: 'no', why: expect.stringContaining('sync_binlog is not 1') };
    const whole = { complete: 'yes', why: '' };
    // Older than the first process of this host, as after a power cut.
    primary.must('touch', '-d', '2 days ago', first);
    expect(binlog()).toMatchObject({ ...whole, count: '3' });
    primary.shell(`printf '[mariadb]\\nsync_binlog=0\\n' >/etc/mysql/mariadb.conf.d/zzz-sync.cnf`);
    expect(binlog()).toMatchObject({ ...lost, count: '3' });
    expect(primary.fields('binlog-end')).toMatchObject({ gtid: '', why: lost.why });
    expect(readTo(endOf('mariadb-bin.000001'))).toMatchObject({
      ...lost,
      from: endOf('mariadb-bin.000001'),
      count: '0',
    });
    // The clock of this host was ahead before it, or is behind since.
    primary.must('touch', '-d', '1 hour', first);
    expect(binlog()).toMatchObject(lost);
    primary.must('touch', first);
    expect(binlog()).toMatchObject(whole);
    // A server that was started since writes a log of its own.
    primary.must('touch', '-d', '2 days ago', first);
    primary.fields('service-start', { owner });
    primary.sql('FLUSH BINARY LOGS');
    killServer(primary);
    expect(binlog()).toMatchObject({ ...lost, count: '3' });
    expect(readTo(endOf('mariadb-bin.000002'))).toMatchObject({ ...whole, from: endOf('mariadb-bin.000002') });
    primary.must('touch', '-d', '2 days ago', `${LOGS}/mariadb-bin.000002`);
    expect(binlog()).toMatchObject({ ...whole, count: '3' });
  });
});
