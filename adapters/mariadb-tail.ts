import type { Row, Session } from './ports.ts';
import { AdapterFailure } from './ports.ts';
import { NOBODY, TAIL_CHANNEL as CHANNEL } from './mariadb-channels.ts';

const STOP_MS = 10_000;

/**
 * Applies a staged tail as the relay log of a channel of its own: the applier takes each transaction whole, with its GTID, and raises
 * `gtid_slave_pos` with it, while the channel of the real source stays as it is. Not by GTID: a start of the applier would delete the log.
 * Source: MariaDB KB, CHANGE MASTER TO, RELAY_LOG_FILE; multi-source replication.
 */
export async function startTail(session: Session, log: string): Promise<void> {
  if (!/^[\w./-]+$/.test(log))
    throw new AdapterFailure({
      type: 'Unverified',
      host: session.host,
      message: `${session.host}: the relay log "${log.slice(0, 80)}" has a name that cannot be written into a statement; nothing was applied`,
    });
  await session.rows(
    `CHANGE MASTER '${CHANNEL}' TO MASTER_HOST = '${NOBODY}', MASTER_USER = 'nobody', MASTER_USE_GTID = no,
     RELAY_LOG_FILE = '${log}', RELAY_LOG_POS = 4`,
    [],
    { timeoutMs: STOP_MS },
  );
  await session.rows(`START SLAVE '${CHANNEL}' SQL_THREAD`, [], { timeoutMs: STOP_MS });
}

/** Ends the channel wherever it stands: what it has applied is in `gtid_slave_pos`. Its relay log goes with it. */
export async function endTail(session: Session): Promise<void> {
  if ((await channelRow(session)) === undefined) return;
  await session.rows(`STOP SLAVE '${CHANNEL}'`, [], { timeoutMs: STOP_MS });
  await session.rows(`RESET SLAVE '${CHANNEL}' ALL`, [], { timeoutMs: STOP_MS });
}

/** Why the applier of the channel does not go on, or null. */
export async function faultOfTail(session: Session): Promise<string | null> {
  const row = await channelRow(session);
  if (row === undefined) return 'its channel is gone';
  const code = Number(row['Last_SQL_Errno']);
  if (code !== 0) return `error ${String(code)}: ${String(row['Last_SQL_Error']).slice(0, 300)}`;
  return row['Slave_SQL_Running'] === 'Yes' ? null : 'its applier was stopped';
}

async function channelRow(session: Session): Promise<Row | undefined> {
  const rows = await session.rows('SHOW ALL SLAVES STATUS');
  return rows.find((row) => row['Connection_name'] === CHANNEL);
}
