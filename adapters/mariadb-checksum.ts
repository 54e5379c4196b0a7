import type { ComparedTable, TableSum } from '../domain/table-sums.ts';
import { endConnection } from './mariadb-connections.ts';
import { field, identifier } from './mariadb.ts';
import type { Session } from './ports.ts';

/** As long as it takes: whoever asks ends it with its signal. */
const SUM_MS = 24 * 3_600_000;
const LIST_MS = 60_000;
/** ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE. */
const ABSENT = [1049, 1146];
/** ER_LOCK_WAIT_TIMEOUT: of a definition, since these looks lock no rows. */
const LOCKED = 1205;
const LOCK_WAIT_SECONDS = 5;
/** An idle snapshot of a worker that is gone keeps definitions from changing for no longer. */
const IDLE_SECONDS = 3_600;
const SYSTEM_SCHEMAS = ['mysql', 'information_schema', 'performance_schema', 'sys'];

/** A sum waits for a lock of others for five seconds: whoever waits for a table that was summed before it waits for both. */
export async function prepareToSum(session: Session): Promise<void> {
  await session.rows(
    `SET SESSION lock_wait_timeout = ${String(LOCK_WAIT_SECONDS)}, SESSION idle_readonly_transaction_timeout = ${String(IDLE_SECONDS)}`,
  );
}

/** Ends what a worker that is gone has left of the same job: its sums go on by themselves. */
export async function endSums(session: Session, job: string): Promise<void> {
  const left = await session.rows('SELECT ID AS id FROM information_schema.PROCESSLIST WHERE INFO LIKE ?', [
    `CHECKSUM TABLE%${markOf(job)}`,
  ]);
  for (const { id } of left) await endConnection(session, Number(id));
}

const markOf = (job: string): string => `/* standfast ${job} */`;

/**
 * Fixes what this session sees and names the GTID position of it, without stopping any writer. The server refuses every write in it: it is opened
 * on a primary that this copy has no authority over. A second one ends the first, with its locks on definitions.
 * Source: MariaDB KB, START TRANSACTION WITH CONSISTENT SNAPSHOT and binlog_snapshot_position.
 */
export async function openSnapshot(session: Session): Promise<string> {
  await session.rows('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await session.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  const status = await session.rows("SHOW STATUS LIKE 'binlog_snapshot_%'");
  const value = (name: string): string =>
    field(
      status.filter((row) => field([row], 'Variable_name').toLowerCase() === name),
      'Value',
    );
  const rows = await session.rows('SELECT BINLOG_GTID_POS(?, ?) AS position', [
    value('binlog_snapshot_file'),
    Number(value('binlog_snapshot_position')),
  ]);
  return field(rows, 'position');
}

/**
 * Lets replication run up to `position` exactly and stop there. Both threads must stand still, and have stood still since before the position was
 * taken: only for a replica that acknowledges nothing, since a start throws its relay log away. Source: MariaDB KB, START REPLICA, UNTIL master_gtid_pos.
 */
export async function applyUntil(session: Session, position: string): Promise<void> {
  await session.rows(`START SLAVE UNTIL master_gtid_pos = '${position}'`);
}

/** Every table with rows outside the server's own schemas, in the order of their names. */
export async function baseTables(session: Session): Promise<readonly ComparedTable[]> {
  const rows = await session.rows(
    `SELECT t.TABLE_SCHEMA AS base, t.TABLE_NAME AS name, e.TRANSACTIONS AS transactions
     FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
     WHERE t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.TABLE_SCHEMA NOT IN (?) ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME`,
    [SYSTEM_SCHEMAS],
    { timeoutMs: LIST_MS },
  );
  return rows.map((row) => ({
    name: `${identifier(String(row['base']))}.${identifier(String(row['name']))}`,
    hasSnapshots: row['transactions'] === 'YES',
  }));
}

/**
 * All rows of a table, as this session sees them now. An `ALTER` of the table waits meanwhile, and in a snapshot until that ends: the server gives up the
 * lock at no savepoint. Source: measured on 10.11.
 * @param of.job  by which {@link endSums} finds the statement
 */
export async function sumTable(
  session: Session,
  table: string,
  of: { readonly job: string; readonly signal: AbortSignal },
): Promise<TableSum> {
  const statement = `CHECKSUM TABLE ${table} EXTENDED ${markOf(of.job)}`;
  const rows = await session.rows(statement, [], { timeoutMs: SUM_MS, signal: of.signal });
  const checksum = field(rows, 'Checksum');
  if (checksum !== '') return { kind: 'sum', checksum };
  // It gives no error for a table that it cannot read: no sum, and a warning.
  const warnings = await session.rows('SHOW WARNINGS');
  const code = Number(field(warnings, 'Code'));
  if (ABSENT.includes(code)) return { kind: 'absent' };
  if (code === LOCKED) return { kind: 'locked' };
  return { kind: 'unreadable', why: field(warnings, 'Message') || 'CHECKSUM TABLE gives no sum' };
}
