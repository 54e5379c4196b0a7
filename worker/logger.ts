import { DefaultLogger } from '@temporalio/worker';
import type { LogEntry } from '@temporalio/worker';
import pino from 'pino';
import type { WorkerConfig } from './config.ts';

/** One JSON line per event on standard error; the SDK's own lines go the same way. */
export function createLogger(config: WorkerConfig): DefaultLogger {
  const logger = pino({ level: config.logLevel, base: { worker: config.identity } }, pino.destination(2));
  return new DefaultLogger('DEBUG', ({ level, message, meta }: LogEntry) => {
    logger[pinoLevel(level)](meta ?? {}, message);
  });
}

function pinoLevel(level: LogEntry['level']): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  return level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error';
}
