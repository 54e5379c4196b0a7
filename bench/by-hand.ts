import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Lab } from '../lab/lab.ts';
import type { Host } from '../lab/machine.ts';

const LONGEST_MS = 1_800_000;

/** Of root, on the host that sends. */
export const KEY = '/root/.ssh/floor';

/** Runs what a person would write, as root. @throws Error with what it said */
export async function by(host: Host, script: string, input = ''): Promise<string> {
  const argv = ['bash', '-c', `set -euo pipefail\n${script}`];
  const { stdout, stderr, exitCode } = await host.exec(argv, { input, timeoutMs: LONGEST_MS });
  if (exitCode !== 0)
    throw new Error(`by hand on ${host.name}: exit code ${String(exitCode)}: ${stderr.slice(-2_000)}`);
  return stdout.trim();
}

/** Lets root of `from` in on `to`. */
export async function exchangeKeys(lab: Lab, from: string, to: string): Promise<void> {
  const make = `install -d -m 700 /root/.ssh\n[ -e ${KEY} ] || ssh-keygen -q -t ed25519 -N '' -C ${randomUUID()} -f ${KEY}\ncat ${KEY}.pub`;
  const key = await by(lab.host(from), make);
  await by(lab.host(from), `cat >/root/.ssh/known_hosts`, readFileSync(lab.etc('known_hosts'), 'utf8'));
  await by(lab.host(to), `install -d -m 700 /root/.ssh\ncat >/root/.ssh/authorized_keys`, `${key}\n`);
}
