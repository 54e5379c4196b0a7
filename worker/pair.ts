import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { WorkerRole } from './config.ts';
import { WORKER_ROLES } from './config.ts';
import { Orphans } from './orphans.ts';

/** One that has lived for so long is started again at once when it dies; one that does not come up is not tried in a circle. */
const STEADY_MS = 10_000;
const RESTART_MS = 1_000;
/**
 * Of a process that says itself why it cannot start (usage, configuration, Temporal): starting it again would not help. It would where one has worked before: Temporal comes back, and
 * whoever edits the inventory ends; nobody must have to notice by then that nothing is watched.
 */
const EXPLAINED = [2, 3, 8];

/**
 * Runs a worker for runbooks and one that watches as processes of their own, so that bulk work never starves the watch, and starts either again when it dies.
 * Ends when it is told to (SIGINT, SIGTERM), or when one of them says why it cannot work and never has.
 * @param command  what starts one: the program, and its arguments before `--role`
 * @returns the exit code
 */
export async function runPair(command: readonly [string, ...string[]]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      stop.abort();
    });
  const orphans = new Orphans();
  const codes = await Promise.all(WORKER_ROLES.map((role) => keepRunning(command, role, { stop, orphans })));
  await orphans.close();
  return codes.find((code) => code !== 0) ?? 0;
}

async function keepRunning(
  command: readonly [string, ...string[]],
  role: WorkerRole,
  { stop, orphans }: { readonly stop: AbortController; readonly orphans: Orphans },
): Promise<number> {
  const [program, ...first] = command;
  const isStopped = (): boolean => stop.signal.aborted;
  let hasWorked = false;
  for (;;) {
    // The channel between the two ends with this process, however it ends, and the worker ends with the channel.
    const child = spawn(program, [...first, '--role', role], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const startedMs = performance.now();
    orphans.adopt(child);
    const tellToStop = (): void => {
      child.kill('SIGTERM');
    };
    stop.signal.addEventListener('abort', tellToStop);
    const code = await exitOf(child);
    stop.signal.removeEventListener('abort', tellToStop);
    if (isStopped()) return code ?? 0;
    const isSteady = performance.now() - startedMs > STEADY_MS;
    hasWorked ||= isSteady;
    if (code !== null && EXPLAINED.includes(code) && !hasWorked) {
      stop.abort();
      return code;
    }
    process.stderr.write(
      `the worker of role ${role} ended (${code === null ? 'killed' : `code ${String(code)}`}); it is started again\n`,
    );
    const rest = new Promise((resolve) => setTimeout(resolve, isSteady ? 0 : RESTART_MS));
    await Promise.all([orphans.release(child), rest]);
    if (isStopped()) return 0;
  }
}

/** When all that it said is heard as well. Null: a signal ended it. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  const silent = new Promise((resolve) => child.once('disconnect', resolve));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (child.connected) await silent;
  return code;
}

/** A worker that belongs to a pair does not outlive it. */
export function endWithPair(): void {
  if (process.connected) process.once('disconnect', () => process.exit(1));
}
