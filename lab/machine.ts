import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { addressOf, namespaceExists, plug, unplug } from './network.ts';
import { firstChild, isAlive, mark, processesOf, readIfThere, signalPid, type ProcessMark } from './processes.ts';
import { LabError, must, plainEnvironment, run, until, type RunOptions, type RunResult } from './run.ts';
import { projectFolder, type LabState } from './state.ts';
import { storageOf } from './storage.ts';

export type HostProcess = 'mariadbd' | 'sshd' | 'keepalived';
export type HostSignal = 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';

/** The state that all parts of one lab share; only `Lab` replaces it. */
export interface LabContext {
  readonly state: LabState;
  change(change: Partial<LabState>): void;
}

/** A place on the lab's network with the machine's own files and processes: an application, the control plane. */
export class Seat {
  readonly name: string;
  readonly address: string;
  readonly namespace: string;

  constructor(state: LabState, name: string) {
    this.name = name;
    this.address = addressOf(state, name);
    this.namespace = `${state.name}-${name}`;
  }

  exec(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run([...this.#enter(), ...argv], { env: process.env, ...options });
  }

  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...args] = [...this.#enter(), ...argv];
    return spawn(program, args, options);
  }

  #enter(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.namespace}`, '--'];
  }
}

/** A database host: its own root file system, processes, name and network, and a power switch. */
export class Host {
  readonly name: string;
  readonly address: string;
  readonly #context: LabContext;

  constructor(context: LabContext, name: string) {
    this.name = name;
    this.address = addressOf(context.state, name);
    this.#context = context;
  }

