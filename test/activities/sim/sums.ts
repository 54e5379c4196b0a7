import type { Row } from '../../../adapters/ports.ts';
import type { Database } from './database.ts';
import { positionOf } from './positions.ts';
import { LOG_NAME } from './tails.ts';

interface Call {
  readonly database: Database;
  readonly values: readonly unknown[];
  readonly found: RegExpExecArray;
}

const snapshot = ({ database }: Call): readonly Row[] => [
  { Variable_name: 'Binlog_snapshot_file', Value: LOG_NAME },
  { Variable_name: 'Binlog_snapshot_position', Value: String(database.binlog.length) },
];

const tables = ({ database }: Call): readonly Row[] =>
  [...database.sums.keys()].map((name) => ({ base: 'shop', name, transactions: 'YES' }));

/** What is said to a server whose rows are compared. Nobody else writes meanwhile, so that its replica need not stop where the snapshot is. */
export const SUM_STATEMENTS = [
  { form: /^SELECT ID AS id FROM information_schema.PROCESSLIST WHERE INFO LIKE \?$/, run: () => [] },
  { form: /^START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY$/, run: () => [] },
  { form: /^SHOW STATUS LIKE 'binlog_snapshot_%'$/, run: snapshot },
  {
    form: /^SELECT BINLOG_GTID_POS\(\?, \?\) AS position$/,
    run: ({ database, values }: Call) => [{ position: positionOf(database.binlog.slice(0, Number(values[1]))) }],
  },
  { form: /^SELECT t.TABLE_SCHEMA AS base, t.TABLE_NAME AS name, /, run: tables },
  {
    form: /^CHECKSUM TABLE `shop`.`(\w+)` EXTENDED /,
    run: ({ database, found }: Call) => [{ Checksum: database.sums.get(found[1] ?? '') ?? null }],
  },
];
