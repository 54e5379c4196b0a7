import type { Session } from './ports.ts';

/** How a server stands with its connections, and with the commits that wait for an acknowledgement. */
export interface Crowd {
  /** `max_connections`, as it is now. */
  readonly limit: number;
  readonly connected: number;
  /** Commits that wait now. */
  readonly waiting: number;
  /** Commits that were acknowledged since the server started. */
  readonly acknowledged: number;
}

/** Source: MariaDB KB, max_connections; semi-synchronous replication, status variables. */
export async function readCrowd(session: Session): Promise<Crowd> {
  const rows = await session.rows(
    `SELECT VARIABLE_NAME AS counter, VARIABLE_VALUE AS value, @@GLOBAL.max_connections AS most FROM information_schema.GLOBAL_STATUS
     WHERE VARIABLE_NAME IN ('THREADS_CONNECTED', 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS', 'RPL_SEMI_SYNC_MASTER_YES_TX')`,
  );
  const counter = (name: string): number =>
    Number(rows.find((row) => String(row['counter']).toUpperCase() === name)?.['value'] ?? 0);
  return {
    limit: Number(rows[0]?.['most'] ?? 0),
    connected: counter('THREADS_CONNECTED'),
    waiting: counter('RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS'),
    acknowledged: counter('RPL_SEMI_SYNC_MASTER_YES_TX'),
  };
}

/** Until the server is started anew. One that has more connections than that keeps them, and takes no new one. */
export async function limitConnections(session: Session, most: number): Promise<void> {
  await session.rows(`SET GLOBAL max_connections = ${String(most)}`);
}
