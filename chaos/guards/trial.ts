import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guard } from './guard.ts';
import { withoutGuard } from './guard.ts';

const TEST_MS = 180_000;
const NOT_COPIED = new Set(['node_modules', 'dist', '.git', '.cache', '.lab']);

export interface TestRun {
  readonly passed: readonly string[];
  readonly failed: readonly { readonly title: string; readonly why: string }[];
  /** What was wrong when no test could run. */
  readonly trouble: string;
}

interface JsonReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The folder with package.json, from the source or from dist/. */
export async function sourceTree(): Promise<string> {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if ((await readdir(folder)).includes('package.json')) return folder;
    folder = path.dirname(folder);
  }
}

/** A copy of the source tree in which guards are switched off: the working tree stays as it is. */
export class Copy {
  readonly #folder: string;
  #running: ChildProcess | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async of(tree: string): Promise<Copy> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'standfast-guards-'));
    for (const name of await readdir(tree))
      if (!NOT_COPIED.has(name)) await cp(path.join(tree, name), path.join(folder, name), { recursive: true });
    // What the setup fetched, and no build or test changes.
    await mkdir(path.join(folder, '.cache'));
    for (const name of ['node_modules', '.cache/temporal'])
      await symlink(path.join(tree, name), path.join(folder, name));
    return new Copy(folder);
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }

  /** Ends the test that runs, so that an interrupted campaign leaves nothing behind. */
  stop(): void {
    if (this.#running?.pid !== undefined) process.kill(-this.#running.pid, 'SIGKILL');
  }

  /** Runs `work` in a copy that lacks one guard. */
  async without<T>(guard: Guard, work: () => Promise<T>): Promise<T> {
    const file = path.join(this.#folder, guard.file);
    const source = await readFile(file, 'utf8');
    await writeFile(file, withoutGuard(guard, source));
    try {
      return await work();
    } finally {
      await writeFile(file, source);
    }
  }

  /** Runs the tests of one file whose titles contain `title`. */
  async run({ file, title }: Guard['test']): Promise<TestRun> {
    const report = path.join(this.#folder, 'report.json');
    await rm(report, { force: true });
    const project = /^test\/(host|lab|oracle)\//.test(file) ? 'lab' : 'unit';
    const printed = await this.#vitest([
      ...['run', '--config', 'test/vitest.config.ts', '--project', project, file],
      ...['--testNamePattern', escaped(title)],
      ...['--reporter', 'json', '--outputFile', report],
    ]);
    try {
      return read(JSON.parse(await readFile(report, 'utf8')) as JsonReport);
    } catch {
      return { passed: [], failed: [], trouble: `there is no report; the end of the output: ${printed.slice(-400)}` };
    }
  }

  #vitest(args: readonly string[]): Promise<string> {
    const program = path.join(this.#folder, 'node_modules/vitest/vitest.mjs');
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [program, ...args], { cwd: this.#folder, detached: true });
      this.#running = child;
      let printed = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (printed += String(chunk)));
      const late = setTimeout(() => {
        this.stop();
      }, TEST_MS);
      child.on('error', reject);
      child.on('close', () => {
        clearTimeout(late);
        this.#running = null;
        resolve(printed);
      });
    });
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function read({ testResults }: JsonReport): TestRun {
  const results = testResults.flatMap((file) => file.assertionResults);
  return {
    passed: results.filter(({ status }) => status === 'passed').map(({ fullName }) => fullName),
    failed: results
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({ title: fullName, why: failureMessages[0] ?? '' })),
    trouble: results.length === 0 ? testResults.map(({ message }) => message).join('\n') : '',
  };
}
