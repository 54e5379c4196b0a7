import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parseKnownHosts } from '../adapters/known-hosts.ts';
import type { Check } from '../domain/checkup.ts';
import { fine, wrong } from '../domain/checkup.ts';
import type { ClusterConfig, Inventory } from '../inventory/config.ts';
import { resolveSecret, SecretError } from '../inventory/secrets.ts';
import { explainPins, howToPin } from './access.ts';

export const MACHINE = 'this machine';

/** What the hosts are reached with, as this user of this machine can read it: secrets and host keys. */
export async function examineMachine(
  { path, access }: Inventory,
  clusters: readonly ClusterConfig[],
): Promise<readonly Check[]> {
  const secrets: readonly (readonly [string, string])[] = [
    ['access.ssh.key', access.ssh.key],
    ['access.sql.password', access.sql.password],
    ...clusters.map(
      ({ name, replication }) => [`clusters.${name}.replication.user.password`, replication.user.password] as const,
    ),
  ];
  return [
    fine({ code: 'inventory', where: MACHINE }, `${path} loads (on ${hostname()})`),
    ...(await Promise.all(secrets.map(([place, reference]) => examineSecret(place, reference)))),
    await examineKnownHosts(access.ssh.knownHosts),
  ];
}

async function examineSecret(place: string, reference: string): Promise<Check> {
  const check = { code: 'secret', where: MACHINE };
  try {
    await resolveSecret(reference);
    return fine(check, `${place} can be read`);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    const [says = '', ...fix] = error.message.split('; ');
    return wrong(check, `${place}: ${says}`, fix.join('; ') || `mend ${place} in the inventory`);
  }
}

const WRITABLE_BY_OTHERS = 0o022;

async function examineKnownHosts(file: string): Promise<Check> {
  const check = { code: 'known-hosts', where: MACHINE };
  try {
    const { mode } = await stat(file);
    if ((mode & WRITABLE_BY_OTHERS) !== 0)
      return wrong(check, `${file} can be written by others, who could pin a key of theirs`, `chmod 644 ${file}`);
    const entries = parseKnownHosts(await readFile(file, 'utf8'));
    if (entries.length === 0) return wrong(check, `${file} pins no key`, howToPin(file));
    return fine(check, `${file} pins ${String(entries.length)} host key${entries.length === 1 ? '' : 's'}`);
  } catch (error) {
    const { says, fix } = explainPins(file, error);
    return wrong(check, says, fix);
  }
}
