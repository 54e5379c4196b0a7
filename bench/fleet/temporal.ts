import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { plainEnvironment, until } from '../../lab/run.ts';
import { serverArguments, temporalCli } from '../../lab/temporal.ts';
import { endWithUs } from './end-with-us.ts';
import { writesIn } from './server-writes.ts';

const START_MS = 30_000;

/** The Temporal server of a lab on the loopback of the machine itself, with its metrics. */
export class MeteredTemporal {
  readonly address: string;
  readonly #metrics: string;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number, metricsPort: number) {
    this.#process = child;
    this.address = `127.0.0.1:${String(port)}`;
    this.#metrics = `http://127.0.0.1:${String(metricsPort)}/metrics`;
  }

  /** Starts it and waits until it answers. @param folder for its state and its log */
  static async start(folder: string): Promise<MeteredTemporal> {
    const [port, uiPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
    const log = openSync(path.join(folder, 'temporal.log'), 'w');
    const settings = serverArguments(path.join(folder, 'temporal.db'), { port, uiPort });
    const child = spawn(temporalCli(), [...settings, '--metrics-port', String(metricsPort)], {
      env: plainEnvironment,
      cwd: '/',
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    endWithUs(child);
    const server = new MeteredTemporal(child, port, metricsPort);
    await until('an answer of the Temporal server', () => server.#answers(), START_MS);
    return server;
  }

  /** So far, by operation; see {@link writesIn}. */
  async writes(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(this.#metrics);
    return writesIn(await response.text());
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async #answers(): Promise<true | undefined> {
    try {
      const connection = await Connection.connect({ address: this.address, connectTimeout: 1_000 });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      return true;
    } catch (error) {
      if (this.#process.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return undefined;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
