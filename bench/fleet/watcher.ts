import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { plainEnvironment } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';
import { cpuSeconds } from './cpu.ts';
import { endWithUs } from './end-with-us.ts';

const program = path.join(projectFolder, 'dist', 'bin', 'standfast.js');

export interface WatcherPlace {
  /** For its log. */
  readonly folder: string;
  readonly temporal: string;
  readonly inventory: string;
  /** Before the program, for whoever wants a profile. */
  readonly nodeOptions: readonly string[];
}

/** The product's own watching process, as a user starts it. */
export class Watcher {
  readonly #process: ChildProcess;
  readonly #log: string;

  constructor({ folder, temporal, inventory, nodeOptions }: WatcherPlace) {
    this.#log = path.join(folder, 'watcher.log');
    const file = openSync(this.#log, 'w');
    this.#process = spawn(process.execPath, [...nodeOptions, program, 'worker', 'start', '--role', 'watch'], {
      env: { ...plainEnvironment, TEMPORAL_ADDRESS: temporal, STANDFAST_CONFIG: inventory },
      cwd: folder,
      stdio: ['ignore', file, file],
    });
    closeSync(file);
    endWithUs(this.#process);
  }

  cpuSeconds(): number {
    this.mustRun();
    return cpuSeconds(this.#process.pid ?? 0);
  }

  /** The most memory that it ever held, in MiB. Source: proc(5), /proc/PID/status, VmHWM. */
  peakMib(): number {
    this.mustRun();
    const status = readFileSync(`/proc/${String(this.#process.pid)}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024);
  }

  async end(): Promise<void> {
    if (!this.#isRunning()) return;
    this.#process.kill('SIGTERM');
    const giveUp = setTimeout(() => this.#process.kill('SIGKILL'), 15_000);
    await once(this.#process, 'exit');
    clearTimeout(giveUp);
  }

  #isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** @throws Error with the end of its log when it has ended */
  mustRun(): void {
    if (!this.#isRunning()) throw new Error(`the watcher ended:\n${readFileSync(this.#log, 'utf8').slice(-2_000)}`);
  }
}
