import { existsSync } from 'node:fs';
import { must, run } from './run.ts';
import type { Cut, LabState } from './state.ts';

/** One private network, the same in every lab: its addresses exist only inside the lab's namespaces. */
export const network = { prefix: 24, vip: '10.77.0.50', mask: '10.77.0.%' } as const;

export function addressOf(state: Pick<LabState, 'hosts'>, name: string): string {
  if (name === 'app') return '10.77.0.21';
  if (name === 'control') return '10.77.0.31';
  return `10.77.0.${String(state.hosts.indexOf(name) + 1)}`;
}

export function namespaceExists(namespace: string): boolean {
  return existsSync(`/run/netns/${namespace}`);
}

/** `ip -batch` is one process for many commands. */
async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await must(['ip', ...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

export async function makeSwitch(state: LabState): Promise<void> {
  const name = `${state.name}-switch`;
  await ipBatch([`netns add ${name}`]);
  await ipBatch(
    ['link set lo up', 'link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0', 'link set br0 up'],
    name,
  );
  await applyCuts(state);
}

/** Makes the namespace of a host or seat with its own eth0, plugged into the switch. */
export async function plug(state: LabState, name: string): Promise<void> {
  const namespace = `${state.name}-${name}`;
  const address = addressOf(state, name);
  // The hardware address stays with the host when its namespace is made anew at power-on.
  const mac = `02:53:46:00:00:${Number(address.split('.')[3]).toString(16).padStart(2, '0')}`;
  await ipBatch([`netns add ${namespace}`]);
  await must([
    'nsenter',
    `--net=/run/netns/${namespace}`,
    'sysctl',
    '-q',
    '-w',
    'net.ipv6.conf.default.disable_ipv6=1',
  ]);
  await ipBatch(
    [`link add ${name} type veth peer name eth0 address ${mac} netns ${namespace}`],
    `${state.name}-switch`,
  );
  await ipBatch(
    ['link set lo up', `addr add ${address}/${String(network.prefix)} brd + dev eth0`, 'link set eth0 up'],
    namespace,
  );
  const up = state.linksDown.includes(name) ? 'down' : 'up';
  await ipBatch([`link set ${name} master br0`, `link set ${name} ${up}`], `${state.name}-switch`);
}

/** The switch's end of the cable, so that the host sees a lost carrier, and across power cycles. */
export async function setLink(state: LabState, name: string): Promise<void> {
  const namespace = `${state.name}-switch`;
  const present = await run(['ip', '-n', namespace, 'link', 'show', name]);
  if (present.exitCode !== 0) return;
  await ipBatch([`link set ${name} ${state.linksDown.includes(name) ? 'down' : 'up'}`], namespace);
}

/**
 * Cuts are made in the switch, by port: a host can neither see nor undo them, they hold for everything (ARP and VRRP too), and
 * they outlive a power cycle. The whole table is replaced at once.
 */
export async function applyCuts(state: LabState): Promise<void> {
  const rules = state.cuts.map(({ from, to, percent }: Cut) => {
    const drawn = percent === undefined ? '' : `numgen random mod 100 < ${String(percent)} `;
    return `iifname "${from}" oifname "${to}" ${drawn}drop`;
  });
  const table = [
    'add table bridge lab',
    'delete table bridge lab',
    'table bridge lab {',
    '  chain forward {',
    '    type filter hook forward priority 0; policy accept;',
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    '}',
  ];
  await must(['nsenter', `--net=/run/netns/${state.name}-switch`, 'nft', '-f', '-'], {
    input: `${table.join('\n')}\n`,
  });
}

export async function unplug(state: Pick<LabState, 'name'>, namespace: string): Promise<void> {
  const port = namespace.slice(state.name.length + 1);
  // Deleting the port first ends the link at once; the namespace itself is cleared by the kernel a little later.
  await run(['ip', '-n', `${state.name}-switch`, 'link', 'del', port]);
  if (namespaceExists(namespace)) await must(['ip', 'netns', 'del', namespace]);
}

export async function processesIn(namespace: string): Promise<readonly number[]> {
  if (!namespaceExists(namespace)) return [];
  return (await must(['ip', 'netns', 'pids', namespace])).split('\n').filter(Boolean).map(Number);
}
