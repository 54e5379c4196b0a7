import { writeSync } from 'node:fs';
import type { NetConnectOpts, Socket } from 'node:net';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import mysql, { type Connection, type ConnectionOptions, type RowDataPacket } from 'mysql2/promise';
import type { Attempt, Outcome, Route, WriterInput } from './attempt.ts';

// A program: reads one WriterInput as the first line of its standard input, appends one Attempt per line to its standard output, and ends when
// the input ends. It runs at an application's place, so it knows nothing of the lab.

const connectTimeoutMs = 250;
const answerTimeoutMs = 1_000;
const statement = 'INSERT INTO ledger.writes (token, route, server) VALUES (?, ?, @@server_id) RETURNING server';
/** Errors by which a server says that it did not take the write: read-only, access or limits, no such table. */
const refusals = new Set([1040, 1044, 1045, 1130, 1142, 1146, 1203, 1226, 1227, 1290, 1792, 1836]);

interface Answer {
  readonly outcome: Outcome;
  readonly serverId?: number;
  readonly code?: string;
}

function now(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

class LateError extends Error {
  readonly code = 'LATE';
}

/** mysql2's own query timeout leaves the connection open; here a late answer must never be read. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new LateError(`no answer in ${String(milliseconds)} ms`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): { readonly code: string; readonly errno: number | undefined } {
  if (!(error instanceof Error)) return { code: String(error), errno: undefined };
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : undefined;
  return { code: 'code' in error ? String(error.code) : error.message, errno };
}

/** Resolves when a server has greeted: the driver makes much of a connection before it is tried, and hundreds a second are refused while nobody serves. */
function dial(place: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(place);
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(connectTimeoutMs, () => {
      fail(new LateError(`not greeted in ${String(connectTimeoutMs)} ms`));
    });
    socket.once('error', fail);
    const closed = (): void => {
      fail(new LateError('closed before a greeting'));
    };
    socket.once('close', closed);
    socket.once('readable', () => {
      socket.setTimeout(0);
      socket.off('error', fail);
      socket.off('close', closed);
      resolve(socket);
    });
  });
}

/** A server that opens is found by every writer at once: thirty log-ins together would take this process longer than the server. */
const logIns = { free: 2, waiting: [] as (() => void)[] };

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (logIns.free > 0) logIns.free -= 1;
  else
    await new Promise<void>((resolve) => {
      logIns.waiting.push(resolve);
    });
  try {
    return await work();
  } finally {
    const next = logIns.waiting.shift();
    if (next === undefined) logIns.free += 1;
    else next();
  }
}

class Writer {
  readonly #route: Route;
  readonly #place: NetConnectOpts;
  readonly #options: ConnectionOptions;
  readonly #periodMs: number;
  #connection: Connection | undefined;
  #count = 0n;

  constructor(route: Route, input: WriterInput) {
    this.#route = route;
    this.#periodMs = input.periodMs;
    this.#place = route.socketPath === undefined ? { host: route.host ?? '', port: 3306 } : { path: route.socketPath };
    this.#options = {
      user: input.user,
      password: input.password,
      connectTimeout: connectTimeoutMs,
      enableKeepAlive: false,
    };
  }

  async writeUntil(ended: () => boolean): Promise<void> {
    // Writers that began together would all ask at the same instants.
    let next = performance.now() + Math.random() * this.#periodMs;
    await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
    while (!ended()) {
      await this.#attempt();
      next = Math.max(next + this.#periodMs, performance.now());
      await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
    }
    this.#connection?.destroy();
  }

  async #attempt(): Promise<void> {
    this.#count += 1n;
    const token = ((BigInt(this.#route.writer) << 40n) + this.#count).toString();
    const sentAt = now();
    const answer = await this.#write(token);
    const attempt: Attempt = { token, route: this.#route.route, sentAt, endedAt: now(), ...answer };
    // Synchronous: an acknowledgement is in the file before the next write is sent, whenever this process is killed.
    writeSync(1, `${JSON.stringify(attempt)}\n`);
  }

  async #write(token: string): Promise<Answer> {
    let connection: Connection;
    try {
      connection = this.#connection ?? (await this.#connect());
    } catch (error) {
      // Nothing was sent yet, so nothing can have been taken.
      return { outcome: 'refused', code: codeOf(error).code };
    }
    try {
      const [rows] = await within(
        connection.query<RowDataPacket[]>(statement, [token, this.#route.route]),
        answerTimeoutMs,
      );
      return { outcome: 'ack', serverId: Number(rows[0]?.['server']) };
    } catch (error) {
      const { code, errno } = codeOf(error);
      if (errno !== undefined && refusals.has(errno)) return { outcome: 'refused', code };
      this.#disconnect();
      return { outcome: 'unknown', code };
    }
  }

  async #connect(): Promise<Connection> {
    const stream = await dial(this.#place);
    return inTurn(() => this.#logIn(stream));
  }

  async #logIn(stream: Socket): Promise<Connection> {
    // A frozen server accepts and never greets: mysql2's connectTimeout covers the handshake too, ours covers the log-in.
    const opening = mysql.createConnection({ ...this.#options, stream });
    opening.catch(() => undefined); // it fails again when nobody waits any more; within() has said then that it was late
    try {
      const connection = await within(opening, connectTimeoutMs * 2);
      // An idle connection that breaks says so here, and nothing may be sent on it any more.
      connection.on('error', () => {
        connection.destroy();
        if (this.#connection === connection) this.#connection = undefined;
      });
      this.#connection = connection;
      return connection;
    } catch (error) {
      opening.then(
        (late) => {
          late.destroy();
        },
        () => undefined,
      );
      throw error;
    }
  }

  #disconnect(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

const lines = createInterface({ input: process.stdin });
let ended = false;
lines.once('close', () => {
  ended = true;
});
const input = await new Promise<WriterInput>((resolve) => {
  lines.once('line', (line) => {
    resolve(JSON.parse(line) as WriterInput);
  });
});
await Promise.all(input.routes.map((route) => new Writer(route, input).writeUntil(() => ended)));
// A connection whose server neither answers nor closes would keep this process alive.
process.exit(0);
