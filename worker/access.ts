import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { KnownHostEntry } from '../adapters/known-hosts.ts';
import { KnownHostsError, parseKnownHosts } from '../adapters/known-hosts.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';

/** @throws AdapterFailure `BadInput`: asking again reads it no better, a person has to mend the file */
export async function pinnedKeysIn(file: string, host: HostName): Promise<readonly KnownHostEntry[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'));
  } catch (error) {
    const { says, fix } = explainPins(file, error);
    throw unusable('access.ssh.knownHosts', host, new Error(`${says}; ${fix}`, { cause: error }));
  }
}

/** Why the file of pinned keys cannot be used, and what mends it. @throws `error` when it is not of the file */
export function explainPins(file: string, error: unknown): { readonly says: string; readonly fix: string } {
  if (error instanceof KnownHostsError)
    return { says: `${file}: ${error.message}`, fix: 'mend that line, or remove it' };
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const fix = code === 'ENOENT' ? howToPin(file) : 'let the user of this process read it';
  return { says: `${file} cannot be read (${code})`, fix };
}

export const howToPin = (file: string): string =>
  `pin the hosts' keys in it: ssh-keyscan -t ed25519 ADDRESS >> ${file}, and compare with what each host shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)`;

/** Something that the inventory leads to cannot be used here. */
export const unusable = (place: string, host: HostName, cause: Error): AdapterFailure =>
  new AdapterFailure({
    type: 'BadInput',
    host,
    message: `${place} of the inventory cannot be used on the worker ${hostname()}: ${cause.message}. Then start again`,
    facts: { about: 'configuration' },
    cause,
  });
