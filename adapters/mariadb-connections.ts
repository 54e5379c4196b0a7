import type { Session } from './ports.ts';

/** IDs of the servers that replicate from this one. A server is on the list for as long as its connection is. Source: MariaDB KB, SHOW REPLICA HOSTS. */
export async function connectedReplicas(session: Session): Promise<readonly number[]> {
  const rows = await session.rows('SHOW SLAVE HOSTS');
  return rows.map((row) => Number(row['Server_id']));
}

/**
 * Ends what replicates from `address`. Where the server resolves addresses to names, nobody can be told apart by them: all such connections end, and whoever may
 * comes back by itself. HARD also ends one that is stuck in sending to a host that takes nothing.
 */
export async function endReplicationTo(session: Session, address: string): Promise<void> {
  const threads = await session.rows(
    "SELECT ID AS id, HOST AS client FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
  );
  for (const thread of threads) {
    const client = String(thread['client']).replace(/:\d+$/, '');
    if (client !== address && /^[\d.]+$/.test(client)) continue;
    await endConnection(session, Number(thread['id']));
  }
}

/** One that has ended by itself meanwhile (1094) has ended. */
export async function endConnection(session: Session, id: number): Promise<void> {
  await session.rows(
    `BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; KILL HARD CONNECTION ${String(id)}; END`,
  );
}
