import type { FaultPath, PathFault } from './faults.ts';
import { at, entries } from './untyped.ts';

interface Claim {
  readonly path: FaultPath;
  readonly value: unknown;
}

const isPlain = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

/** The second and later ones with the same value, each naming the first. */
export function repeated(claims: readonly Claim[], what: string): PathFault[] {
  const holders = new Map<unknown, Claim>();
  return claims.flatMap((claim) => {
    const { path, value } = claim;
    const holder = holders.get(value);
    if (holder === undefined) holders.set(value, claim);
    if (holder === undefined || !isPlain(value)) return [];
    const message = `${path.join('.')}: found ${String(value)}, which is the ${what} of ${holder.path.slice(0, -1).join('.')} too; each needs its own`;
    return [{ path, message }];
  });
}

const bare = (vip: unknown): unknown => (typeof vip === 'string' ? vip.split('/')[0] : undefined);

export function repeatedAddresses(data: unknown): PathFault[] {
  const clusters = entries(at(data, 'clusters'));
  const addresses = (section: 'hosts' | 'witnesses', name: string, cluster: unknown): Claim[] =>
    entries(at(cluster, section)).map(([member, value]) => ({
      path: ['clusters', name, section, member, 'address'],
      value: at(value, 'address'),
    }));
  const taken = [
    ...clusters.flatMap(([name, cluster]) => addresses('hosts', name, cluster)),
    ...clusters.map(([name, cluster]) => ({
      path: ['clusters', name, 'vip', 'address'],
      value: bare(at(at(cluster, 'vip'), 'address')),
    })),
  ];
  // A witness may serve several clusters, but it is no database host of any: one death would take two votes.
  const ofWitnesses = clusters
    .map(([name, cluster]) => addresses('witnesses', name, cluster))
    .filter((witnesses) => witnesses.length > 0)
    .flatMap((witnesses) => repeated([...taken, ...witnesses], 'address'))
    .filter((fault) => fault.path[2] === 'witnesses');
  return [...repeated(taken, 'address'), ...ofWitnesses];
}

/** Two VRRP instances with one router ID in one network answer for each other. */
export function repeatedRouters(data: unknown): PathFault[] {
  const claims = entries(at(data, 'clusters')).flatMap(([cluster, value]) => {
    const [vip, routerId] = [at(at(value, 'vip'), 'address'), at(at(value, 'vip'), 'routerId')];
    const network = typeof vip === 'string' ? networkOf(vip) : null;
    if (network === null || typeof routerId !== 'number') return [];
    return [{ path: ['clusters', cluster, 'vip', 'routerId'], value: `${String(routerId)} in the network ${network}` }];
  });
  return repeated(claims, 'router ID');
}

function networkOf(vip: string): string | null {
  const parsed = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(vip);
  if (parsed === null) return null;
  const [bytes, prefix] = [parsed.slice(1, 5).map(Number), Number(parsed[5])];
  const masked = bytes.map((byte, index) => byte & ~(255 >> Math.min(8, Math.max(0, prefix - 8 * index))));
  return `${masked.join('.')}/${String(prefix)}`;
}
