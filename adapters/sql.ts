import type { Socket } from 'node:net';
import { createConnection } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { HostName } from '../domain/cluster.ts';
import type { Silence } from '../domain/observation.ts';
import type { FailureType } from '../domain/failure.ts';
import type { Deadline, Row, Session } from './ports.ts';
import { AdapterFailure } from './ports.ts';
import { probeTcp } from './tcp.ts';

export interface SqlTarget {
  readonly host: HostName;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

const CONNECT_MS = 2_000;
const ACCEPT_MS = 300;
const STATEMENT_MS = 5_000;
const KEEP_ALIVE_MS = 10_000;
const KILL_MS = 5_000;
const SEEN_GONE_EVERY_MS = 20;
const GOODBYE_MS = 500;
const FULL_EVERY_MS = 20;

/** Driver codes and server error numbers, mapped once. Source: MariaDB error codes; mysql2's connection errors. */
const SILENCE: Readonly<Record<string, Silence>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'silent',
  ENETUNREACH: 'silent',
  EHOSTDOWN: 'silent',
  ENETDOWN: 'silent',
  EADDRNOTAVAIL: 'silent',
  ETIMEDOUT: 'silent',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  PROTOCOL_CONNECTION_LOST: 'lost',
  ER_CON_COUNT_ERROR: 'full',
  ER_TOO_MANY_USER_CONNECTIONS: 'full',
  ER_ACCESS_DENIED_ERROR: 'denied',
  ER_HOST_NOT_PRIVILEGED: 'denied',
  ER_HOST_IS_BLOCKED: 'denied',
  ER_DBACCESS_DENIED_ERROR: 'denied',
  ER_CONNECTION_KILLED: 'lost',
  ER_SERVER_SHUTDOWN: 'lost',
};

interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  /** The connection is gone. */
  readonly fatal?: boolean;
  readonly message: string;
}

const isDriverError = (error: unknown): error is DriverError => error instanceof Error;

export function asFailure(host: HostName, doing: string, error: unknown): AdapterFailure {
  if (error instanceof AdapterFailure) return error;
  const code = isDriverError(error) ? (error.code ?? '') : '';
  const isGone = isDriverError(error) && error.fatal === true && code === '';
  const silence = SILENCE[code] ?? (isGone ? 'lost' : null);
  const type: FailureType = silence === null ? 'Unverified' : 'Unreachable';
  const said = isDriverError(error) ? error.message : String(error);
  const facts = isDriverError(error) && error.errno !== undefined ? { errno: error.errno } : {};
  return new AdapterFailure({ type, host, silence, facts, message: `${host}: ${doing} failed (${said})` });
}

/** `hung`: the TCP connection was accepted and nobody greeted; a stopped process does that. */
export async function openSession(target: SqlTarget, deadline: Deadline = {}): Promise<Session> {
  const timeoutMs = deadline.timeoutMs ?? CONNECT_MS;
  deadline.signal?.throwIfAborted();
  const giveUpAt = performance.now() + (deadline.fullMs ?? timeoutMs);
  for (;;) {
    try {
      return new MysqlSession(target, await connect(target, timeoutMs));
    } catch (error) {
      // Clients compete for the one connection that a full server keeps for its administrators.
      if (!isFull(error) || performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, FULL_EVERY_MS));
      deadline.signal?.throwIfAborted();
    }
  }
}

const isFull = (error: unknown): boolean => error instanceof AdapterFailure && error.silence === 'full';

/** What the driver says of a statement without a result set is one row. */
export const asRows = (result: unknown): readonly Row[] =>
  Array.isArray(result) ? (result as readonly Row[]) : [result as Row];

export function dial({ address, port, user, password }: SqlTarget, timeoutMs: number): Promise<Connection> {
  const connection = createConnection({
    host: address,
    port,
    user,
    password,
    connectTimeout: timeoutMs,
    bigNumberStrings: true,
    supportBigNumbers: true,
    dateStrings: true,
    // A host that lost its power says nothing to whoever waits for a long statement: the kernel finds out within 20 s.
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    // A stack for every statement costs more than the statement; what fails is told by its code.
    trace: false,
    // Of the 16,000 that the driver sets half a megabyte aside for, none is ever prepared.
    maxPreparedStatements: 1,
  });
  // Without a listener a connection that dies between statements would end the process; the next statement reports it.
  connection.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    connection.once('connect', () => {
      resolve(connection.promise());
    });
    connection.once('error', (error: Error) => {
      // The driver leaves the socket of a refused login open.
      (connection as unknown as { readonly stream: Socket }).stream.destroy();
      reject(error);
    });
  });
}

