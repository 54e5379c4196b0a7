import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Lab } from './lab.ts';
import type { Host } from './machine.ts';
import { LabError } from './run.ts';

const LIBRARIES = '/usr/lib';
/** What the library leaves behind of a process that is killed; another one of that number could not start. */
const LEFT_BEHIND = ['/dev/shm/faketime_shm_', '/dev/shm/sem.faketime_sem_'];

/** A wall clock of their own for the processes that are started with it, to be set while they run. Their monotonic clock stays the machine's. */
export class WallClock {
  readonly environment: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(lab: Lab) {
    this.#file = path.join(lab.folder, 'run', 'wall-clock');
    this.set(0);
    this.environment = {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** @param seconds ahead of the machine's clock; behind it, when negative */
  set(seconds: number): void {
    const draft = `${this.#file}.new`;
    writeFileSync(draft, `${seconds < 0 ? '-' : '+'}${String(Math.abs(seconds))}s\n`);
    renameSync(draft, this.#file);
  }

  /** After the end of the process that was started with it. */
  forget(pid: number): void {
    for (const file of LEFT_BEHIND) rmSync(`${file}${String(pid)}`, { force: true });
  }
}

/**
 * A wall clock of its own for a whole host: for what is started there from now on, the sessions of sshd and its helper among them, not for a server that
 * runs. It stays on the host's disk.
 * @param seconds ahead of the machine's clock
 */
export async function setClockAhead(host: Host, seconds: number): Promise<void> {
  const put = async (file: string, line: string): Promise<void> => {
    const done = await host.exec(['tee', file], { input: `${line}\n` });
    if (done.exitCode !== 0) throw new LabError(`the clock of ${host.name} was not set: ${done.stderr.trim()}`);
  };
  await put('/etc/faketimerc', `+${String(seconds)}s`);
  await put('/etc/ld.so.preload', library());
}

function library(): string {
  const found = readdirSync(LIBRARIES)
    .map((folder) => path.join(LIBRARIES, folder, 'faketime', 'libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new LabError('no clock can be set for one process alone: the Debian package libfaketime is missing');
}
