import { randomUUID } from 'node:crypto';
import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { writeHeartbeat } from '../adapters/mariadb-heartbeat.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import { isAnswering } from '../domain/observation.ts';
import type { Authority } from './authority.ts';
import { glance } from './asking.ts';
import { observe } from './observing.ts';

const PROVE_MS = 5_000;

export interface Route {
  readonly host: HostName;
  /** The old primary of a failover. One that is down has no VIP; one that was only deprived of its ackers may still have it. */
  readonly deposed: { readonly host: HostName; readonly isDown: boolean } | null;
}

/** Drops the VIP wherever else it is, then puts it on `host`: no two holders, also for a moment. */
export async function moveVip(authority: Authority, route: Route): Promise<void> {
  await takeVip(authority, route, await dropVipElsewhere(authority, route));
}

/** @returns the role with which `host` may take it */
export async function dropVipElsewhere(authority: Authority, { host, deposed }: Route): Promise<number> {
  const { cluster } = authority;
  const others = memberNames(cluster.description).filter((member) => member !== host && member !== whoIsDown(deposed));
  const seen = await Promise.all(others.map(async (member) => ({ member, role: await roleOf(cluster, member) })));
  for (const { member, role } of seen)
    if (role !== null && (role.holdsVip || role.number > 0))
      await authority.order(member, 'vip-drop', placeOf(cluster));
  // Above every role that is not confirmed to be 0 now: a silent host may still show the one it had.
  const unconfirmed = seen.filter(({ role }) => role === null).length;
  if (unconfirmed === 0) return 1;
  const own = await roleOf(cluster, host);
  return Math.min(13, 1 + unconfirmed + (own?.number ?? 0));
}

export async function takeVip(authority: Authority, { host }: Route, role: number): Promise<void> {
  await authority.order(host, 'vip-take', { ...placeOf(authority.cluster), n: String(role) });
}

const placeOf = ({ vip }: ClusterPorts): Readonly<Record<string, string>> => ({
  vip: vip.address,
  prefix: String(vip.prefix),
  interface: vip.interface,
});

interface Role {
  readonly number: number;
  readonly holdsVip: boolean;
}

/** Null: the host does not say. */
async function roleOf(cluster: ClusterPorts, host: HostName): Promise<Role | null> {
  try {
    const { role = '0', vip } = await glance(cluster, host);
    return { number: Number(role), holdsVip: vip === 'yes' };
  } catch (error) {
    if (error instanceof AdapterFailure && (error.silence !== null || error.type === 'Unsafe')) return null;
    throw error;
  }
}

/**
 * Proof from outside: no other member hears another hardware address, and a write through the VIP is committed by that server.
 * @returns what is heard beside it, when the old primary may still hold the address and cannot be made to drop it
 */
export async function proveVip(authority: Authority, { host, deposed }: Route): Promise<string | null> {
  const { cluster } = authority;
  const seen = await observe(cluster, whoIsDown(deposed));
  const holder = seen.hosts.find((entry) => entry.host === host);
  if (holder === undefined || !isAnswering(holder.helper) || !isAnswering(holder.server))
    throw new AdapterFailure({ type: 'Unverified', host, message: `${host} stopped answering while it took the VIP` });
  const { mac } = holder.helper;
  const others = seen.hosts.filter((entry) => entry.host !== host && isAnswering(entry.helper));
  const heard = await Promise.all(
    others.map((entry) => hearOther(cluster, { observer: entry.host, holder: host, mac })),
  );
  const second = heard.find((sentence) => sentence !== null) ?? null;
  if (second !== null && deposed?.isDown !== false)
    throw new AdapterFailure({ type: 'Unverified', host, message: second });
  if (second !== null) return second;
  const session = await cluster.vipSession();
  try {
    const server = await writeHeartbeat(session, { route: 'vip', token: randomUUID() }, PROVE_MS);
    if (server !== holder.server.status.serverId)
      throw new AdapterFailure({
        type: 'Unverified',
        host,
        message: `a write through the VIP was ${server === null ? 'refused' : `committed by server ${String(server)}`}, not by ${host}`,
      });
    return null;
  } finally {
    session.close();
  }
}

const whoIsDown = (deposed: Route['deposed']): HostName | null => (deposed?.isDown === true ? deposed.host : null);

interface Hearing {
  readonly observer: HostName;
  readonly holder: HostName;
  readonly mac: string;
}

/** An observer that hears nobody may be cut off itself, and says nothing; one that hears another hardware address names a second holder. */
async function hearOther(cluster: ClusterPorts, { observer, holder, mac }: Hearing): Promise<string | null> {
  const { address, interface: device } = cluster.vip;
  const heard = (await cluster.helper(observer).request('vip-probe', { vip: address, interface: device }))['mac'] ?? '';
  if (heard === '' || heard.toLowerCase() === mac.toLowerCase()) return null;
  return `${observer} hears ${heard} for the VIP, not ${holder}`;
}
