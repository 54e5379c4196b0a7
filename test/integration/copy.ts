import { readFileSync } from 'node:fs';
import type { Lab } from '../../lab/lab.ts';
import { until } from '../../lab/run.ts';

/** The running copy of a donor, stopped in the middle: its counter no longer reads, and everything before and behind it waits. */
export interface FrozenCopy {
  /** Bytes that have gone through it. */
  readonly bytes: () => number;
  /** The process that counts, as the machine numbers it: a copy that was begun again has another. */
  readonly counter: number;
  thaw(): void;
}

/** Waits until the donor has sent more than `afterBytes`, and stops the copy there. */
export async function freezeCopy(lab: Lab, donor: string, afterBytes = 0): Promise<FrozenCopy> {
  const counter = await until('bytes of a copy', () => {
    const [pid] = lab.host(donor).processes('dd');
    if (pid === undefined || writtenBy(pid) <= afterBytes) return undefined;
    process.kill(pid, 'SIGSTOP');
    return pid;
  });
  return {
    counter,
    bytes: () => writtenBy(counter),
    thaw: () => {
      process.kill(counter, 'SIGCONT');
    },
  };
}

const writtenBy = (pid: number): number =>
  Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${String(pid)}/io`, 'utf8'))?.[1] ?? 0);

const PROGRAMS = ['mariadb-backup', 'mbstream', 'dd', 'ssh'];

/** What a copy may leave on a host: its processes, keys that let somebody in, folders of jobs and of the data directory. */
export async function tracesOfCopies(lab: Lab, host: string): Promise<readonly string[]> {
  const place = lab.host(host);
  const running = PROGRAMS.filter((name) => place.processes(name).length > 0);
  const keys = await place.exec(['sh', '-c', 'grep standfast-job- ~standfast/.ssh/authorized_keys']);
  const folders = await place.exec(['find', '/var/lib/standfast/jobs', '/var/lib/mysql/.standfast', '-mindepth', '1']);
  return [...running, ...keys.stdout.split('\n'), ...folders.stdout.split('\n')].filter((line) => line !== '');
}

/** Every file of the data directory with its owner and size. */
export async function dataDirectory(lab: Lab, host: string): Promise<readonly string[]> {
  const found = await lab.host(host).exec(['find', '/var/lib/mysql', '-mindepth', '1', '-printf', '%P %u %s\n']);
  return found.stdout.split('\n').sort();
}

/** No lock of a backup is left: any of its stages would make this wait. */
export async function expectDdlGoesOn(lab: Lab, host: string): Promise<void> {
  await lab.host(host).sql('CREATE TABLE shop.goes_on (id INT); DROP TABLE shop.goes_on', { timeoutMs: 5_000 });
}
