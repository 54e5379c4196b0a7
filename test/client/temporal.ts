import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { temporalCli } from '../../lab/temporal.ts';

/** A Temporal server of one test file, on a file: it can be killed and started again. */
export class TestTemporal {
  readonly address: string;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(address: string, folder: string) {
    this.address = address;
    this.#folder = folder;
  }

  static async start(): Promise<TestTemporal> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'standfast-client-'));
    const temporal = new TestTemporal(`127.0.0.1:${String(await freePort())}`, folder);
    await temporal.startAgain();
    return temporal;
  }

  async startAgain(): Promise<void> {
    const [ip = '', port = ''] = this.address.split(':');
    const server = ['server', 'start-dev', '--headless', '--ip', ip, '--port', port, '--log-level', 'never'];
    const store = ['--db-filename', path.join(this.#folder, 'temporal.db')];
    const words = ['Phase', 'Cluster', 'Outcome'].flatMap((word) => ['--search-attribute', `Standfast${word}=Keyword`]);
    this.#process = spawn(temporalCli(), [...server, ...store, ...words], { stdio: 'ignore' });
    const connection = await Connection.connect({ address: this.address, connectTimeout: '60s' });
    await connection.close();
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}
