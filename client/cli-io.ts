import type { Paint } from './paint.ts';
import type { StandfastApi } from './standfast.ts';

/** The terminal, as the commands see it: data goes out, everything else beside it. */
export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly paintOut: Paint;
  readonly paintErr: Paint;
  /** Somebody sits at it and can answer a question. */
  readonly isInteractive: boolean;
  readonly ask: (question: string) => Promise<string>;
  /** Calls back on Ctrl-C until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

export type WorkerRole = 'runbooks' | 'watch';

/** What the commands reach outside themselves; loaded only when one needs it. */
export interface CliWorld {
  readonly connect: () => Promise<StandfastApi>;
  /** @returns the exit code. Without a role both are started, each as a process of its own. */
  readonly startWorker: (role: WorkerRole | undefined) => Promise<number>;
}

export interface GlobalOptions {
  readonly output: 'text' | 'json';
  readonly detach?: true | undefined;
  readonly timeout?: number | undefined;
  /** Commander's reading of `--no-input`. */
  readonly input: boolean;
}
