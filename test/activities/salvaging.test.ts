import { describe, expect, it } from 'vitest';
import { applyTail, readTail } from '../../activities/salvaging.ts';
import { Authority } from '../../activities/authority.ts';
import type { ClusterPorts, HelperAnswerFields, Row } from '../../adapters/ports.ts';
import type { Tail } from '../../domain/tail.ts';
import { records, SHOP } from '../domain/shop.ts';

const BYTES = 10;
const PIECE = 4;
const TAIL: Tail = {
  ...{ name: '3-binlog', count: 2, gtids: ['0-1-11', '0-1-12'], upTo: '0-1-12', held: '0-1-12' },
  ...{ complete: true, why: '', bytes: BYTES, sha256: 'abc' },
};

/** db1 holds the tail, db2 applies it: one look after its start it holds it, unless a fault is set. */
class Hosts {
  readonly orders: string[] = [];
  readonly statements: string[] = [];
  /** Bytes that db2 wrote. */
  written = 0;
  position = '0-1-10';
  received = '0-1-10';
  fault = '';
  channel = false;

  authority(level = 1): Authority {
    const cluster = {
      description: SHOP,
      owner: 'plane-1',
      nameOf: () => 'db1',
      helper: (host: string) => ({
        request: (verb: string, args = {}) => Promise.resolve(this.#answer(host, verb, args)),
      }),
      session: (host: string) =>
        Promise.resolve({
          host,
          rows: (statement: string) => Promise.resolve(this.#rows(statement)),
          close: () => undefined,
        }),
    } as unknown as ClusterPorts;
    return new Authority(
      cluster,
      { number: 3, run: 'run-3' },
      { records: new Map([['db2', records({ level })]]), members: ['db1', 'db2', 'db3'], provenOff: [] },
    );
  }

  #answer(host: string, verb: string, args: Readonly<Record<string, string>>): HelperAnswerFields {
    if (verb !== 'assert')
      this.orders.push(`${host} ${verb}${args['offset'] === undefined ? '' : ` ${args['offset']}`}`);
    if (verb === 'tail-write') this.written = Math.min(BYTES, Number(args['offset']) + PIECE);
    if (verb === 'tail-write') return { bytes: String(this.written) };
    if (verb === 'tail-read') return { bytes: String(BYTES), piece: 'cGllY2U=' };
    if (verb === 'tail-export')
      return {
        tail: '3-binlog',
        count: '2',
        gtids: '0-1-11,0-1-12',
        up_to: '0-1-12',
        held: '0-1-12',
        complete: 'no',
        why: 'damaged',
        bytes: '10',
        sha256: 'abc',
      };
    if (verb !== 'tail-stage') return {};
    return args['beyond'] === '0-1-12'
      ? { count: '0', gtids: '', up_to: '', log: '' }
      : { count: '2', gtids: '0-1-11,0-1-12', up_to: '0-1-12', log: 'relay-bin-standfast.000001' };
  }

  #rows(statement: string): readonly Row[] {
    if (!statement.startsWith('S')) this.statements.push(statement.split(/\s+/).slice(0, 3).join(' '));
    else if (!statement.startsWith('SHOW') && !statement.startsWith('SELECT')) this.statements.push(statement);
    if (statement.startsWith('CHANGE MASTER')) this.channel = true;
    if (statement.startsWith('RESET SLAVE')) this.channel = false;
    if (statement.startsWith('START SLAVE') && this.fault === '') this.position = '0-1-12';
    if (statement.startsWith('SHOW ALL')) return [this.#source(), ...(this.channel ? [this.#salvage()] : [])];
    if (!statement.includes('GLOBAL_VARIABLES')) return [];
    return [
      { name: 'GTID_SLAVE_POS', value: this.position },
      { name: 'GTID_BINLOG_STATE', value: this.position },
    ];
  }

  #source = (): Row => ({
    Connection_name: '',
    Master_Host: 'db1',
    Slave_IO_Running: 'No',
    Slave_SQL_Running: 'Yes',
    Gtid_IO_Pos: this.received,
    Using_Gtid: 'Slave_Pos',
  });
  #salvage = (): Row => ({
    ...{ Connection_name: 'standfast', Master_Host: 'standfast.invalid' },
    ...{ Slave_SQL_Running: this.fault === '' ? 'Yes' : 'No' },
    ...{ Last_SQL_Errno: this.fault === '' ? 0 : 1062, Last_SQL_Error: this.fault },
  });
}

