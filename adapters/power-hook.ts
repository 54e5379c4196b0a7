import { execFile } from 'node:child_process';
import type { HostName } from '../domain/cluster.ts';
import type { Deadline } from './ports.ts';
import { AdapterFailure } from './ports.ts';

const POWER_MS = 60_000;

/**
 * Runs the inventory's hook, without a shell, `{host}` replaced by the host's name. Exit status 0 means: the host is off, for certain.
 * @returns what the hook printed, as the proof
 * @throws AdapterFailure `Unsafe` without a hook, `Unverified` when it does not confirm
 */
export function runPowerHook(hook: readonly string[] | null, host: HostName, deadline: Deadline = {}): Promise<string> {
  const [command, ...args] = (hook ?? []).map((word) => word.replaceAll('{host}', host));
  if (command === undefined)
    return Promise.reject(
      new AdapterFailure({
        type: 'Unsafe',
        host,
        message: `the inventory has no powerOff hook, so ${host} cannot be proven off`,
      }),
    );
  const { signal, timeoutMs = POWER_MS } = deadline;
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      { timeout: timeoutMs, ...(signal === undefined ? {} : { signal }) },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout.trim().slice(0, 200) || 'exit status 0');
          return;
        }
        const said = (stderr || stdout || error.message).trim().slice(0, 300);
        reject(
          new AdapterFailure({
            type: 'Unverified',
            host,
            message: `the power hook does not confirm that ${host} is off: ${said}`,
          }),
        );
      },
    );
  });
}