  /** Runs a program on the host, as root, to its end. */
  exec(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run([...this.#enter(), ...argv], options);
  }

  /** Starts a program on the host. It ends with the host, and with the returned process. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...args] = [...this.#enter(), ...argv];
    return spawn(program, args, { env: plainEnvironment, ...options });
  }

  /** Rows of one or more statements, run as root through the server's socket. */
  async sql(statement: string, options: { readonly timeoutMs?: number } = {}): Promise<readonly (readonly string[])[]> {
    const argv = [...this.#enter(), 'mariadb', '--batch', '--skip-column-names', '--default-character-set=utf8mb4'];
    const output = await must(argv, { input: statement, timeoutMs: options.timeoutMs ?? 60_000 });
    return output
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
  }

  isOn(): boolean {
    return this.#marks().some(isAlive);
  }

  /** Kills everything on the host at once, as a cut power cord does. Returns when nothing of it is left. */
  async powerOff(): Promise<void> {
    await must([path.join(this.#context.state.folder, 'etc', 'power'), 'off', this.name], { timeoutMs: 15_000 });
  }

  /** Boots the host from the same disk. Returns when all enabled services have started or failed to. */
  async powerOn(): Promise<void> {
    if (this.isOn()) return;
    const { state } = this.#context;
    const namespace = `${state.name}-${this.name}`;
    if (namespaceExists(namespace)) await unplug(state, namespace);
    await plug(state, this.name);
    const log = path.join(state.folder, 'run', `${this.name}.log`);
    const output = openSync(log, 'w');
    const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', ...bootCommand([])], {
      env: { ...plainEnvironment, ...bootEnvironment(state, this.name) },
      cwd: '/',
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    child.unref();
    const outer = await spawned(child);
    const failed = (): LabError => new LabError(`host ${this.name} did not boot:\n${readIfThere(log) ?? ''}`);
    const init = await until(`first process of ${this.name}`, () => {
      if (child.exitCode !== null || child.signalCode !== null) throw failed();
      const pid = firstChild(outer);
      return pid === undefined ? undefined : mark(pid);
    });
    const marks = [mark(outer), init].filter((one) => one !== undefined);
    writeFileSync(
      this.#file(),
      marks.map((one, index) => `${index === 0 ? 'outer' : 'init'} ${String(one.pid)} ${one.start}\n`).join(''),
    );
    await until(
      `boot of ${this.name}`,
      () => {
        if (!isAlive(init)) throw failed();
        return existsSync(`/proc/${String(init.pid)}/root/run/lab-booted`) ? true : undefined;
      },
      120_000,
    );
  }

  /** Signals all processes of that name on the host; answers how many there were. */
  signal(name: HostProcess, signal: HostSignal): number {
    const init = this.#init();
    return processesOf(init.pid, name).filter((pid) => signalPid(pid, signal)).length;
  }

  /** Numbers, as the machine sees them, of the host's processes of that name. */
  processes(name: string): readonly number[] {
    return this.isOn() ? processesOf(this.#init().pid, name) : [];
  }

  #file(): string {
    return path.join(this.#context.state.folder, 'run', this.name);
  }

  #marks(): readonly ProcessMark[] {
    const lines = (readIfThere(this.#file()) ?? '').split('\n').filter(Boolean);
    return lines.map((line) => line.split(' ')).map(([, pid = '0', start = '']) => ({ pid: Number(pid), start }));
  }

  #init(): ProcessMark {
    const init = this.#marks()[1];
    if (init === undefined || !isAlive(init)) {
      throw new LabError(
        `host ${this.name} is off; nothing was done. Switch it on first (npm run lab -- power ${this.name} on).`,
      );
    }
    return init;
  }

  #enter(): readonly string[] {
    const pid = String(this.#init().pid);
    // Without setpriv, killing the entered program from outside would leave it running on the host.
    return [
      'nsenter',
      `--target=${pid}`,
      '--mount',
      '--uts',
      '--net',
      '--pid',
      '--wdns=/',
      '--',
      'setpriv',
      '--pdeathsig=KILL',
      '--',
    ];
  }
}

async function spawned(child: ChildProcess): Promise<number> {
  if (child.pid !== undefined) return child.pid;
  const error = await new Promise<Error>((resolve) => child.once('error', resolve));
  throw new LabError(`a host could not be started: ${error.message}`, { cause: error });
}

function bootCommand(program: readonly string[]): readonly string[] {
  const boot = path.join(projectFolder, 'lab', 'host', 'boot.sh');
  return ['unshare', '--mount', '--pid', '--uts', '--fork', '--kill-child', 'bash', boot, ...program];
}

/** Where a host's own changes are; `base` is the layer under all hosts. */
export function upperOf(state: LabState, host: string): string {
  return host === 'base' ? path.join(storageOf(state), 'base') : path.join(storageOf(state), 'hosts', host, 'upper');
}

/** Makes the folders of the overlay and says where they are. */
function bootEnvironment(state: LabState, host: string): NodeJS.ProcessEnv {
  const saved = state.layers.map((layer) => path.join(storageOf(state), 'saved', layer, host));
  const lower = host === 'base' ? ['/'] : [...saved, upperOf(state, 'base'), '/'];
  const upper = upperOf(state, host);
  const work = path.join(storageOf(state), 'work', host);
  const root = path.join(state.folder, 'hosts', host);
  // A work folder of an earlier boot may still be in use by an overlay that is being unmounted.
  rmSync(work, { recursive: true, force: true });
  for (const folder of [upper, work, root]) mkdirSync(folder, { recursive: true });
  return {
    LAB_HOST: host,
    LAB_LOWER: lower.join(':'),
    LAB_UPPER: upper,
    LAB_WORK: work,
    LAB_ROOT: root,
    LAB_PROJECT: projectFolder,
    LAB_FOLDER: state.folder,
  };
}

/** Runs one program as the first of a host that exists only for that; what it changes stays on the host's disk. */
export async function runInImage(
  state: LabState,
  host: string,
  job: { argv: readonly string[]; input?: string },
): Promise<string> {
  const env = { ...plainEnvironment, ...bootEnvironment(state, host) };
  return await must(bootCommand(job.argv), { env, input: job.input ?? '', timeoutMs: 120_000 });
}
