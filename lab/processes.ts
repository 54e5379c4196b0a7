import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { until } from './run.ts';

/** A process that stays the same one when its number is used again. */
export interface ProcessMark {
  readonly pid: number;
  readonly start: string;
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** ESRCH comes from /proc when the process ends between open and read. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR';
}

/** State letter and start time of a process, or undefined when there is none (a zombie is none). */
function look(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${String(pid)}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return fields[19];
}

export function mark(pid: number): ProcessMark | undefined {
  const start = look(pid);
  return start === undefined ? undefined : { pid, start };
}

export function isAlive(process: ProcessMark): boolean {
  return look(process.pid) === process.start;
}

export function signalPid(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

export async function end(processes: readonly ProcessMark[]): Promise<void> {
  for (const one of processes) if (isAlive(one)) signalPid(one.pid, 'SIGKILL');
  await until('end of killed processes', () => (processes.some(isAlive) ? undefined : true));
}

export function firstChild(pid: number): number | undefined {
  const children = readIfThere(`/proc/${String(pid)}/task/${String(pid)}/children`)?.trim();
  return children === undefined || children === '' ? undefined : Number(children.split(' ')[0]);
}

/** Processes named `name` in the PID namespace of `init`, by their numbers outside. */
export function processesOf(init: number, name: string): readonly number[] {
  const namespace = linkOf(`/proc/${String(init)}/ns/pid`);
  if (namespace === undefined) return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => readIfThere(`/proc/${entry}/comm`)?.trim() === name)
    .filter((entry) => linkOf(`/proc/${entry}/ns/pid`) === namespace)
    .map(Number)
    .filter((pid) => look(pid) !== undefined);
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
