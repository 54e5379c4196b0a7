import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process is not there any more. */
export const hasEnded = (error: unknown): boolean =>
  ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Processes whose parent is `pid`, by the role that each was started for. */
export function childrenOf(pid: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const role = words[words.indexOf('--role') + 1];
      if (Number(parent) === pid && role !== undefined) found.set(role, Number(name));
    } catch (error) {
      if (!hasEnded(error)) throw error;
    }
  }
  return found;
}
