import { isIPv4 } from 'node:net';
import type { ClassicHost } from '../adapters/classic-host.ts';
import type { VrrpInstance } from '../adapters/keepalived-file.ts';
import type { Draft, DraftHost, Drafted } from '../inventory/draft.ts';
import type { DiscoveredHost } from './discovery.ts';
import { filesOf, innerFoldersOf, unreadOf } from './drafting-files.ts';

export interface DraftOrder {
  readonly cluster: string;
  /** As it was typed. */
  readonly from: string;
  readonly at: string;
  readonly sshPort: number;
}

const SYSTEM_DATABASES = new Set(['information_schema', 'mysql', 'performance_schema', 'sys', 'standfast']);
/** For documentation (RFC 5737): nobody has it. */
const NOBODYS_ADDRESS = '192.0.2.1/24';

/** What was found, as an inventory; whatever a person has to find out is marked. */
export function draftFrom(found: readonly DiscoveredHost[], order: DraftOrder): Draft {
  const primaryFirst = found.toSorted((one, other) => rankOf(one) - rankOf(other));
  const primary = primaryFirst.find(isPrimary);
  const server = primary?.facts?.server ?? null;
  return {
    from: order.from,
    at: order.at,
    cluster: order.cluster,
    hosts: hostsFrom(primaryFirst, order),
    vip: vipFrom(primaryFirst),
    mode:
      server?.waitsForAck === true
        ? { value: 'semisync', because: 'as it runs now' }
        : {
            value: 'async',
            because: 'as it runs now; semisync keeps the loss of the primary from losing what was acknowledged',
          },
    filters: filtersOf(primaryFirst),
    replicationUser: userOf(primaryFirst),
    files: filesOf(primaryFirst),
    unread: unreadOf(primaryFirst),
    remarks: remarksOf(primaryFirst),
  };
}

const isPrimary = ({ facts }: DiscoveredHost): boolean => facts?.server?.source === null;
const rankOf = (host: DiscoveredHost): number => (host.facts === null ? 2 : isPrimary(host) ? 0 : 1);

