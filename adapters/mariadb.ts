import type { ThreadState } from '../domain/observation.ts';
import type { Endpoint, Row, Session } from './ports.ts';
import { AdapterFailure } from './ports.ts';

/** Never: 2^64 - 1 ms. Source: MariaDB KB, rpl_semi_sync_master_timeout. */
const NEVER_MS = '18446744073709551615';
/** STOP SLAVE waits behind row locks and FLUSH TABLES WITH READ LOCK. */
const STOP_MS = 10_000;
const HEARTBEAT_PERIOD_SECONDS = 0.1;
/** Source: measured, error 1470 on 10.11. */
const PASSWORD_BYTES = 96;

export interface Source {
  readonly endpoint: Endpoint;
  readonly account: { readonly name: string; readonly password: string };
}

/**
 * Keeps what was received: the applier runs before the receiver stops, since a start of the applier with both threads stopped deletes the relay log.
 * Source: measured on 10.11.
 */
export async function stopReceiver(session: Session): Promise<void> {
  await session.rows('START SLAVE SQL_THREAD', [], { timeoutMs: STOP_MS });
  // A receiver that acknowledges connects to its source once more to end its own connection there, and waits so many seconds (5) for a host that is gone.
  await session.rows('SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout = 1');
  await session.rows('STOP SLAVE IO_THREAD', [], { timeoutMs: STOP_MS });
}

export async function stopReplication(session: Session): Promise<void> {
  await session.rows('STOP SLAVE', [], { timeoutMs: STOP_MS });
}

export async function startReplication(session: Session): Promise<void> {
  await session.rows('START SLAVE', [], { timeoutMs: STOP_MS });
}

/**
 * Of a replica that acknowledges nothing: a start of both threads throws away what was received and not applied. It may have been made to acknowledge by
 * anybody since it was looked at, so the server looks and stops in one statement.
 */
export async function stopUncounted(session: Session): Promise<void> {
  await session.rows(
    `BEGIN NOT ATOMIC
       IF @@GLOBAL.rpl_semi_sync_slave_enabled THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it acknowledges writes, so it was not stopped'; END IF;
       STOP SLAVE;
     END`,
    [],
    { timeoutMs: STOP_MS },
  );
}

/** Of a replica that acknowledges nothing. Ends an UNTIL as well: a plain start leaves threads that still run towards one as they are. */
export async function restartReplication(session: Session): Promise<void> {
  await stopUncounted(session);
  await startReplication(session);
}

export async function forgetSource(session: Session): Promise<void> {
  await session.rows('STOP SLAVE', [], { timeoutMs: STOP_MS });
  await session.rows('RESET SLAVE ALL', [], { timeoutMs: STOP_MS });
}

/**
 * CHANGE MASTER takes no placeholders: the literal is built under a fixed sql_mode, with the characters allowed in it.
 * @throws AdapterFailure `BadInput` for a name, an address or a password that cannot be written safely
 */
export async function pointAt(session: Session, source: Source): Promise<void> {
  const { endpoint, account } = source;
  if (Buffer.byteLength(account.password) > PASSWORD_BYTES)
    throw new AdapterFailure({
      type: 'BadInput',
      host: session.host,
      message: `${session.host}: the replication password of the inventory is longer than the ${String(PASSWORD_BYTES)} bytes that a server takes; nothing was changed`,
    });
  const statement = `CHANGE MASTER TO MASTER_HOST = ${literal(session, endpoint.address, /^[A-Za-z0-9.:-]+$/)},
     MASTER_PORT = ${String(endpoint.port)},
     MASTER_USER = ${literal(session, account.name, /^[\w.-]+$/)},
     MASTER_PASSWORD = ${literal(session, account.password, /^[^\p{Cc}]*$/u)},
     MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = ${String(HEARTBEAT_PERIOD_SECONDS)},
     MASTER_USE_GTID = slave_pos`;
  // The password is part of the statement, and the server's logs take statements as they come.
  await session.rows("SET SESSION sql_mode = '', SESSION sql_log_off = 1, SESSION slow_query_log = 0");
  try {
    await session.rows(statement, [], { timeoutMs: STOP_MS });
  } catch (error) {
    throw withoutWords(session, error);
  }
  await session.rows('SET SESSION sql_mode = DEFAULT, SESSION sql_log_off = DEFAULT, SESSION slow_query_log = DEFAULT');
}

