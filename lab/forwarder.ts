import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { mark, type ProcessMark } from './processes.ts';
import { LabError, plainEnvironment, until } from './run.ts';

export interface Forwarder {
  readonly localPort: number;
  readonly processes: readonly ProcessMark[];
}

export interface ForwarderOptions {
  readonly folder: string;
  readonly namespace: string;
  readonly port: number;
  readonly localPort: number | undefined;
}

/** Two socat, one on each side of a Unix socket: the only thing that crosses from the lab's network to the machine's. */
export async function startForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const localPort = options.localPort ?? (await freePort());
  const socket = path.join(options.folder, 'run', `${options.namespace}-${String(options.port)}-${String(localPort)}.sock`);
  rmSync(socket, { force: true });
  const inner = start(['nsenter', `--net=/run/netns/${options.namespace}`, '--', 'socat',
    `UNIX-LISTEN:${socket},fork,mode=600`, `TCP:127.0.0.1:${String(options.port)}`]);
  await until(`forwarder to port ${String(options.port)}`, () => (existsSync(socket) ? true : undefined), 5_000);
  const outer = start(['socat', `TCP-LISTEN:${String(localPort)},bind=127.0.0.1,fork,reuseaddr`, `UNIX-CONNECT:${socket}`]);
  return { localPort, processes: [inner, outer] };
}

function start(argv: readonly string[]): ProcessMark {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env: plainEnvironment, cwd: '/', detached: true, stdio: 'ignore' });
  child.unref();
  const found = child.pid === undefined ? undefined : mark(child.pid);
  if (found === undefined) throw new LabError(`${argv.join(' ')} did not start`);
  return found;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new LabError('the machine gave no free port'));
        else resolve(address.port);
      });
    });
  });
}
