import type { Lab } from '../../lab/lab.ts';
import { readIfThere, signalPid } from '../../lab/processes.ts';
import { until } from '../../lab/run.ts';

/** The running copy of a donor, stopped in the middle: its counter no longer reads, and everything before and behind it waits. */
export interface FrozenCopy {
  /** Bytes that have gone through it. */
  readonly bytes: () => number;
  /** The process that counts, as the machine numbers it: a copy that was begun again has another. */
  readonly counter: number;
  thaw(): void;
}

/** Stops the copy at its first bytes, and lets it go on in short pieces until the donor has sent more than `afterBytes`: all of it takes less than a second. */
export async function freezeCopy(lab: Lab, donor: string, afterBytes = 0): Promise<FrozenCopy> {
  // Before the first byte: all of a small one would be through between two looks.
  const counter = await until('a copy', () => {
    const [pid] = lab.host(donor).processes('dd');
    return pid !== undefined && signalPid(pid, 'SIGSTOP') ? pid : undefined;
  });
  await until(`${String(afterBytes)} bytes of a copy`, async () => {
    if (writtenBy(counter) > afterBytes) return true;
    process.kill(counter, 'SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 2));
    process.kill(counter, 'SIGSTOP');
    return undefined;
  });
  return {
    counter,
    bytes: () => writtenBy(counter),
    thaw: () => {
      process.kill(counter, 'SIGCONT');
    },
  };
}

/** 0: it has ended, or written nothing. */
const writtenBy = (pid: number): number =>
  Number(/^wchar: (\d+)$/m.exec(readIfThere(`/proc/${String(pid)}/io`) ?? '')?.[1] ?? 0);

/** No lock of a backup is left: any of its stages would make this wait. */
export async function expectDdlGoesOn(lab: Lab, host: string): Promise<void> {
  await lab.host(host).sql('CREATE TABLE shop.goes_on (id INT); DROP TABLE shop.goes_on', { timeoutMs: 5_000 });
}
