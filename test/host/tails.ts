import type { SqlValue } from 'mysql2';
import { format } from 'mysql2';
import type { Row, Session } from '../../adapters/ports.ts';
import type { Sandbox } from './sandbox.ts';
import { until } from './sandbox.ts';

export const owner = 'plane-1';
export const at = (epoch: number) => ({ owner, epoch, run: `run-${String(epoch)}` });

/** A server as a member of a cluster runs it: closed, with strict GTIDs and a binlog of its own. */
export function startServer(host: Sandbox, serverId: number): void {
  const settings = [
    'log_bin=mariadb-bin',
    'log_slave_updates=1',
    'binlog_format=ROW',
    'sync_binlog=1',
    'gtid_strict_mode=1',
    'relay_log_recovery=0',
    'slave_net_timeout=4',
    'bind_address=0.0.0.0',
  ];
  host.installDatabase();
  host.fields('configure', { owner, server_id: serverId, report_host: host.name, settings: settings.join('\n') });
  host.serve({ owner });
  host.fields('claim', { ...at(1), account: 'standfast' });
}

/**
 * Servers on both, joined as 10.9.0.1 and 10.9.0.2, and a table `shop.t` that the second has from the first. From here on the second only receives.
 * @returns the position that it has applied
 */
export async function onlyReceiving(primary: Sandbox, replica: Sandbox): Promise<string> {
  startServer(primary, 1);
  startServer(replica, 2);
  primary.sql(`SET GLOBAL read_only=0; CREATE USER repl IDENTIFIED BY 'x'; GRANT REPLICATION SLAVE ON *.* TO repl;
    CREATE DATABASE shop; CREATE TABLE shop.t (i INT PRIMARY KEY)`);
  replica.sql(`CHANGE MASTER TO MASTER_HOST='10.9.0.1', MASTER_USER='repl', MASTER_PASSWORD='x', MASTER_CONNECT_RETRY=1,
    MASTER_USE_GTID=slave_pos; START SLAVE`);
  const goal = primary.sql('SELECT @@gtid_binlog_pos');
  const applied = await until(
    'the replica has applied everything',
    () => replica.sql('SELECT @@gtid_slave_pos'),
    (seen) => seen === goal,
  );
  replica.sql('STOP SLAVE SQL_THREAD');
  return applied;
}

export const killServer = (host: Sandbox): void => {
  host.shell(
    // Again and again: a supervisor may have forked a server after it was seen.
    `for round in 1 2 3; do while pkill -KILL -x 'mariadbd-safe|mysqld_safe|mariadbd'; do :; done; sleep 0.05; done`,
  );
};

/** SQL as the adapters ask for it, through the client on the host. */
export const sessionOn = (host: Sandbox): Session => ({
  host: host.name,
  rows: (statement, values) =>
    Promise.resolve(table(host, values === undefined ? statement : format(statement, values as SqlValue[]))),
  close: () => undefined,
});

function table(host: Sandbox, statement: string): readonly Row[] {
  const said = host.must('mariadb', '--no-defaults', '-uroot', '-S', '/run/mysqld/mysqld.sock', '-B', '-e', statement);
  const [names = [], ...rows] = said.split('\n').map((line) => line.split('\t'));
  return rows.map((row) => Object.fromEntries(names.map((name, column) => [name, row[column] ?? ''])));
}

/** Sends a tail from host to host as the worker does, on a channel each: a piece is longer than an argument of a program may be. */
export async function send(
  from: Sandbox,
  to: Sandbox,
  tail: { readonly name: string; readonly epoch: number },
): Promise<void> {
  const [source, target] = [from.channel(), to.channel()];
  for (let offset = 0, bytes = 1; offset < bytes;) {
    const read = await source.ask('tail-read', { tail: tail.name, offset });
    if (!read.ok) throw new Error(read.message);
    const { piece = '' } = read.fields;
    const written = await target.ask('tail-write', { ...at(tail.epoch), tail: tail.name, offset, piece });
    if (!written.ok) throw new Error(written.message);
    offset = Number(written.fields['bytes']);
    bytes = Number(read.fields['bytes']);
  }
  await Promise.all([source.close(), target.close()]);
}

export const checksums = (host: Sandbox, base: string): string =>
  host
    .sql(`SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA='${base}'`)
    .split('\n')
    .sort()
    .map((name) => host.sql(`CHECKSUM TABLE ${name}`))
    .join('\n');
