import type { Passwords } from '../adapters/keepalived-configuration.ts';
import { readKeepalived } from '../adapters/keepalived-configuration.ts';
import { AUDITED_SETTINGS, nextStartFrom } from '../adapters/mariadb-audit.ts';
import type { ClusterPorts, HelperAnswerFields } from '../adapters/ports.ts';
import { AdapterFailure, isOfConfiguration } from '../adapters/ports.ts';
import type {
  BackupFacts,
  HostFacts,
  LinkFacts,
  MachineFacts,
  NextStart,
  RoundTrip,
  Seen,
} from '../domain/audit/facts.ts';
import { notSeen, seen } from '../domain/audit/facts.ts';
import type { KeepalivedConfiguration } from '../domain/audit/keepalived-facts.ts';
import type { HostName } from '../domain/cluster.ts';

const HOST_MS = 15_000;
/** The discard service: hardly anybody listens there, so the other kernel refuses, which takes one round trip. */
const NOBODYS_PORT = '9';

const linesOf = (text = ''): readonly string[] => text.split('\n').filter((line) => line !== '');
const numberOrNull = (text = ''): number | null => (text === '' ? null : Number(text));

/** What is not seen is an answer; a fault that is not the other side's goes on. */
export async function look<T>(question: () => Promise<T>): Promise<Seen<T>> {
  try {
    return seen(await question());
  } catch (error) {
    if (!(error instanceof AdapterFailure) || isOfConfiguration(error)) throw error;
    return notSeen(error.message);
  }
}

/** A helper of an earlier version does not know the words of an audit; `prepare` brings it to this one. */
async function ask(
  cluster: ClusterPorts,
  host: HostName,
  [verb, args]: readonly [string, Readonly<Record<string, string>>],
): Promise<HelperAnswerFields> {
  try {
    return await cluster.helper(host).request(verb, args, { timeoutMs: HOST_MS });
  } catch (error) {
    if (!(error instanceof AdapterFailure) || error.type !== 'BadInput' || !error.message.includes('there is no verb'))
      throw error;
    const message = `${host}: its host helper is of an earlier version, which cannot be audited; standfast prepare brings it to this one`;
    throw new AdapterFailure({ type: 'Unsafe', host, message, cause: error });
  }
}

export async function askMachine(cluster: ClusterPorts, host: HostName): Promise<MachineFacts> {
  const { version = '' } = await ask(cluster, host, ['hello', {}]);
  // Its clock is in a short answer, over a connection that stands.
  const askedMs = Date.now();
  const startedMs = performance.now();
  const { now } = await ask(cluster, host, ['hello', {}]);
  const tookMs = performance.now() - startedMs;
  // Last, since it takes long: what else is asked of this host at the same time waits for its turn.
  const said = await ask(cluster, host, ['audit-host', { interface: cluster.vip.interface }]);
  const serverMs = Number(now) / 1_000;
  return {
    machineId: said['machine'] ?? '',
    bootedAtSeconds: Number(said['boot_seconds']),
    linkMbits: numberOrNull(said['link_mbits']),
    serverProgram: said['server_program'] ?? '',
    keepalivedRuns: said['keepalived'] === 'running',
    addresses: (said['addresses'] ?? '').split(','),
    // It was read at some moment while the answer was made.
    clock: { offsetMs: serverMs - (askedMs + tookMs / 2), errorMs: tookMs / 2 },
    sudo: linesOf(said['sudo']),
    unrestrictedKeys: numberOrNull(said['unrestricted_keys']),
    sshd: sshdFrom(said['sshd']),
    modes: linesOf(said['modes']).map((line) => {
      const [mode = '', owner = '', ...path] = line.split(' ');
      return { mode, owner, path: path.join(' ') };
    }),
    helperVersion: version,
  };
}

function sshdFrom(text = ''): Readonly<Record<string, string>> | null {
  if (text === '') return null;
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return [name, value];
    }),
  );
}

export async function askNextStart(cluster: ClusterPorts, host: HostName): Promise<NextStart> {
  return nextStartFrom(await ask(cluster, host, ['audit-settings', { names: AUDITED_SETTINGS.join(',') }]));
}

export async function askKeepalived(
  cluster: ClusterPorts,
  host: HostName,
  passwords: Passwords,
): Promise<KeepalivedConfiguration> {
  return readKeepalived(await ask(cluster, host, ['audit-keepalived', {}]), passwords);
}

export async function askBackup(cluster: ClusterPorts, host: HostName): Promise<BackupFacts> {
  const { backup } = cluster.declared;
  if (backup === null) return { newest: null };
  const { newest = '', bytes = '', file = '' } = await ask(cluster, host, ['backup-age', { backup: backup.path }]);
  if (newest === '') return { newest: null };
  return { newest: { ageSeconds: Math.max(0, Date.now() / 1_000 - Number(newest)), bytes: Number(bytes), file } };
}

/** Between every two database hosts, both ways; one target after the other, so that its answers wait for nothing. From a host that is silent nobody can measure. */
export async function measureLinks(cluster: ClusterPorts, hosts: readonly HostFacts[]): Promise<readonly LinkFacts[]> {
  const databases = hosts.filter(({ isDatabase }) => isDatabase);
  const links: LinkFacts[] = [];
  for (const { host: to } of databases)
    links.push(
      ...(await Promise.all(
        databases
          .filter(({ host }) => host !== to)
          .map(async ({ host: from, machine }) => ({
            from,
            to,
            roundTrip: machine.kind === 'not-seen' ? machine : await look(() => measure(cluster, from, to)),
          })),
      )),
    );
  return links;
}

async function measure(cluster: ClusterPorts, from: HostName, to: HostName): Promise<RoundTrip> {
  const { address } = cluster.endpoint(to);
  const { samples = '' } = await ask(cluster, from, ['round-trip', { address, target_port: NOBODYS_PORT }]);
  return summary(samples.split(',').map((micros) => Number(micros) / 1_000));
}

/** The nearest rank: with 20 samples the 99th percentile is the slowest. */
export function summary(samplesMs: readonly number[]): RoundTrip {
  const sorted = samplesMs.toSorted((one, other) => one - other);
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50Ms: rank(0.5), p99Ms: rank(0.99), samples: sorted.length };
}
