import type { Member } from './members.ts';
import type { Row } from './result-set.ts';
import { errorAnswer, okAnswer, ResultSet } from './result-set.ts';

/** A simulated server at the instant at which it is asked. */
export interface Standing {
  readonly member: Member;
  readonly upSeconds: number;
  /** Whether its cluster's primary serves. */
  readonly sourceServes: boolean;
  /** For how long it has served, or had; on a replica the source's heartbeats follow it. */
  readonly sourceUpSeconds: number;
  /** Replication is instant: what the primary wrote is on its replicas. */
  readonly row: HeartbeatRow;
}

/** The row of `standfast.heartbeat` that a cluster shares. */
export interface HeartbeatRow {
  token: string;
  /** Microseconds since 1970. */
  written: number;
}

/**
 * `probe`: the one by which a look is told; a healthy host is asked exactly once a period. `write`: changes rows of the database. `aside`: what goes with a look,
 * or is asked now and then.
 */
export type Counts = 'probe' | 'write' | 'aside';

interface Statement {
  readonly pattern: RegExp;
  readonly counts: Counts;
  /** What it changes; the groups of the pattern are the words of the statement. */
  readonly does?: (standing: Standing, words: readonly string[]) => void;
  /** Null: the answer has no rows, only that it is done. */
  readonly rows: ((standing: Standing) => readonly Row[]) | null;
}

/** The period that Standfast gives its replicas. */
const HEARTBEATS_PER_SECOND = 10;
/** Nobody writes but the watcher, and its rows are not counted. */
const POSITION = '0-1-184220';

const microseconds = (): number => Math.round((performance.timeOrigin + performance.now()) * 1_000);

const STATEMENTS: readonly Statement[] = [
  {
    pattern:
      /^SELECT @@GLOBAL\.read_only AS read_only, @@GLOBAL\.gtid_binlog_pos AS position, TIMESTAMPDIFF\(.*\) AS clock$/,
    counts: 'probe',
    rows: ({ member }) => [{ read_only: member.role === 'primary' ? 0 : 1, position: POSITION, clock: microseconds() }],
  },
  {
    pattern: /^SHOW ALL SLAVES STATUS$/,
    counts: 'probe',
    rows: (standing) => [replicaStatus(standing)],
  },
  {
    pattern: /^CALL standfast\.beat\('watch', '([^']*)'\)$/,
    counts: 'write',
    does: ({ row }, [token = '']) => {
      row.token = token;
      row.written = microseconds();
    },
    rows: null,
  },
  {
    pattern:
      /^SELECT token, TIMESTAMPDIFF\(.*\) AS written, TIMESTAMPDIFF\(.*\) AS clock FROM standfast\.heartbeat WHERE route = 'watch'$/,
    counts: 'aside',
    rows: ({ row }) => [{ token: row.token, written: row.written, clock: microseconds() }],
  },
  {
    pattern: /^SHOW GLOBAL STATUS LIKE 'Uptime'$/,
    counts: 'aside',
    rows: ({ upSeconds }) => [{ Variable_name: 'Uptime', Value: String(Math.floor(upSeconds)) }],
  },
  {
    // Whether the connection is the one that a full server keeps.
    pattern: /^SELECT CAST\(VARIABLE_VALUE AS UNSIGNED\) > @@global\.max_connections AS reserved /,
    counts: 'aside',
    rows: () => [{ reserved: 0 }],
  },
  {
    // Whether a look that got no answer still hangs. None ever does here.
    pattern: /^SELECT 1 FROM information_schema\.PROCESSLIST WHERE ID = \d+ AND /,
    counts: 'aside',
    rows: () => [],
  },
];

