import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

/** A process of the benchmark does not outlive it, however it ends; of SIGKILL alone nobody hears. */
export function endWithUs(child: ChildProcess): void {
  if (children.size === 0) {
    process.once('exit', () => {
      for (const one of children) one.kill('SIGKILL');
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  }
  children.add(child);
  child.once('exit', () => children.delete(child));
}
