import type { Connection } from 'mysql2/promise';
import type { HostName } from '../domain/cluster.ts';
import type { Deadline, Pulse, Row } from './ports.ts';
import { AdapterFailure } from './ports.ts';
import type { SqlTarget } from './sql.ts';
import { asFailure, dial, raceDeadline } from './sql.ts';

const LOOK_MS = 1_000;

export class SqlPulse implements Pulse {
  readonly host: HostName;
  readonly #target: () => Promise<SqlTarget>;
  readonly #listeners: (() => void)[] = [];
  #connection: Connection | null = null;
  #connections = 0;

  constructor(host: HostName, target: () => Promise<SqlTarget>) {
    this.host = host;
    this.#target = target;
  }

  get connections(): number {
    return this.#connections;
  }

  async rows(statement: string, { timeoutMs = LOOK_MS, signal }: Deadline = {}): Promise<readonly Row[]> {
    const asked = performance.now();
    const connection = this.#connection ?? (await this.#connect(timeoutMs));
    const leftMs = Math.max(1, timeoutMs - (performance.now() - asked));
    const ended = await raceDeadline(connection.query(statement), leftMs, signal);
    if (ended.kind === 'done') return ended.value[0] as readonly Row[];
    this.#drop(connection);
    if (ended.kind === 'failed') throw asFailure(this.host, 'a look', ended.error);
    throw new AdapterFailure({
      type: 'Unreachable',
      host: this.host,
      silence: 'silent',
      message: `${this.host}: no answer within ${String(timeoutMs)} ms`,
    });
  }

  onLost(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#listeners.length = 0;
    if (this.#connection !== null) this.#drop(this.#connection);
  }

  async #connect(timeoutMs: number): Promise<Connection> {
    try {
      const connection = await dial(await this.#target(), timeoutMs);
      this.#connection = connection;
      this.#connections += 1;
      const lost = (): void => {
        if (this.#connection !== connection) return;
        this.#drop(connection);
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
