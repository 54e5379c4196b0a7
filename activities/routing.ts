import { randomUUID } from 'node:crypto';
import type { ClusterPorts, HelperAnswerFields } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { writeHeartbeat } from '../adapters/mariadb-heartbeat.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { Authority } from './authority.ts';
import { glance, LOOK_MS, takesNoPart } from './asking.ts';

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
    if (takesNoPart(error)) return null;
    throw error;
  }
}

/**
 * Proof from outside: no other member hears another hardware address, and a write through the VIP is committed by that server. Clients come back in this
 * instant, so it asks no more than that.
 * @returns what is heard beside it, when the old primary may still hold the address and cannot be made to drop it
 */
export async function proveVip(authority: Authority, { host, deposed }: Route): Promise<string | null> {
  const { cluster } = authority;
  const asked = memberNames(cluster.description).filter((member) => member !== whoIsDown(deposed));
  const [own, ...others] = await Promise.all([
    hear(cluster, host),
    ...asked.filter((member) => member !== host).map((member) => hear(cluster, member)),
  ]);
  if (own?.holdsVip !== true)
    throw new AdapterFailure({ type: 'Unverified', host, message: `${host} does not say that it holds the VIP` });
  // Who hears nobody may be cut off itself, and says nothing.
  const second = others.find((heard) => heard !== null && heard.mac !== '' && heard.mac !== own.mac) ?? null;
  const sentence = second === null ? null : `${second.member} hears ${second.mac} for the VIP, not ${host}`;
  if (sentence !== null && deposed?.isDown !== false)
    throw new AdapterFailure({ type: 'Unverified', host, message: sentence });
  if (sentence !== null) return sentence;
  const { serverId } = await authority.statusOf(host);
  const session = await cluster.vipSession();
  try {
    const server = await writeHeartbeat(session, { route: 'vip', token: randomUUID() }, PROVE_MS);
    if (server !== serverId)
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

interface Heard {
  readonly member: HostName;
  readonly holdsVip: boolean;
  /** Hardware address, in lower case; empty: nobody answers for the VIP. */
  readonly mac: string;
}

/** Null: the member does not say. */
async function hear(cluster: ClusterPorts, member: HostName): Promise<Heard | null> {
  const { address, interface: device } = cluster.vip;
  const probe = cluster
    .helper(member)
    .request('vip-probe', { vip: address, interface: device }, { timeoutMs: LOOK_MS });
  const { vip, mac = '' } = await probe.catch(unlessSilent);
  return vip === undefined ? null : { member, holdsVip: vip === 'yes', mac: mac.toLowerCase() };
}

function unlessSilent(error: unknown): HelperAnswerFields {
  if (takesNoPart(error)) return {};
  throw error;
}
