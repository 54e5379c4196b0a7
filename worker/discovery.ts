import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import type { ClassicHost, RemoteRun } from '../adapters/classic-host.ts';
import { readClassicHost } from '../adapters/classic-host.ts';
import type { PlainSshAccess } from '../adapters/plain-ssh.ts';
import { PlainSsh, PlainSshError } from '../adapters/plain-ssh.ts';

/** A host of a running set-up, by the address at which it was reached, or is known to the others. */
export interface DiscoveredHost {
  readonly address: string;
  /** Null: it was not read, for the reason `silence`. */
  readonly facts: ClassicHost | null;
  readonly silence: string | null;
}

/** A host knows its source and its replicas; nobody has more of them than this. */
const MOST_HOSTS = 16;

/**
 * Reads a host, and then whom it replicates from and who replicates from it, until nobody new is named. Changes nothing on any of them.
 * @throws PlainSshError when the first one cannot be reached
 */
export async function discover(from: string, access: PlainSshAccess): Promise<readonly DiscoveredHost[]> {
  const ssh = await PlainSsh.open(access);
  try {
    return await follow(from, ssh);
  } finally {
    await ssh.close();
  }
}

async function follow(from: string, ssh: PlainSsh): Promise<readonly DiscoveredHost[]> {
  const start = await read(await addressOf(from), ssh);
  if (start.facts === null) throw new PlainSshError(start.silence ?? `${from} was not read`);
  const found = [start];
  for (let next = 0; next < found.length && found.length < MOST_HOSTS; next += 1)
    for (const name of neighboursOf(found[next]?.facts ?? null)) {
      const address = await addressOf(name).catch(() => name); // a name that only that host knows is told as it is
      if (!found.some((one) => isAt(one, address))) found.push(await read(address, ssh));
    }
  return found;
}

const isAt = ({ address, facts }: DiscoveredHost, other: string): boolean =>
  address === other || facts?.addresses.some((own) => own.address === other) === true;

const neighboursOf = (facts: ClassicHost | null): readonly string[] => {
  const server = facts?.server ?? null;
  if (server === null) return [];
  return [...(server.source === null ? [] : [server.source.host]), ...server.replicas];
};

async function addressOf(name: string): Promise<string> {
  if (isIPv4(name)) return name;
  try {
    return (await lookup(name, { family: 4 })).address;
  } catch (error) {
    throw new PlainSshError(`${name} has no IPv4 address here (${String((error as NodeJS.ErrnoException).code)})`);
  }
}

async function read(address: string, ssh: PlainSsh): Promise<DiscoveredHost> {
  try {
    const isRoot = (await ssh.run(address, ['id', '-u'])).stdout.trim() === '0';
    const run: RemoteRun = (argv) => ssh.run(address, isRoot ? argv : ['sudo', '-n', ...argv]);
    return { address, facts: await readClassicHost(run), silence: null };
  } catch (error) {
    if (!(error instanceof PlainSshError)) throw error;
    return { address, facts: null, silence: error.message };
  }
}
