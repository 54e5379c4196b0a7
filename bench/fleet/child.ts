import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from './cpu.ts';
import { endWithUs } from './end-with-us.ts';

const folder = path.dirname(fileURLToPath(import.meta.url));

/** What a process of the benchmark can be asked, one after the other. Everything travels as JSON. */
type Orders = { readonly [name: string]: (...asked: never[]) => unknown };

interface Order {
  readonly name: string;
  readonly asked: readonly unknown[];
}

type Reply = { readonly answer: unknown } | { readonly fault: string };

/** A process of the benchmark, whose processor time is its own. */
export class Child<O extends Orders> {
  readonly #process: ChildProcess;

  /** @param program in this folder, without its ending */
  constructor(program: string) {
    this.#process = fork(path.join(folder, `${program}.js`), { serialization: 'json' });
    endWithUs(this.#process);
  }

  async ask<K extends keyof O & string>(name: K, ...asked: Parameters<O[K]>): Promise<Awaited<ReturnType<O[K]>>> {
    const over = new AbortController();
    const ended = once(this.#process, 'exit', { signal: over.signal }).then((): never => {
      throw new Error(`the process for ${name} has ended`);
    });
    const replied = once(this.#process, 'message', { signal: over.signal });
    this.#process.send({ name, asked } satisfies Order);
    const [reply] = (await Promise.race([replied, ended])) as [Reply];
    ended.catch(() => undefined); // nobody waits for it any more
    over.abort();
    if ('fault' in reply) throw new Error(`${name}: ${reply.fault}`);
    return reply.answer as Awaited<ReturnType<O[K]>>;
  }

  cpuSeconds(): number {
    return cpuSeconds(this.#process.pid ?? 0);
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}

/** The other side: does what it is asked, and ends with the benchmark. */
export function obey(orders: Orders): void {
  const carry = async ({ name, asked }: Order): Promise<Reply> => {
    try {
      return { answer: await (orders[name] as (...values: unknown[]) => unknown)(...asked) };
    } catch (error) {
      return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on('message', (order: Order) => {
    void carry(order).then((reply) => process.send?.(reply));
  });
  process.once('disconnect', () => process.exit(1));
}
