import { randomUUID } from 'node:crypto';
import type { ClusterPorts, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { readHeartbeat, writeHeartbeat } from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import type { LagMeasurement } from '../domain/verdict.ts';

/** As long as a look at a host may take. */
const LOOK_MS = 2_000;
const POLL_MS = 5;

/** How long a row that the primary commits now takes to each replica. */
export async function measureLag(cluster: ClusterPorts, primary: HostName): Promise<readonly LagMeasurement[]> {
  const replicas = cluster.description.hosts.map((host) => host.name).filter((host) => host !== primary);
  const deadlineMs = cluster.description.lag.failMs + LOOK_MS;
  const token = randomUUID();
  const sessions = await Promise.allSettled(replicas.map((host) => cluster.session(host)));
  try {
    const committedAt = await commitHeartbeat(cluster, primary, { token, deadlineMs });
    return await Promise.all(
      replicas.map(async (host, index): Promise<LagMeasurement> => {
        const opened = sessions[index];
        if (opened?.status !== 'fulfilled') return { host, lagMs: null, why: 'it does not answer' };
        if (typeof committedAt === 'string') return { host, lagMs: null, why: committedAt };
        return awaitHeartbeat(opened.value, { token, committedAt, deadlineMs });
      }),
    );
  } finally {
    for (const opened of sessions) if (opened.status === 'fulfilled') opened.value.close();
  }
}

/** A session that was cut off in the middle says nothing about the replica, so the measurement is made again; nor does a fault of the inventory. */
const isAnswer = (error: unknown): error is AdapterFailure =>
  error instanceof AdapterFailure && error.silence !== 'lost' && error.type !== 'BadInput';

/** @returns the instant after the commit, or why there was none */
async function commitHeartbeat(
  cluster: ClusterPorts,
  primary: HostName,
  row: { readonly token: string; readonly deadlineMs: number },
): Promise<number | string> {
  let session: Session | null = null;
  try {
    session = await cluster.session(primary);
    const sentAt = performance.now();
    const server = await writeHeartbeat(session, { route: 'lag', token: row.token }, row.deadlineMs);
    return server === null ? `${primary} refuses writes` : sentAt;
  } catch (error) {
    if (isAnswer(error)) return error.message;
    throw error;
  } finally {
    session?.close();
  }
}

async function awaitHeartbeat(
  session: Session,
  row: { readonly token: string; readonly committedAt: number; readonly deadlineMs: number },
): Promise<LagMeasurement> {
  const { host } = session;
  const passed = (): number => performance.now() - row.committedAt;
  try {
    while ((await readHeartbeat(session)) !== row.token) {
      if (passed() > row.deadlineMs)
        return { host, lagMs: null, why: `it did not arrive within ${String(row.deadlineMs)} ms` };
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return { host, lagMs: Math.round(passed() * 10) / 10, why: null };
  } catch (error) {
    if (isAnswer(error)) return { host, lagMs: null, why: error.message };
    throw error;
  }
}
