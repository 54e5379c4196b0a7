import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Lab } from './lab.ts';
import { isAlive, mark } from './processes.ts';
import { LabError, plainEnvironment, until } from './run.ts';
import { projectFolder } from './state.ts';

export interface WorkerOptions {
  /** Temporal's address inside the control seat. */
  readonly temporal: string;
  /** `activity:before|after` or `activity.step:before|after`, several with commas: it stops at each until it is released. */
  readonly holdAt?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** One process alone, `runbooks` unless given: it can be killed, and frozen, by itself. `both`: what a user starts, with a process for each. */
  readonly role?: WorkerRole;
  /** Of the role `observe`. That worker has the application's seat, where Temporal has to be lent to. */
  readonly site?: string;
}

export type WorkerRole = 'runbooks' | 'watch' | 'both' | 'observe';

const program = path.join(projectFolder, 'dist', 'bin', 'standfast.js');
const START_MS = 30_000;

/** The product's worker as a process of the control seat, or of another, which can be killed like any other. */
export class LabWorker {
  readonly name: string;
  readonly role: WorkerRole;
  readonly #process: ChildProcess;
  readonly #log: string;

  private constructor({ name, role }: Pick<LabWorker, 'name' | 'role'>, child: ChildProcess, log: string) {
    this.name = name;
    this.role = role;
    this.#process = child;
    this.#log = log;
  }

  /** Starts it and waits until it polls. */
  static async start(lab: Lab, name: string, options: WorkerOptions): Promise<LabWorker> {
    const log = path.join(lab.folder, 'run', `worker-${name}.log`);
    const file = openSync(log, 'w');
    const { role = 'runbooks', site } = options;
    const what = [...(role === 'both' ? [] : ['--role', role]), ...(site === undefined ? [] : ['--site', site])];
    const child = lab[role === 'observe' ? 'app' : 'control'].spawn(
      [process.execPath, program, 'worker', 'start', ...what],
      {
        env: {
          ...plainEnvironment,
          TEMPORAL_ADDRESS: options.temporal,
          STANDFAST_CONFIG: lab.etc('standfast.yaml'),
          ...(options.holdAt === undefined ? {} : { STANDFAST_HOLD_AT: options.holdAt }),
          ...options.environment,
        },
        cwd: '/',
        detached: true,
        stdio: ['ignore', file, file],
      },
    );
    closeSync(file);
    child.unref();
    const worker = new LabWorker({ name, role }, child, log);
    const known = child.pid === undefined ? undefined : mark(child.pid);
    if (known === undefined) throw new LabError(`the worker ${name} did not start`);
    lab.change({ processes: [...lab.state.processes.filter(isAlive), known] });
    await worker.says(/Worker state changed.*RUNNING|"RUNNING"/);
    return worker;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Whether this is the worker that Temporal knows by that identity. */
  isCalled(identity: string | undefined): boolean {
    return identity?.endsWith(`/${String(this.pid)}`) === true;
  }

  isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** Waits for a line of its log. */
  async says(pattern: RegExp, timeoutMs = START_MS): Promise<void> {
    const spoken = (): true | undefined => {
      if (pattern.test(this.log())) return true;
      if (!this.isRunning()) throw new LabError(`the worker ${this.name} ended:\n${this.log().slice(-2000)}`);
      return undefined;
    };
    await until(`${String(pattern)} from worker ${this.name}`, spoken, timeoutMs);
  }

  /** Waits until it stands still at that point. */
  async held(at: string, timeoutMs = START_MS): Promise<void> {
    await this.says(new RegExp(`^held at ${at.replaceAll('.', '\\.')}$`, 'm'), timeoutMs);
  }

  /** Lets it go on from where it is held. */
  release(): void {
    this.#process.kill('SIGUSR2');
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#process.kill(signal);
  }

  /** Ends it, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }

  async ended(): Promise<void> {
    await until(`the end of worker ${this.name}`, () => (this.isRunning() ? undefined : true), START_MS);
  }
}