/** A server quotes the statement in its errors, a value that it finds too long as well. */
function withoutWords(session: Session, error: unknown): unknown {
  if (!(error instanceof AdapterFailure) || error.facts['errno'] === undefined) return error;
  const { type, host, silence, facts } = error;
  const message = `${session.host}: CHANGE MASTER failed (error ${String(facts['errno'])}); what the server says of it can hold the replication password and is not shown`;
  return new AdapterFailure({ type, host, silence, facts, message });
}

function literal(session: Session, value: string, allowed: RegExp): string {
  if (!allowed.test(value))
    throw new AdapterFailure({
      type: 'BadInput',
      host: session.host,
      message: `${session.host}: a replication address, account or password of the inventory holds characters that are not allowed; nothing was changed`,
    });
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Gives a fresh copy the history that its snapshot stands for, so that histories can be compared per (domain, server). */
export async function adoptHistory(
  session: Session,
  history: { readonly position: string; readonly state: string },
): Promise<void> {
  await session.rows('STOP SLAVE', [], { timeoutMs: STOP_MS });
  await session.rows('RESET SLAVE ALL', [], { timeoutMs: STOP_MS });
  await session.rows('RESET MASTER', [], { timeoutMs: STOP_MS });
  await session.rows('SET GLOBAL gtid_binlog_state = ?', [history.state]);
  await session.rows('SET GLOBAL gtid_slave_pos = ?', [history.position]);
}

/** Where a server goes on as a replica. Its threads must stand still. */
export async function adoptPosition(session: Session, position: string): Promise<void> {
  await session.rows('SET GLOBAL gtid_slave_pos = ?', [position]);
}

/** @returns true when everything up to `position` is applied; waits at most `waitMs`. */
export async function waitApplied(session: Session, position: string, waitMs: number): Promise<boolean> {
  if (position === '') return true;
  const rows = await session.rows('SELECT MASTER_GTID_WAIT(?, ?) AS outcome', [position, waitMs / 1000], {
    timeoutMs: waitMs + 2_000,
  });
  return Number(field(rows, 'outcome')) === 0;
}

export async function acceptWrites(session: Session): Promise<void> {
  await session.rows('SET GLOBAL read_only = 0');
}

/** Commits wait for an acknowledgement before they are visible, also when no replica is there, and never stop waiting. */
export async function waitForAcknowledgement(session: Session): Promise<void> {
  await session.rows("SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'");
  await session.rows('SET GLOBAL rpl_semi_sync_master_wait_no_slave = 1');
  await session.rows(`SET GLOBAL rpl_semi_sync_master_timeout = ${NEVER_MS}`);
  await session.rows('SET GLOBAL rpl_semi_sync_master_enabled = 1');
}

export async function acknowledgeNothing(session: Session): Promise<void> {
  await session.rows('SET GLOBAL rpl_semi_sync_master_enabled = 0');
}

/** Takes effect when the receiver connects, so it is restarted, with the applier running all the time. */
export async function acknowledgeAsReplica(session: Session): Promise<void> {
  await session.rows('SET GLOBAL rpl_semi_sync_slave_enabled = 1');
  await stopReceiver(session);
  await session.rows('START SLAVE IO_THREAD', [], { timeoutMs: STOP_MS });
}

/**
 * The receiver is restarted, since the flag takes effect when it connects. One that stands is left alone: starting its applier could throw its relay log
 * away.
 */
export async function stopAcknowledging(session: Session, receiver: ThreadState): Promise<void> {
  await willAcknowledgeNothing(session);
  if (receiver === 'stopped') return;
  await stopReceiver(session);
  await session.rows('START SLAVE IO_THREAD', [], { timeoutMs: STOP_MS });
}

/** Only sets the flag, for a replica whose threads are about to be started. */
export async function willAcknowledge(session: Session): Promise<void> {
  await session.rows('SET GLOBAL rpl_semi_sync_slave_enabled = 1');
}

export async function willAcknowledgeNothing(session: Session): Promise<void> {
  await session.rows('SET GLOBAL rpl_semi_sync_slave_enabled = 0');
}

export async function databaseBytes(session: Session): Promise<number> {
  const rows = await session.rows(
    'SELECT COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH + DATA_FREE), 0) AS bytes FROM information_schema.TABLES',
    [],
    { timeoutMs: 30_000 },
  );
  return Number(field(rows, 'bytes'));
}

export const identifier = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export const field = (rows: readonly Row[], name: string): string => {
  const value = rows[0]?.[name] as string | number | null | undefined;
  return value === undefined || value === null ? '' : String(value);
};
