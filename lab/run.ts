import { spawn } from 'node:child_process';

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Something that the lab could not do; the message says what, where, and what to do about it. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** The environment that lab processes get: nothing of the caller's but where programs are. */
export const plainEnvironment: NodeJS.ProcessEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  // Standard input is a socket here, so a first-level "bash -c" takes itself for a remote shell and reads whatever /root/.bashrc does.
  SHLVL: '1',
};

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** Runs a program to its end. A non-zero exit code is an answer; a missed deadline or a missing program is an error. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: options.env ?? plainEnvironment, cwd: '/' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let late = false;
    const deadline =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            child.kill('SIGKILL');
          }, options.timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its input closes the pipe; its exit code tells the story.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(new LabError(`${program} could not be started: ${error.message}`, { cause: error }));
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      if (late) {
        reject(new LabError(`no end within ${String(options.timeoutMs)} ms, so it was killed: ${argv.join(' ')}`));
        return;
      }
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        exitCode: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0),
      });
    });
  });
}

/** As `run`, for programs that have to succeed. Returns what was printed. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.exitCode !== 0) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-12).join('\n');
    throw new LabError(`exit code ${String(result.exitCode)} from: ${argv.join(' ')}\n${said}`);
  }
  return result.stdout;
}

/** Polls until `probe` returns something other than undefined. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new LabError(`${what}: not seen within ${String(timeoutMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
