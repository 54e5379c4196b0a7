import type { AccountFacts, Listed, NextStart, ServerFacts, Settings } from '../domain/audit/facts.ts';
import type { HostName } from '../domain/cluster.ts';
import { privilegesAtLogin, privilegesWithinReach } from '../domain/roles.ts';
import { ownChannel } from './mariadb-channels.ts';
import { readRoles } from './mariadb-roles.ts';
import { readStatus } from './mariadb-status.ts';
import type { Deadline, HelperAnswerFields, Row, Session } from './ports.ts';

/** What an audit compares between the running server and its files. */
export const AUDITED_SETTINGS = [
  'binlog_expire_logs_seconds',
  'binlog_format',
  'encrypt_binlog',
  'event_scheduler',
  'gtid_domain_id',
  'gtid_strict_mode',
  'innodb_flush_log_at_trx_commit',
  'log_bin',
  'log_slave_updates',
  'lower_case_table_names',
  'master_retry_count',
  'max_connections',
  'max_user_connections',
  'read_only',
  'relay_log_purge',
  'relay_log_recovery',
  'rpl_semi_sync_master_enabled',
  'rpl_semi_sync_master_timeout',
  'rpl_semi_sync_master_wait_no_slave',
  'rpl_semi_sync_master_wait_point',
  'rpl_semi_sync_slave_enabled',
  'server_id',
  'skip_slave_start',
  'slave_net_timeout',
  'slave_transaction_retries',
  'sync_binlog',
] as const;

const SHOWN = 20;
const OF_THE_SERVER = "('mysql', 'information_schema', 'performance_schema', 'sys')";