const work = (tail: Tail = TAIL) => ({ primary: 'db1', winner: 'db2', tail, signal: new AbortController().signal });

describe('the tail of the old primary', () => {
  it('is read on its own host, and says what of it could not be read', async () => {
    const tail = await readTail(new Hosts().authority(), { primary: 'db1', received: '0-1-10', readUpTo: null });
    expect(tail).toEqual({ ...TAIL, complete: false, why: 'damaged' });
  });

  it('is sent piece by piece, applied by a channel of its own, and proven to be there', async () => {
    const hosts = new Hosts();
    expect(await applyTail(hosts.authority(), work())).toEqual({ kind: 'applied', holds: '0-1-12' });
    const pieces = [0, 4, 8].flatMap((at) => [`db1 tail-read ${String(at)}`, `db2 tail-write ${String(at)}`]);
    expect(hosts.orders).toEqual([...pieces, 'db2 tail-stage', 'db2 tail-stage']);
    // The winner's own threads end first: a receiver started beside a running applier would ask for the tail again.
    expect(hosts.statements).toEqual([
      'STOP SLAVE',
      "CHANGE MASTER 'standfast'",
      "START SLAVE 'standfast' SQL_THREAD",
      "STOP SLAVE 'standfast'",
      "RESET SLAVE 'standfast'",
    ]);
  });

  it('is not asked for again where its copy goes with the relay logs that were kept', async () => {
    const hosts = new Hosts();
    expect(await applyTail(hosts.authority(3), work())).toEqual({ kind: 'applied', holds: '0-1-12' });
    expect(hosts.orders.filter((order) => order.includes('tail-stage'))).toEqual(['db2 tail-stage']);
    expect(hosts.channel).toBe(false);
  });

  it('ends what an attempt that died left behind before it is staged again', async () => {
    const hosts = new Hosts();
    hosts.channel = true;
    await applyTail(hosts.authority(), work());
    expect(hosts.statements.slice(0, 3)).toEqual(['STOP SLAVE', "STOP SLAVE 'standfast'", "RESET SLAVE 'standfast'"]);
  });

  it('stays where it is when it is too large to be sent', async () => {
    const hosts = new Hosts();
    const outcome = await applyTail(hosts.authority(), work({ ...TAIL, bytes: 65 * 1024 * 1024 }));
    expect(outcome).toEqual({
      kind: 'quarantined',
      why: expect.stringContaining('/var/lib/standfast/quarantine/3-binlog on db1'),
    });
    expect([...hosts.orders, ...hosts.statements]).toEqual([]);
  });

  it('is not applied to a winner that has not applied what it received itself', async () => {
    const hosts = new Hosts();
    hosts.received = '0-1-11';
    await expect(applyTail(hosts.authority(), work())).rejects.toMatchObject({
      type: 'Unsafe',
      message: expect.stringContaining('0-1-11'),
    });
    expect(hosts.statements).toEqual([]);
  });

  it('is refused with the error of the server that cannot apply it', async () => {
    const hosts = new Hosts();
    hosts.fault = 'Duplicate entry';
    await expect(applyTail(hosts.authority(), work())).rejects.toMatchObject({
      type: 'Unsafe',
      message: expect.stringContaining('error 1062: Duplicate entry'),
    });
  });

  it('of nothing needs nobody', async () => {
    const hosts = new Hosts();
    expect(await applyTail(hosts.authority(), work({ ...TAIL, count: 0, bytes: 0 }))).toEqual({
      kind: 'applied',
      holds: '0-1-10',
    });
    expect(hosts.orders).toEqual([]);
  });
});
