import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { freePort } from './temporal.ts';

const root = path.resolve(import.meta.dirname, '../..');
const command = path.join(root, 'dist/bin/standfast.js');

interface Ended {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

function node(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve({ exitCode, out, err });
    });
  });
}

beforeAll(() => {
  if (!existsSync(command)) throw new Error('dist/ is not built: npm run build');
});

test('the built command prints its help without colours off a terminal', async () => {
  const { exitCode, out, err } = await node([command, '--help']);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  expect(out).toMatch(/^Usage: standfast /);
  expect(out).not.toContain('\u001B[');
});

test('a Temporal that is not there exits with 8, its address, and the remedy', async () => {
  const address = `127.0.0.1:${String(await freePort())}`;
  const { exitCode, out, err } = await node([command, 'verify', 'shop', '-o', 'json'], { TEMPORAL_ADDRESS: address });
  expect(exitCode).toBe(8);
  expect(err).toContain(`Temporal does not answer at ${address} (namespace default); nothing was started`);
  expect(err).toContain('TEMPORAL_ADDRESS');
  expect(JSON.parse(out)).toMatchObject({ kind: 'Error', type: 'TemporalUnreachable', exitCode: 8 });
});

test('a failover off a terminal without a flag exits with 2 before Temporal is asked', async () => {
  const { exitCode, err } = await node([command, 'failover', 'shop'], { TEMPORAL_ADDRESS: 'nowhere:1' });
  expect(exitCode).toBe(2);
  expect(err).toContain('--confirm shop (or --yes)');
});

test('settings that cannot be read exit with 3', async () => {
  const lost = await node([command, 'verify', 'shop'], {
    TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
    TEMPORAL_PROFILE: 'x',
  });
  expect(lost.exitCode).toBe(3);
  const queue = await node([command, 'verify', 'shop'], { STANDFAST_TASK_QUEUE: 'a b' });
  expect(queue.exitCode).toBe(3);
  expect(queue.err).toContain('STANDFAST_TASK_QUEUE must be letters');
});

const loadedBy = async (module: string): Promise<string> => {
  const script = `import(${JSON.stringify(path.join(root, 'dist', module))}).then(() => console.log(Object.keys(require('node:module')._cache).join('\\n')))`;
  const { exitCode, out } = await node(['--eval', script]);
  expect(exitCode).toBe(0);
  return out;
};

test('the client does not load the worker or its native module', async () => {
  const loaded = await loadedBy('client/index.js');
  expect(loaded).toContain('@temporalio/client');
  expect(loaded).not.toMatch(/@temporalio\/(worker|core-bridge)/);
});

test('the command line says its first line before Temporal is loaded', async () => {
  const loaded = await loadedBy('client/cli.js');
  expect(loaded).toContain('commander');
  expect(loaded).not.toMatch(/@temporalio|zod|cli-table3/);
});