/** Without the growth of the binary log, which takes two looks. Source: MariaDB KB, system variables, information_schema, mysql.global_priv. */
export async function readServerFacts(
  session: Session,
  nameOf: (address: string) => HostName | null,
  deadline: Deadline,
): Promise<Omit<ServerFacts, 'binlogBytesPerSecond'>> {
  const status = await readStatus(session, nameOf, deadline);
  const rows = (statement: string): Promise<readonly Row[]> => session.rows(statement, [], deadline);
  const variables = await rows(
    'SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM information_schema.GLOBAL_VARIABLES',
  );
  const running = new Map(variables.map((row) => [text(row, 'name').toLowerCase(), text(row, 'value')]));
  const [filters = {}] = await rows('SHOW MASTER STATUS');
  const channel = ownChannel(await rows('SHOW ALL SLAVES STATUS'));
  return {
    status,
    uid: running.get('server_uid') ?? '',
    settings: Object.fromEntries(
      AUDITED_SETTINGS.flatMap((name) => {
        const value = running.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    binlogFilters: {
      onlyDatabases: text(filters, 'Binlog_Do_DB'),
      ignoredDatabases: text(filters, 'Binlog_Ignore_DB'),
    },
    connection: {
      retrySeconds: channel === undefined ? null : Number(text(channel, 'Connect_Retry')),
      encrypted: channel === undefined ? null : text(channel, 'Master_SSL_Allowed') === 'Yes',
    },
    offersTls: running.get('have_ssl') === 'YES',
    accounts: await readAccounts(rows),
    tables: await readTables(rows),
    // Not from information_schema.EVENTS, which an account without the privilege EVENT sees nothing of.
    enabledEvents: listedIn(
      await rows("SELECT CONCAT(db, '.', name) AS name FROM mysql.event WHERE status = 'ENABLED' ORDER BY 1"),
    ),
  };
}

type Rows = (statement: string) => Promise<readonly Row[]>;

/** Whether an account has a password is asked of the server; the hash stays there. Roles log in nowhere. */
async function readAccounts(rows: Rows): Promise<readonly AccountFacts[]> {
  const accounts = await rows(`SELECT User AS user, Host AS host,
      IFNULL(JSON_VALUE(Priv, '$.account_locked'), '0') AS locked,
      IFNULL(JSON_VALUE(Priv, '$.max_user_connections'), '0') AS most,
      IFNULL(JSON_VALUE(Priv, '$.plugin'), 'mysql_native_password') IN ('mysql_native_password', 'mysql_old_password', '')
        AND IFNULL(JSON_VALUE(Priv, '$.authentication_string'), '') = '' AS open
    FROM mysql.global_priv WHERE IFNULL(JSON_VALUE(Priv, '$.is_role'), '0') NOT IN ('1', 'true') ORDER BY User, Host`);
  const privileges = await rows(
    "SELECT GRANTEE AS grantee, PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE <> 'USAGE'",
  );
  const roles = await readRoles(rows);
  return accounts.map((row) => {
    const [user, from] = [text(row, 'user'), text(row, 'host')];
    const grantee = `'${user}'@'${from}'`;
    const own = privileges.filter((one) => text(one, 'grantee') === grantee).map((one) => text(one, 'privilege'));
    return {
      name: `${user}@${from}`,
      user,
      from,
      locked: ['1', 'true'].includes(text(row, 'locked')),
      proves: text(row, 'open') === '0',
      privileges: [...new Set([...own, ...privilegesAtLogin(roles, grantee).global])],
      withinReach: [...new Set([...own, ...privilegesWithinReach(roles, grantee).global])],
      mostConnections: Number(text(row, 'most')),
    };
  });
}

async function readTables(rows: Rows): Promise<ServerFacts['tables']> {
  const tables = `information_schema.TABLES t WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN ${OF_THE_SERVER}`;
  const name = "CONCAT(t.TABLE_SCHEMA, '.', t.TABLE_NAME) AS name";
  // Not from TABLE_CONSTRAINTS, which an account with SELECT alone sees nothing of.
  const keyed = `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0
    GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME HAVING SUM(NULLABLE = 'YES') = 0`;
  return {
    withoutPrimaryKey: listedIn(
      await rows(`SELECT ${name} FROM ${tables} AND (t.TABLE_SCHEMA, t.TABLE_NAME) NOT IN (${keyed}) ORDER BY 1`),
    ),
    nonTransactional: listedIn(
      await rows(
        `SELECT ${name} FROM ${tables} AND t.ENGINE NOT IN (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES') ORDER BY 1`,
      ),
    ),
  };
}

const listedIn = (rows: readonly Row[]): Listed => ({
  count: rows.length,
  names: rows.slice(0, SHOWN).map((row) => text(row, 'name')),
});

/** Bytes that were written to the binary log since the server started; null: it has none. */
export async function readBinlogBytes(session: Session, deadline: Deadline): Promise<number | null> {
  const [row] = await session.rows(
    `SELECT @@GLOBAL.log_bin AS log, VARIABLE_VALUE AS bytes FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Binlog_bytes_written'`,
    [],
    deadline,
  );
  return row === undefined || text(row, 'log') !== '1' ? null : Number(text(row, 'bytes'));
}

/** As the program of the server prints its settings (`--verbose --help`). */
export function nextStartFrom({ values = '', filters = '', errors = '' }: HelperAnswerFields): NextStart {
  const settings: Settings = Object.fromEntries(
    linesOf(values).map((line) => {
      const at = line.indexOf('=');
      const name = line.slice(0, at);
      return [name, valueOf(name, line.slice(at + 1))];
    }),
  );
  return { settings, filters: linesOf(filters), errors: linesOf(errors).map(withoutValues) };
}

/** The program quotes what it does not know as it stands in the file, and that may be a password. */
const withoutValues = (error: string): string => error.replaceAll(/=[^']*'/g, "=…'");

const SWITCHES: Readonly<Record<string, string>> = { TRUE: 'ON', FALSE: 'OFF', '(No default value)': '' };

/** The name of the log stands where the running server says ON. */
function valueOf(name: string, printed: string): string {
  const value = SWITCHES[printed] ?? printed;
  if (name !== 'log_bin') return value;
  return value === '' || value === 'OFF' ? 'OFF' : 'ON';
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

const text = (row: Row, key: string): string => {
  const value = row[key] as string | number | bigint | null | undefined;
  return value === null || value === undefined ? '' : String(value);
};
