import type { Deadline } from './ports.ts';

/** A deadline whose clock runs: one for all the waiting that a request has to do. */
export class RunningDeadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #last: NodeJS.Immediate | undefined;
  #isTimeout = false;

  constructor({ timeoutMs, signal }: Deadline) {
    this.#outer = signal;
    if (timeoutMs !== undefined)
      // Timers come before sockets: in a process that was kept from running, the answer may be there already when the time is over.
      this.#timer = setTimeout(() => {
        this.#last = setImmediate(() => {
          this.#isTimeout = true;
          this.#controller.abort(new Error(`no answer within ${String(timeoutMs)} ms`));
        });
      }, timeoutMs);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
  }

  /** False also after a cancellation, whose own reason is passed on untouched. */
  get isTimeout(): boolean {
    return this.#isTimeout;
  }

  get isCancelled(): boolean {
    return this.#controller.signal.aborted && !this.#isTimeout;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#last);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  /** The work's outcome, or the end of the deadline if that comes first. The work itself goes on. */
  race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#controller;
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
    });
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#outer?.reason;
    this.#controller.abort(reason instanceof Error ? reason : new Error('the request was cancelled'));
  };
}
