import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeTcp } from '../../adapters/tcp.ts';

const servers: Server[] = [];
const children: ChildProcess[] = [];
const fillers: Socket[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const filler of fillers.splice(0)) filler.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A kernel drops the packets of new connections while the queue of a stopped process is full. */
async function droppingPort(): Promise<number> {
  const program =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const port = Number(said.toString());
  for (let filler = 0; filler < 4; filler += 1) fillers.push(connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return port;
}

const probe = (port: number, timeoutMs: number) => probeTcp({ address: '127.0.0.1', port }, timeoutMs);

describe('a probe of TCP', () => {
  it('is accepted where somebody listens', async () => {
    expect(await probe(await listen(), 5_000)).toBe('accepts');
  });

  it('is refused, at once, by a kernel whose port is closed', async () => {
    const port = await listen();
    for (const server of servers.splice(0)) server.close();
    const startedMs = performance.now();
    expect(await probe(port, 5_000)).toBe('refuses');
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  it('is silent when nothing answers, and only when its time is over', async () => {
    const port = await droppingPort();
    const startedMs = performance.now();
    expect(await probe(port, 200)).toBe('silent');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199);
  });
});
