import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Clock ticks of the kernel in a second. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Processor time of a process so far, in user and kernel mode, with all its threads. Source: proc(5), /proc/PID/stat, utime and stime. */
export const cpuSeconds = (pid: number): number => ticksIn(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) / TICKS;

/** The name of the program may hold anything; it ends with the last parenthesis. */
export function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
