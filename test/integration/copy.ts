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

/** No lock of a backup is left: any of its stages would make this wait. */
export async function expectDdlGoesOn(lab: Lab, host: string): Promise<void> {
  await lab.host(host).sql('CREATE TABLE shop.goes_on (id INT); DROP TABLE shop.goes_on', { timeoutMs: 5_000 });
}