/** As MariaDB 10.11 answers, in its order. */
function replicaStatus({ member, sourceServes, sourceUpSeconds }: Standing): Row {
  const hears = sourceServes ? 'Yes' : 'Connecting';
  return {
    ...{ Connection_name: '', Slave_SQL_State: 'Slave has read all relay log; waiting for more updates' },
    ...{
      Slave_IO_State: sourceServes
        ? 'Waiting for master to send event'
        : 'Reconnecting after a failed master event read',
    },
    ...{ Master_Host: member.source, Master_User: 'repl', Master_Port: 3306, Connect_Retry: 1 },
    ...{ Master_Log_File: 'binlog.000042', Read_Master_Log_Pos: 48_150_342 },
    ...{ Relay_Log_File: 'relay-bin.000007', Relay_Log_Pos: 48_150_637, Relay_Master_Log_File: 'binlog.000042' },
    ...{ Slave_IO_Running: hears, Slave_SQL_Running: 'Yes' },
    ...{ Replicate_Do_DB: '', Replicate_Ignore_DB: '', Replicate_Do_Table: '', Replicate_Ignore_Table: '' },
    ...{ Replicate_Wild_Do_Table: '', Replicate_Wild_Ignore_Table: '', Last_Errno: 0, Last_Error: '' },
    ...{ Skip_Counter: 0, Exec_Master_Log_Pos: 48_150_342, Relay_Log_Space: 48_150_993 },
    ...{ Until_Condition: 'None', Until_Log_File: '', Until_Log_Pos: 0 },
    ...{ Master_SSL_Allowed: 'No', Master_SSL_CA_File: '', Master_SSL_CA_Path: '', Master_SSL_Cert: '' },
    ...{ Master_SSL_Cipher: '', Master_SSL_Key: '', Seconds_Behind_Master: sourceServes ? 0 : null },
    ...{ Master_SSL_Verify_Server_Cert: 'No', Last_IO_Errno: 0, Last_IO_Error: '', Last_SQL_Errno: 0 },
    ...{ Last_SQL_Error: '', Replicate_Ignore_Server_Ids: '', Master_Server_Id: 1, Master_SSL_Crl: '' },
    ...{ Master_SSL_Crlpath: '', Using_Gtid: 'Slave_Pos', Gtid_IO_Pos: POSITION },
    ...{ Replicate_Do_Domain_Ids: '', Replicate_Ignore_Domain_Ids: '', Parallel_Mode: 'optimistic' },
    ...{ SQL_Delay: 0, SQL_Remaining_Delay: null },
    ...{ Slave_SQL_Running_State: 'Slave has read all relay log; waiting for more updates' },
    ...{ Slave_DDL_Groups: 12, Slave_Non_Transactional_Groups: 0, Slave_Transactional_Groups: 184_208 },
    ...{ Replicate_Rewrite_DB: '', Retried_transactions: 0, Max_relay_log_size: 1_073_741_824 },
    ...{
      Executed_log_entries: 552_660,
      Slave_received_heartbeats: Math.floor(HEARTBEATS_PER_SECOND * sourceUpSeconds),
    },
    ...{ Slave_heartbeat_period: '0.100', Gtid_Slave_Pos: POSITION },
  };
}

export type Said =
  | { readonly kind: 'known'; readonly counts: Counts; readonly pattern: string; readonly answer: Buffer }
  /** The simulation does not know the statement: what it measures is not what the watcher does. */
  | { readonly kind: 'unknown'; readonly answer: Buffer };

const ER_PARSE_ERROR = 1064;
/** The columns of an answer without rows. */
const NO_ROW: Row = { 1: 1 };
const resultSets = new Map<Statement, ResultSet>();

/** What a simulated server answers. */
export function answerTo(text: string, standing: Standing): Said {
  const statement = STATEMENTS.find(({ pattern }) => pattern.test(text));
  if (statement === undefined) return { kind: 'unknown', answer: errorAnswer(ER_PARSE_ERROR, 'not simulated') };
  const { counts, pattern, does, rows } = statement;
  does?.(standing, pattern.exec(text)?.slice(1) ?? []);
  return { kind: 'known', counts, pattern: pattern.source, answer: encoded(statement, rows?.(standing) ?? null) };
}

function encoded(statement: Statement, rows: readonly Row[] | null): Buffer {
  if (rows === null) return okAnswer();
  const known = resultSets.get(statement) ?? new ResultSet(rows[0] ?? NO_ROW);
  resultSets.set(statement, known);
  return known.answer(rows);
}
