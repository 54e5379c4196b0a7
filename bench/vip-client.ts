import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Lab } from '../lab/lab.ts';
import { network } from '../lab/network.ts';
import { until } from '../lab/run.ts';
import type { Greeting } from './greetings.ts';

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'vip-client-process.js');

/** A client at the application's place that connects to the VIP every 2 ms, and the greetings that it got. */
export class VipClient {
  readonly #process: ChildProcess;
  #greetings: Greeting[] = [];

  constructor(lab: Lab) {
    this.#process = lab.app.spawn([process.execPath, program, network.vip], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout ?? process.stdin }).on('line', (line) => {
      const [at, marked] = line.split(' ');
      this.#greetings.push({ at: Number(at), marked: marked === '1' });
    });
  }

  /** Those since the last `forget`. */
  get greetings(): readonly Greeting[] {
    return this.#greetings;
  }

  forget(): void {
    this.#greetings = [];
  }

  /** Waits until the server, the marked one or the other, has greeted so often since the last `forget`. */
  async greeted(count: number, marked: boolean): Promise<void> {
    await until(`${String(count)} greetings of the ${marked ? 'marked' : 'other'} server`, () => {
      const { length } = this.#greetings.filter((one) => one.marked === marked);
      return length >= count ? true : undefined;
    });
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.stdin?.end();
    await ended;
  }
}
