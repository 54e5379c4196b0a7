import { format } from 'mysql2/promise';
import { field } from './mariadb.ts';
import { HEARTBEAT_ACCOUNT, REQUIRED_GRANTS } from '../domain/accounts.ts';
import type { ShownBeat } from '../domain/lag.ts';
import type { LookDeadline, Pulse, Row, Session } from './ports.ts';
import { AdapterFailure } from './ports.ts';

/** `lag`: of one measurement. `vip`: through the VIP. `watch`: of a watcher, again and again. */
type Beaten = 'lag' | 'vip' | 'watch';

const WRITER = `'${HEARTBEAT_ACCOUNT.name}'@'${HEARTBEAT_ACCOUNT.host}'`;
/** Source: MariaDB error codes, ER_OPTION_PREVENTS_STATEMENT. */
const READ_ONLY = 1290;
/** ER_SP_DOES_NOT_EXIST, ER_NO_SUCH_USER: of a cluster that an earlier version prepared. */
const NOT_PREPARED: readonly unknown[] = [1305, 1449];
const MAKE_WRITER = [
  `CREATE USER ${WRITER} ACCOUNT LOCK`,
  ...REQUIRED_GRANTS.filter(({ account }) => account === 'heartbeat').map(
    ({ privileges, on }) => `GRANT ${privileges.join(', ')} ON ${on} TO ${WRITER}`,
  ),
].join('; ');

/** The statements with which an administrator makes the account that writes heartbeat rows; null: it is there. */
export async function missingWriter(session: Session): Promise<string | null> {
  const rows = await session.rows('SELECT COUNT(*) AS accounts FROM mysql.global_priv WHERE User = ? AND Host = ?', [
    HEARTBEAT_ACCOUNT.name,
    HEARTBEAT_ACCOUNT.host,
  ]);
  return field(rows, 'accounts') === '0' ? MAKE_WRITER : null;
}

/**
 * The operation account may write on a read-only server; a heartbeat must not, also one that was under way when the server was closed. A condition in the
 * statement does not keep it from that (measured, `test/host/heartbeat.test.ts`); the server does, which asks at the commit for the privileges of the procedure's
 * definer. The time is UTC: servers may have different time zones.
 */
export async function ensureHeartbeat(session: Session): Promise<void> {
  await session.rows('CREATE DATABASE IF NOT EXISTS standfast');
  await session.rows(
    `CREATE TABLE IF NOT EXISTS standfast.heartbeat (
       route VARCHAR(16) PRIMARY KEY, token VARCHAR(64) NOT NULL, written_at DATETIME(6) NOT NULL) ENGINE=InnoDB`,
  );
  await session.rows(
    `CREATE DEFINER = ${WRITER} PROCEDURE IF NOT EXISTS standfast.beat(IN beat_route VARCHAR(16), IN beat_token VARCHAR(64))
       SQL SECURITY DEFINER MODIFIES SQL DATA
       INSERT INTO standfast.heartbeat (route, token, written_at) VALUES (beat_route, beat_token, UTC_TIMESTAMP(6))
       ON DUPLICATE KEY UPDATE token = VALUES(token), written_at = VALUES(written_at)`,
  );
}

const WRITE = 'CALL standfast.beat(?, ?)';

/** @returns the server ID that committed the row, or null when the server is read-only */
export async function writeHeartbeat(
  session: Session,
  row: { readonly route: Exclude<Beaten, 'watch'>; readonly token: string },
  timeoutMs: number,
): Promise<number | null> {
  if (!(await isWritten(session.rows(WRITE, [row.route, row.token], { timeoutMs })))) return null;
  return Number(field(await session.rows('SELECT @@GLOBAL.server_id AS id'), 'id'));
}

/** @returns whether the row was committed; not on a server that is read-only */
export const writeBeat = (pulse: Pulse, token: string, deadline: LookDeadline): Promise<boolean> =>
  isWritten(pulse.rows(format(WRITE, ['watch', token]), deadline));

async function isWritten(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (!(error instanceof AdapterFailure)) throw error;
    const { host, message, facts } = error;
    if (facts['errno'] === READ_ONLY) return false;
    if (!NOT_PREPARED.includes(facts['errno'])) throw error;
    throw new AdapterFailure({
      ...{ type: 'Unverified', host, facts, cause: error },
      message: `${message}: what writes heartbeat rows is missing. On the primary, as its administrator: ${MAKE_WRITER}; then standfast prepare`,
    });
  }
}

/** Source: MariaDB KB, TIMESTAMPDIFF. */
const sinceEpoch = (instant: string): string => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${instant})`;

export const SERVER_CLOCK = sinceEpoch('UTC_TIMESTAMP(6)');

/** In milliseconds since 1970. */
export async function readClock(session: Session): Promise<number> {
  return Number(field(await session.rows(`SELECT ${SERVER_CLOCK} AS clock`), 'clock')) / 1_000;
}

const reading = (route: Beaten): string =>
  `SELECT token, ${sinceEpoch('written_at')} AS written, ${SERVER_CLOCK} AS clock FROM standfast.heartbeat WHERE route = '${route}'`;

function shownBy(rows: readonly Row[]): ShownBeat | null {
  if (rows.length === 0) return null;
  return {
    token: field(rows, 'token'),
    writtenMs: Number(field(rows, 'written')) / 1_000,
    clockMs: Number(field(rows, 'clock')) / 1_000,
  };
}

/** The newest row that a replica has applied; null: none has reached it yet. */
export const readHeartbeat = async (session: Session, route: Beaten): Promise<ShownBeat | null> =>
  shownBy(await session.rows(reading(route)));

export const readBeat = async (pulse: Pulse, deadline: LookDeadline): Promise<ShownBeat | null> =>
  shownBy(await pulse.rows(reading('watch'), deadline));
