import mysql from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';

/** Of the loopback. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

/** A database server of its own, on a socket, that vanishes with the tests. */
export class Oracle {
  readonly connection: Connection;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(connection: Connection, process: ChildProcess, folder: string) {
    this.connection = connection;
    this.#process = process;
    this.#folder = folder;
  }

  /** MySQL 5.6, as `scripts/setup` unpacks it, without accounts and tables: it only has to calculate. */
  static mysql(): Promise<Oracle> {
    const home = path.join(projectFolder, '.cache/mysql-5.6/server');
    return Oracle.#start(path.join(home, 'mysqld'), [
      `--basedir=${home}`,
      `--lc-messages-dir=${home}/share`,
      `--character-sets-dir=${home}/share/charsets`,
      '--skip-grant-tables',
      '--performance-schema=0',
      '--explicit-defaults-for-timestamp',
      '--innodb=OFF',
      '--default-storage-engine=MEMORY',
      '--default-tmp-storage-engine=MEMORY',
    ]);
  }

  /** The MariaDB that the lab runs. @param port of the loopback; without one it is reached by its socket alone */
  static mariadb(port?: number): Promise<Oracle> {
    const place =
      port === undefined ? [] : ['--skip-networking=0', '--bind-address=127.0.0.1', `--port=${String(port)}`];
    return Oracle.#start(
      '/usr/sbin/mariadbd',
      ['--log-bin=binlog', '--server-id=1', '--debug-no-sync', '--innodb-flush-log-at-trx-commit=0', ...place],
      (data) => {
        execFileSync('mariadb-install-db', [
          '--no-defaults',
          '--user=root',
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
          `--datadir=${data}`,
        ]);
      },
    );
  }

  static async #start(program: string, args: readonly string[], prepare?: (data: string) => void): Promise<Oracle> {
    const folder = mkdtempSync(path.join(tmpdir(), 'standfast-oracle-'));
    const [data, socket] = [path.join(folder, 'data'), path.join(folder, 'socket')];
    mkdirSync(data);
    prepare?.(data);
    const own = ['--no-defaults', '--user=root', `--datadir=${data}`, `--socket=${socket}`, `--pid-file=${folder}/pid`];
    // It must not outlive a test run that is killed.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...own, '--skip-networking', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
    const connection = await until(`answer of ${program}`, async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${String(child.exitCode)}: ${said}`);
      try {
        return await mysql.createConnection({
          socketPath: socket,
          user: 'root',
          multipleStatements: true,
          supportBigNumbers: true,
          bigNumberStrings: true,
        });
      } catch {
        return undefined; // not yet; its end is noticed above
      }
    });
    return new Oracle(connection, child, folder);
  }

  /** The values of one row, as text. */
  async row(select: string, values: readonly unknown[] = []): Promise<readonly string[]> {
    const query = { sql: select, rowsAsArray: true };
    const [rows] = await this.connection.query<mysql.RowDataPacket[][]>(query, [...values]);
    return (rows[0] ?? []).map(String);
  }

  /** @returns 0, or the number of the error with which the server refuses one */
  async attempt(statements: string, values: readonly unknown[] = []): Promise<number> {
    try {
      await this.connection.query(statements, [...values]);
      return 0;
    } catch (error) {
      const { errno } = error as { errno?: number };
      if (errno === undefined) throw error;
      return errno;
    }
  }

  async stop(): Promise<void> {
    this.connection.destroy();
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
