import { writeSync } from 'node:fs';
import { DefaultLogger } from '@temporalio/worker';
import type { LogEntry } from '@temporalio/worker';
import pino from 'pino';
import type { WorkerConfig } from './config.ts';

/** One JSON line per event on standard error; the SDK's own lines go the same way. */
export function createLogger(config: WorkerConfig): DefaultLogger {
  const logger = pino(
    { level: config.logLevel, base: { worker: config.identity } },
    {
      write: (line: string) => {
        writeLine(STANDARD_ERROR, line);
      },
    },
  );
  return new DefaultLogger('DEBUG', ({ level, message, meta }: LogEntry) => {
    logger[pinoLevel(level)](meta ?? {}, message);
  });
}

const STANDARD_ERROR = 2;
const TRIES = 20;
const AGAIN_MS = 5;

/**
 * What cannot be written is dropped: a full disk under the log must not end whoever watches, nor hold him up. (The logger's own stream tries for ever, and holds
 * up the process that way.) Whoever reads a pipe slowly is waited for a little.
 */
export function writeLine(file: number, line: string): void {
  let left: Uint8Array = Buffer.from(line);
  for (let tries = 0; left.length > 0 && tries < TRIES; tries += 1) {
    try {
      left = left.subarray(writeSync(file, left));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
    }
  }
}

function pinoLevel(level: LogEntry['level']): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  return level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error';
}
