import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { isAlive, mark, type ProcessMark } from './processes.ts';
import { LabError, plainEnvironment, run, until } from './run.ts';

export interface Forwarder {
  readonly localPort: number;
  readonly processes: readonly ProcessMark[];
}

export interface ForwarderOptions {
  readonly folder: string;
  readonly namespace: string;
  readonly port: number;
  readonly localPort: number | undefined;
  /** Where it is lent to; the machine itself unless given. */
  readonly into?: string;
}

/** Two socat, one on each side of a Unix socket: the only thing that crosses from the lab's network to the machine's, or past it from seat to seat. */
export async function startForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const localPort = options.localPort ?? (await freePort());
  const socket = path.join(
    options.folder,
    'run',
    `${options.namespace}-${String(options.port)}-${options.into ?? ''}${String(localPort)}.sock`,
  );
  rmSync(socket, { force: true });
  const inner = start([
    ...enter(options.namespace),
    'socat',
    `UNIX-LISTEN:${socket},fork,mode=600`,
    `TCP:127.0.0.1:${String(options.port)}`,
  ]);
  await until(`forwarder to port ${String(options.port)}`, () => (existsSync(socket) ? true : undefined), 5_000);
  const outer = start([
    ...enter(options.into),
    'socat',
    `TCP-LISTEN:${String(localPort)},bind=127.0.0.1,fork,reuseaddr`,
    `UNIX-CONNECT:${socket}`,
  ]);
  await until(`forwarder at 127.0.0.1:${String(localPort)}`, async () => {
    if (!isAlive(outer)) throw new LabError(`port ${String(localPort)} of 127.0.0.1 is in use; choose another one`);
    return (await accepts(localPort, options.into)) ? true : undefined;
  });
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

const enter = (namespace: string | undefined): readonly string[] =>
  namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];

async function accepts(port: number, namespace: string | undefined): Promise<boolean> {
  if (namespace === undefined) return acceptsHere(port);
  const asked = await run([...enter(namespace), 'bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${String(port)}`]);
  return asked.exitCode === 0;
}

function acceptsHere(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
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
