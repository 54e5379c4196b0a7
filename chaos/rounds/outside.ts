import type { Host } from '../../lab/machine.ts';
import type { Lab } from '../../lab/lab.ts';
import { LabError } from '../../lab/run.ts';

/** What a host is and does, asked of itself as root, and never of the product. */
export interface HostFacts {
  readonly host: string;
  readonly isOn: boolean;
  /** Null: no server answers on its socket. */
  readonly server: ServerFacts | null;
  readonly holdsVip: boolean;
  /** The product's own marks on it; null when they could not be read, as on a host that has no power. */
  readonly records: Readonly<Record<'epoch' | 'primary' | 'sync' | 'fenced', string>> | null;
}

export interface ServerFacts {
  readonly serverId: number;
  readonly readOnly: boolean;
  readonly binlogState: string;
  readonly channels: readonly Channel[];
}

export interface Channel {
  readonly sourceAddress: string;
  readonly receiver: string;
  readonly applier: string;
  readonly error: string;
}

/** A host that is only slow must not be taken for one that holds nothing. */
const ASK_MS = 60_000;
const TRIES = 3;
const RECORDS = ['epoch', 'primary', 'sync', 'fenced'] as const;
/** `fenced` is an empty file: that it is there is what it says. */
const LOOK = `ip -o -4 address show
cd /var/lib/standfast && for record in ${RECORDS.join(' ')}; do [ -e $record ] && echo "$record: $(cat $record) (there)"; done
echo looked`;

export async function factsOf(lab: Lab, name: string): Promise<HostFacts> {
  const host = lab.host(name);
  const [server, looked] = await Promise.all([serverFacts(host), lookAt(host)]);
  if (looked === null) return { host: name, isOn: host.isOn(), server, holdsVip: false, records: null };
  const nothing = { epoch: '', primary: '', sync: '', fenced: '' };
  const records = Object.fromEntries(RECORDS.map((record) => [record, valueIn(looked, record)]));
  return {
    ...{ host: name, isOn: true, server, holdsVip: looked.includes(` ${lab.vip}/`) },
    records: { ...nothing, ...records },
  };
}

/** Asked again when there is no answer: a host may lose its power, or be booting, at that very moment. */
async function lookAt(host: Host): Promise<string | null> {
  for (let tries = 0; tries < TRIES && host.isOn(); tries += 1) {
    const stdout = await answer(host, ['bash', '-c', LOOK]);
    if (stdout?.endsWith('looked\n') === true) return stdout;
  }
  return null;
}

/** Null: no end in time, or a bad one. */
async function answer(host: Host, argv: readonly string[]): Promise<string | null> {
  try {
    const { exitCode, stdout } = await host.exec(argv, { timeoutMs: ASK_MS });
    return exitCode === 0 ? stdout : null;
  } catch (error) {
    if (error instanceof LabError) return null;
    throw error;
  }
}

export const allFacts = (lab: Lab): Promise<readonly HostFacts[]> =>
  Promise.all(lab.hosts.map((host) => factsOf(lab, host.name)));

/** The only one that accepts writes; null when none does, or several do. */
export function primaryOf(hosts: readonly HostFacts[]): HostFacts | null {
  const [first, second] = hosts.filter(({ server }) => server !== null && !server.readOnly);
  return first === undefined || second !== undefined ? null : first;
}

export function followsSoundly({ server }: HostFacts, primary: HostFacts, hosts: readonly HostFacts[]): boolean {
  const [channel, ...more] = server?.channels ?? [];
  if (server === null || channel === undefined || more.length > 0) return false;
  const source = hosts.findIndex(({ host }) => host === primary.host) + 1;
  return (
    server.readOnly &&
    channel.sourceAddress.endsWith(`.${String(source)}`) &&
    channel.receiver === 'Yes' &&
    channel.applier === 'Yes'
  );
}

const GLOBALS = 'SELECT @@server_id, @@global.read_only, @@global.gtid_binlog_state';

async function serverFacts(host: Host): Promise<ServerFacts | null> {
  if (!host.isOn()) return null;
  const ask = (statement: string): Promise<string | null> => answer(host, ['mariadb', '-E', '-e', statement]);
  const [globals, channels] = await Promise.all([ask(GLOBALS), ask('SHOW ALL SLAVES STATUS')]);
  if (globals === null || channels === null) return null;
  return {
    serverId: Number(valueIn(globals, '@@server_id')),
    readOnly: valueIn(globals, '@@global.read_only') === '1',
    binlogState: valueIn(globals, '@@global.gtid_binlog_state'),
    channels: channels
      .split(/^\*{10,}.*$/m)
      .filter((part) => part.trim() !== '')
      .map(channelOf),
  };
}

const valueIn = (text: string, name: string): string =>
  text
    .split('\n')
    .map((line) => line.trimStart())
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2) ?? '';

const channelOf = (text: string): Channel => ({
  sourceAddress: valueIn(text, 'Master_Host'),
  receiver: valueIn(text, 'Slave_IO_Running'),
  applier: valueIn(text, 'Slave_SQL_Running'),
  error: [valueIn(text, 'Last_IO_Error'), valueIn(text, 'Last_SQL_Error')].filter(Boolean).join('; '),
});

/** Which host answers for the VIP at the applications' place, by its hardware address; null when none does. */
export async function answersForVip(lab: Lab): Promise<string | null> {
  const { stdout } = await lab.app.exec(['arping', '-c', '2', '-w', '2', '-I', 'eth0', lab.vip], { timeoutMs: 10_000 });
  const macs = new Set([...stdout.matchAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi)].map(([mac]) => mac.toLowerCase()));
  const hosts = lab.hosts.filter((host) => macs.has(macOf(host.address)));
  return hosts.length === 0 ? null : hosts.map((host) => host.name).join('+');
}

const macOf = (address: string): string =>
  `02:53:46:00:00:${Number(address.split('.')[3]).toString(16).padStart(2, '0')}`;
