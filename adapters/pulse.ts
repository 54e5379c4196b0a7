import type { Connection } from 'mysql2/promise';
import { format } from 'mysql2/promise';
import type { HostName } from '../domain/cluster.ts';
import type { LookDeadline, Pulse, Row } from './ports.ts';
import { AdapterFailure } from './ports.ts';
import { IN_RESERVE, refuseReserve } from './reserve.ts';
import type { SqlTarget } from './sql.ts';
import { asFailure, asRows, dial, raceDeadline } from './sql.ts';

/** A server shows the statement of a procedure instead of the call: that of a heartbeat. */
const STILL_THERE =
  "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND (INFO = ? OR INFO LIKE '%standfast.heartbeat%')";

interface Look {
  /** Of the connection, as the server numbers it. */
  readonly id: number;
  readonly statement: string;
}

export class SqlPulse implements Pulse {
  readonly host: HostName;
  readonly #target: () => Promise<SqlTarget>;
  readonly #listeners: (() => void)[] = [];
  #connection: Connection | null = null;
  #connections = 0;
  #isAsking = false;
  #isClosed = false;
  /** A look that got no answer in time may still hang on the server. */
  #abandoned: Look | null = null;

  constructor(host: HostName, target: () => Promise<SqlTarget>) {
    this.host = host;
    this.#target = target;
  }

  get connections(): number {
    return this.#connections;
  }

  async rows(statement: string, { timeoutMs }: LookDeadline): Promise<readonly Row[]> {
    const asked = performance.now();
    const leftMs = (): number => Math.max(1, timeoutMs - (performance.now() - asked));
    const connection = this.#connection ?? (await this.#connectBesideOthers(leftMs));
    if (this.#abandoned !== null) {
      const { id, statement: asking } = this.#abandoned;
      // Another server may have given the number to somebody else.
      const question = format(STILL_THERE, [id, asking]);
      // Looks that hang behind the same lock would take one connection of the server after the other.
      if ((await this.#ask(connection, question, leftMs())).length > 0)
        throw this.#silent('the look before this one still waits on the server');
      this.#abandoned = null;
    }
    return this.#ask(connection, statement, leftMs());
  }

  async #connectBesideOthers(leftMs: () => number): Promise<Connection> {
    const connection = await this.#connect(leftMs());
    const answer = await this.#ask(connection, IN_RESERVE, leftMs());
    try {
      refuseReserve(this.host, answer);
      return connection;
    } catch (error) {
      this.#drop(connection);
      throw error;
    }
  }

  async #ask(connection: Connection, statement: string, timeoutMs: number): Promise<readonly Row[]> {
    this.#isAsking = true;
    const ended = await raceDeadline(connection.query(statement), timeoutMs);
    this.#isAsking = false;
    if (ended.kind === 'done') return asRows(ended.value[0]);
    this.#drop(connection);
    if (ended.kind === 'failed') throw asFailure(this.host, 'a look', ended.error);
    this.#abandoned ??= { id: connection.threadId, statement };
    throw this.#silent(`no answer within ${String(Math.round(timeoutMs))} ms`);
  }

  #silent(why: string): AdapterFailure {
    return new AdapterFailure({
      type: 'Unreachable',
      host: this.host,
      silence: 'silent',
      message: `${this.host}: ${why}`,
    });
  }

  onLost(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.length = 0;
    if (this.#connection !== null) this.#drop(this.#connection);
  }

  async #connect(timeoutMs: number): Promise<Connection> {
    try {
      const connection = await dial(await this.#target(), timeoutMs);
      if (this.#isClosed) {
        connection.destroy();
        throw this.#silent('the watch was over before it was connected');
      }
      this.#connection = connection;
      this.#connections += 1;
      const lost = (): void => {
        if (this.#connection !== connection) return;
        // A look under way fails by itself, but never does when its connection is destroyed first.
        if (this.#isAsking) this.#connection = null;
        else this.#drop(connection);
        for (const listener of this.#listeners) listener();
      };
      // The driver tells of an error, or of the end, of a connection that nothing is asked on.
      connection.on('error', lost);
      connection.on('end', lost);
      return connection;
    } catch (error) {
      throw asFailure(this.host, 'connecting', error);
    }
  }

  #drop(connection: Connection): void {
    if (this.#connection === connection) this.#connection = null;
    connection.destroy();
  }
}
