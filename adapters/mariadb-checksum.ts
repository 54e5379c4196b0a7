import { field, identifier } from './mariadb.ts';
import type { Session } from './ports.ts';

const CHECKSUM_MS = 600_000;
const SYSTEM_SCHEMAS = ['mysql', 'information_schema', 'performance_schema', 'sys'];

export interface TableChecksum {
  readonly table: string;
  readonly checksum: string;
}

/**
 * Fixes what this session sees and names the GTID position of it, without stopping any writer. The server refuses every write in it: it is opened
 * on a primary that this copy has no authority over.
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

/** Rows of every base table outside the server's own schemas, as this session sees them now. In the order of their names. */
export async function checksumTables(session: Session): Promise<readonly TableChecksum[]> {
  const tables = await session.rows(
    `SELECT TABLE_SCHEMA AS base, TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN (?) ORDER BY TABLE_SCHEMA, TABLE_NAME`,
    [SYSTEM_SCHEMAS],
  );
  const sums: TableChecksum[] = [];
  for (const row of tables) {
    const table = `${identifier(String(row['base']))}.${identifier(String(row['name']))}`;
    const answer = await session.rows(`CHECKSUM TABLE ${table} EXTENDED`, [], { timeoutMs: CHECKSUM_MS });
    sums.push({ table, checksum: field(answer, 'Checksum') });
  }
  return sums;
}
