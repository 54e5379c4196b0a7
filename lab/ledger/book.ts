import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { readAttempts, type Attempt } from './attempt.ts';

const block = 1 << 20;
/** Of all books: a read is over before another begins, and whoever waits for a write reads every few milliseconds. */
const buffer = Buffer.allocUnsafe(block);

/** One writer's file, read only as far as it has grown: waiting for a write must not cost more the longer the ledger is. */
export class Book {
  readonly #file: string;
  readonly #attempts: Attempt[] = [];
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  attempts(): readonly Attempt[] {
    const descriptor = openSync(this.#file, 'r');
    try {
      for (;;) {
        const read = readSync(descriptor, buffer, 0, block, this.#offset);
        if (read === 0) return this.#attempts;
        this.#offset += read;
        this.#take(this.#decoder.write(buffer.subarray(0, read)));
      }
    } finally {
      closeSync(descriptor);
    }
  }

  #take(text: string): void {
    const all = this.#rest + text;
    const whole = all.lastIndexOf('\n') + 1;
    this.#rest = all.slice(whole);
    for (const attempt of readAttempts(all.slice(0, whole))) this.#attempts.push(attempt);
  }
}
