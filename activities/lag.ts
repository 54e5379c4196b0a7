import { randomUUID } from 'node:crypto';
import type { ClusterPorts, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { readClock, readHeartbeat, writeHeartbeat } from '../adapters/mariadb-heartbeat.ts';
import type { ClockOffset } from '../domain/clock.ts';
import { offsetBetween, ServerClock } from '../domain/clock.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Beat, Lag } from '../domain/lag.ts';
import { BeatLog, ReplicaLag, writtenAgo } from '../domain/lag.ts';
import type { LagMeasurement } from '../domain/verdict.ts';
import { LOOK_MS } from './asking.ts';

const POLL_MS = 5;

/** How long a row that the primary commits now takes to each replica. */
export async function measureLag(cluster: ClusterPorts, primary: HostName): Promise<readonly LagMeasurement[]> {
  const replicas = cluster.description.hosts.map((host) => host.name).filter((host) => host !== primary);
  const deadlineMs = cluster.description.lag.failMs + LOOK_MS;
  const sessions = await Promise.allSettled(replicas.map((host) => cluster.session(host)));
  try {
    const committed = await commitHeartbeat(cluster, primary, deadlineMs);
    return await Promise.all(
      replicas.map(async (host, index): Promise<LagMeasurement> => {
        const opened = sessions[index];
        if (opened?.status !== 'fulfilled') return unknown(host, 'it does not answer');
        if (typeof committed === 'string') return unknown(host, committed);
        return awaitHeartbeat(opened.value, { ...committed, deadlineMs });
      }),
    );
  } finally {
    for (const opened of sessions) if (opened.status === 'fulfilled') opened.value.close();
  }
}

const unknown = (host: HostName, why: string): LagMeasurement => ({ host, lagMs: null, why });

/** A session that was cut off in the middle says nothing about the replica, so the measurement is made again; nor does a fault of the inventory. */
const isAnswer = (error: unknown): error is AdapterFailure =>
  error instanceof AdapterFailure && error.silence !== 'lost' && error.type !== 'BadInput';

interface Committed {
  readonly beats: BeatLog;
  /** The only one. */
  readonly beat: Beat;
  /** The primary's clock. */
  readonly clock: ServerClock;
}

/** @returns why there was none */
async function commitHeartbeat(
  cluster: ClusterPorts,
  primary: HostName,
  deadlineMs: number,
): Promise<Committed | string> {
  let session: Session | null = null;
  try {
    session = await cluster.session(primary);
    const clock = new ServerClock();
    const askedAtMs = performance.now();
    clock.note({ serverMs: await readClock(session), startedAtMs: askedAtMs, endedAtMs: performance.now() });
    const token = randomUUID();
    const beats = new BeatLog();
    const beat = beats.begin(token, performance.now());
    const server = await writeHeartbeat(session, { route: 'lag', token }, deadlineMs);
    if (server === null) return `${primary} refuses writes`;
    beat.committedAtMs = performance.now();
    return { beats, beat, clock };
  } catch (error) {
    if (isAnswer(error)) return error.message;
    throw error;
  } finally {
    session?.close();
  }
}

async function awaitHeartbeat(
  session: Session,
  { beats, beat, clock, deadlineMs }: Committed & { readonly deadlineMs: number },
): Promise<LagMeasurement> {
  const { host } = session;
  const replica = { lag: new ReplicaLag(beats), clock: new ServerClock() };
  try {
    for (;;) {
      const startedAtMs = performance.now();
      const shown = await readHeartbeat(session, 'lag');
      const span = { startedAtMs, endedAtMs: performance.now() };
      if (shown !== null) replica.clock.note({ serverMs: shown.clockMs, ...span });
      const offset = offsetBetween(replica.clock.at(span.endedAtMs), clock.at(span.endedAtMs));
      const token = shown?.token ?? '';
      const ageMs = shown === null ? null : writtenAgo(shown, offset);
      const lag = replica.lag.see({ ...span, token, ageMs, completeSinceMs: null });
      if (token === beat.token || startedAtMs - beat.committedAtMs > deadlineMs)
        return measured(host, { lag, offset, deadlineMs });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } catch (error) {
    if (isAnswer(error)) return unknown(host, error.message);
    throw error;
  }
}

function measured(
  host: HostName,
  found: { readonly lag: Lag | null; readonly offset: ClockOffset | null; readonly deadlineMs: number },
): LagMeasurement {
  const { lag, offset, deadlineMs } = found;
  if (lag === null) return unknown(host, `no heartbeat row reached it within ${String(deadlineMs)} ms`);
  return { host, lagMs: rounded(lag.lagMs), errorMs: rounded(lag.errorMs), clock: offset, why: null };
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;
