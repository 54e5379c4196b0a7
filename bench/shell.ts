import type { ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Lab } from '../lab/lab.ts';

/** A root shell on a host that is open before anything happens. */
export class Shell {
  readonly #process: ChildProcess;
  readonly #said: Interface;

  constructor(lab: Lab, host: string) {
    this.#process = lab.host(host).spawn(['bash', '--norc'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#said = createInterface({ input: this.#process.stdout ?? process.stdin });
  }

  order(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** As `order`, until it is done. What the line itself prints has to go elsewhere. */
  async done(line: string): Promise<void> {
    const answered = new Promise((resolve) => this.#said.once('line', resolve));
    this.order(`${line}\necho`);
    await answered;
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