/** As the hosts call themselves, made fit; whoever was not read gets a number. */
function namesOf(hosts: readonly DiscoveredHost[]): readonly (readonly [string, DiscoveredHost])[] {
  const taken = new Set<string>();
  return hosts.map((host, index) => {
    const own = (host.facts?.hostname ?? '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '')
      .slice(0, 50);
    const name = own === '' || taken.has(own) ? `${own === '' ? 'db' : `${own}-`}${String(index + 1)}` : own;
    taken.add(name);
    return [name, host] as const;
  });
}

function hostsFrom(hosts: readonly DiscoveredHost[], { sshPort }: DraftOrder): readonly DraftHost[] {
  const vips = hosts
    .flatMap(({ facts }) => instancesOf(facts))
    .flatMap(({ addresses }) => addresses.map((one) => one.address));
  const ids = new Set<number>();
  const addresses = new Set<string>();
  return namesOf(hosts).map(([name, host], index) => {
    const server = host.facts?.server ?? null;
    const priority = instancesOf(host.facts)[0]?.priority ?? null;
    const serverId = serverIdFrom(server?.serverId ?? 0, ids);
    const address = addressFrom(host, { taken: [...vips, ...addresses], index });
    ids.add(serverId.value);
    addresses.add(address.value);
    return {
      name,
      address,
      rank:
        priority === null || priority > 1000 ? null : { value: priority, because: 'the priority of its keepalived' },
      serverId,
      port: server?.port ?? 3306,
      sshPort,
    };
  });
}

function serverIdFrom(found: number, taken: ReadonlySet<number>): Drafted<number> {
  if (found > 0 && !taken.has(found)) return { value: found };
  let free = 1;
  while (taken.has(free)) free += 1;
  const why =
    found > 0
      ? `the server says ${String(found)}, as another one does; each needs its own`
      : 'its server_id was not read';
  return { value: free, todo: why };
}

/** Also one that was reached by the VIP, or is known by a name alone. */
function addressFrom(
  { address, facts, silence }: DiscoveredHost,
  { taken, index }: { readonly taken: readonly string[]; readonly index: number },
): Drafted<string> {
  const usable = (one: string): boolean => isIPv4(one) && !taken.includes(one) && !one.startsWith('127.');
  if (usable(address))
    return silence === null ? { value: address } : { value: address, todo: `it was not read: ${silence}` };
  const own = facts?.addresses.find((one) => usable(one.address));
  if (own !== undefined) return { value: own.address, todo: `it was reached as ${address}, which is not its own` };
  return {
    value: `192.0.2.${String(10 + index)}`,
    todo: `the address of ${address}${silence === null ? '' : `; it was not read: ${silence}`}`,
  };
}

const instancesOf = (facts: ClassicHost | null): readonly VrrpInstance[] => facts?.keepalived?.instances ?? [];

const INTERFACE = /^[A-Za-z0-9._-]{1,15}$/;

function vipFrom(hosts: readonly DiscoveredHost[]): Draft['vip'] {
  const [instance] = hosts.flatMap(({ facts }) => instancesOf(facts)).filter(({ addresses }) => addresses.length > 0);
  const found = instance?.addresses[0];
  const networks = hosts.flatMap(({ address, facts }) =>
    (facts?.addresses ?? []).filter((own) => own.address === address),
  );
  const device = found?.device ?? instance?.interface ?? networks[0]?.device ?? '';
  const routerId = instance?.routerId ?? 0;
  return {
    address: vipAddressFrom(found ?? null, networks.find((own) => own.device === device)?.prefix ?? 24),
    interface: interfaceFrom(device, instance !== undefined),
    routerId:
      routerId >= 1 && routerId <= 255
        ? { value: routerId, because: 'keepalived.conf' }
        : { value: 51, todo: 'a VRRP router ID that nobody else on this network uses' },
  };
}

function interfaceFrom(device: string, isConfigured: boolean): Drafted<string> {
  if (!INTERFACE.test(device)) return { value: 'eth0', todo: 'the interface that holds it' };
  if (isConfigured) return { value: device, because: 'keepalived.conf' };
  return { value: device, todo: 'the interface that holds it; this is the one of the hosts themselves' };
}

function vipAddressFrom(found: VrrpInstance['addresses'][number] | null, networkPrefix: number): Drafted<string> {
  if (found === null || !isIPv4(found.address))
    return { value: NOBODYS_ADDRESS, todo: 'the floating address, with its prefix; no keepalived.conf names one' };
  const { address, prefix } = found;
  if (prefix !== null && prefix >= 1 && prefix <= 32)
    return { value: `${address}/${String(prefix)}`, because: 'keepalived.conf' };
  const todo = 'its prefix; keepalived.conf has none, and this is the one of the network';
  return { value: `${address}/${String(networkPrefix)}`, todo };
}

function filtersOf(hosts: readonly DiscoveredHost[]): Draft['filters'] {
  const servers = hosts.flatMap(({ facts }) => (facts?.server === null || facts === null ? [] : [facts.server]));
  const filtered = [...new Set(servers.flatMap((server) => server.filtered))];
  if (filtered.length === 0) return null;
  const others = [...new Set(servers.flatMap((server) => server.databases))].filter(
    (name) => !SYSTEM_DATABASES.has(name) && !filtered.includes(name),
  );
  const dropped = others.length === 0 ? '' : `, such as those to ${others.join(', ')}`;
  return `take these filters out of the servers, they drop writes silently${dropped}: only ${filtered.join(', ')} (binlog_do_db or replicate_do_db)`;
}

function userOf(hosts: readonly DiscoveredHost[]): Drafted<string> {
  const user = hosts
    .map(({ facts }) => facts?.server?.source?.user)
    .find((name) => name !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name));
  return user === undefined
    ? { value: 'repl', todo: 'the account that replicas log in with' }
    : { value: user, because: 'what the replicas log in with' };
}

function remarksOf(hosts: readonly DiscoveredHost[]): readonly string[] {
  const read = hosts.flatMap(({ address, facts }) => {
    if (facts === null) return [];
    const { server, serverSilence, hostname, keepalived } = facts;
    return [
      ...(server === null ? [`${hostname} (${address}): no server was read: ${serverSilence ?? ''}`] : []),
      ...(server === null
        ? []
        : [
            `${hostname} (${address}): MariaDB ${server.version}, ${server.source === null ? 'replicates from nobody' : `replicates from ${server.source.host}`}${server.isReadOnly ? ', read-only' : ''}`,
          ]),
      ...(keepalived === null ? [`${hostname} (${address}): no keepalived.conf was read`] : []),
    ];
  });
  return [...read, ...innerFoldersOf(hosts)];
}