async function connect(target: SqlTarget, timeoutMs: number): Promise<Connection> {
  const { host, address, port } = target;
  try {
    return await dial(target, timeoutMs);
  } catch (error) {
    const failure = asFailure(host, 'connecting', error);
    throw failure.silence === 'silent' && (await probeTcp({ address, port }, ACCEPT_MS)) === 'accepts'
      ? new AdapterFailure({
          type: 'Unreachable',
          host,
          silence: 'hung',
          message: `${host}: accepts connections and greets nobody`,
        })
      : failure;
  }
}

class MysqlSession implements Session {
  readonly host: HostName;
  readonly #target: SqlTarget;
  readonly #connection: Connection;

  constructor(target: SqlTarget, connection: Connection) {
    this.host = target.host;
    this.#target = target;
    this.#connection = connection;
  }

  async rows(statement: string, values: readonly unknown[] = [], deadline: Deadline = {}): Promise<readonly Row[]> {
    const timeoutMs = deadline.timeoutMs ?? STATEMENT_MS;
    deadline.signal?.throwIfAborted();
    const running = this.#connection.query(statement, [...values]);
    const ended = await raceDeadline(running, timeoutMs, deadline.signal);
    if (ended.kind === 'late') {
      running.catch(() => undefined); // it fails when its session is killed below; the deadline is what gets reported
      await this.#killAndSeeGone();
      deadline.signal?.throwIfAborted();
      throw new AdapterFailure({
        type: 'Unreachable',
        host: this.host,
        silence: 'silent',
        message: `${this.host}: no answer within ${String(timeoutMs)} ms; the statement was killed`,
      });
    }
    if (ended.kind === 'failed') throw asFailure(this.host, 'a statement', ended.error);
    return asRows(ended.value[0]);
  }

  async #killAndSeeGone(): Promise<void> {
    const id = this.#connection.threadId;
    this.#connection.destroy();
    const side = await connect(this.#target, CONNECT_MS);
    try {
      const giveUpAt = performance.now() + KILL_MS;
      await side.query(`KILL HARD CONNECTION ${String(id)}`).catch((error: unknown) => {
        if (isDriverError(error) && error.code === 'ER_NO_SUCH_THREAD') return;
        throw error;
      });
      for (;;) {
        const [rows] = await side.query('SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ?', [id]);
        if (Array.isArray(rows) && rows.length === 0) return;
        if (performance.now() > giveUpAt)
          throw new AdapterFailure({
            type: 'Unverified',
            host: this.host,
            message: `${this.host}: session ${String(id)} was killed and is still there after ${String(KILL_MS)} ms`,
          });
        await new Promise((resolve) => setTimeout(resolve, SEEN_GONE_EVERY_MS));
      }
    } catch (error) {
      throw asFailure(this.host, 'ending a statement that took too long', error);
    } finally {
      side.destroy();
    }
  }

  /** Says goodbye without waiting for the answer, which a hung server would never give. */
  close(): void {
    const forget = setTimeout(() => {
      this.#connection.destroy();
    }, GOODBYE_MS);
    this.#connection.end().then(
      () => {
        clearTimeout(forget);
      },
      () => {
        clearTimeout(forget); // it was lost already, and whatever was asked on it said so
      },
    );
  }
}

export type Ended<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'late' };

export function raceDeadline<T>(running: Promise<T>, timeoutMs: number, signal?: AbortSignal): Promise<Ended<T>> {
  return new Promise((resolve) => {
    const late = (): void => {
      settle({ kind: 'late' });
    };
    // Timers come before sockets: in a process that was kept from running, the answer may be there already when the time is over.
    const timer = setTimeout(() => setImmediate(late), timeoutMs);
    const settle = (ended: Ended<T>): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', late);
      resolve(ended);
    };
    signal?.addEventListener('abort', late, { once: true });
    running.then(
      (value) => {
        settle({ kind: 'done', value });
      },
      (error: unknown) => {
        settle({ kind: 'failed', error });
      },
    );
  });
}
