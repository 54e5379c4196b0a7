import { createHash } from 'node:crypto';
import { field } from '../adapters/mariadb.ts';
import { readGrants } from '../adapters/mariadb-grants.ts';
import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { SshReason } from '../adapters/ssh-failure.ts';
import { SshFailure } from '../adapters/ssh-failure.ts';
import { HEARTBEAT_ACCOUNT, judgeGrants } from '../domain/accounts.ts';
import type { Check } from '../domain/checkup.ts';
import type {
  Found,
  HelperFacts,
  HostFacts,
  InstalledFacts,
  ServerFacts,
  Stopped,
  WayStep,
} from '../domain/checkup-host.ts';
import { isSupported, judgeHost } from '../domain/checkup-host.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost, memberNames } from '../domain/cluster.ts';
import type { Silence } from '../domain/observation.ts';
import type { ManagedCluster } from './inventory-source.ts';

const ASK_MS = 5_000;

/** Every member, at once. Changes nothing on any of them. */
export async function examineHosts(managed: ManagedCluster, cluster: ClusterPorts): Promise<readonly Check[]> {
  const checks = await Promise.all(
    memberNames(cluster.description).map(async (host) => judgeHost(await lookAt(host, { managed, cluster }))),
  );
  return checks.flat();
}

interface Looking {
  readonly managed: ManagedCluster;
  readonly cluster: ClusterPorts;
}

async function lookAt(host: HostName, looking: Looking): Promise<HostFacts> {
  const { cluster } = looking;
  const isDatabase = cluster.description.hosts.some(({ name }) => name === host);
  const [helper, server] = await Promise.all([
    askHelper(host, looking),
    isDatabase ? askServer(host, looking) : Promise.resolve(null),
  ]);
  return { cluster: cluster.description.cluster, host, helper, server };
}

async function askHelper(host: HostName, looking: Looking): Promise<HostFacts['helper']> {
  const helper = looking.cluster.helper(host);
  try {
    await helper.request('hello', {}, { timeoutMs: ASK_MS });
    // The connection stands now: its making would be taken for a difference of the clocks.
    const startedAt = Date.now();
    const hello = await helper.request('hello', {}, { timeoutMs: ASK_MS });
    const tookMs = Date.now() - startedAt;
    const facts: HelperFacts = {
      version: hello['version'] ?? '',
      wantedVersion: (await looking.cluster.helperScript()).version,
      // Both ends are read in whole milliseconds.
      clock: { offsetMs: Number(hello['now']) / 1000 - (startedAt + tookMs / 2), errorMs: tookMs / 2 + 1 },
      installed: await askInstalled(host, looking.cluster),
    };
    return { kind: 'found', facts };
  } catch (error) {
    if (!(error instanceof AdapterFailure)) throw error;
    return { kind: 'stopped', ...stoppedBy(error, looking, host) };
  }
}

/** Null: a helper of an earlier version does not know the question. */
async function askInstalled(host: HostName, cluster: ClusterPorts): Promise<InstalledFacts | null> {
  const wanted = cluster.description.hosts.some(({ name }) => name === host)
    ? cluster.keepalivedConfiguration(host)
    : null;
  try {
    const said = await cluster.helper(host).request('installed', {}, { timeoutMs: ASK_MS });
    return {
      keepalivedSha256: said['keepalived_sha256'] ?? '',
      wantedKeepalivedSha256: wanted === null ? null : sha256OfFile(wanted),
      hasDropin: said['dropin'] === 'yes',
      dropinFile: said['dropin_file'] ?? '',
      bootsClosed: said['boots'] === 'closed' ? true : said['boots'] === 'open' ? false : null,
      openedBy: said['opened_by'] ?? '',
      socketRoot: socketRootFrom(said['socket_root'] ?? ''),
    };
  } catch (error) {
    if (error instanceof AdapterFailure && error.type === 'BadInput') return null;
    throw error;
  }
}

const socketRootFrom = (said: string): InstalledFacts['socketRoot'] =>
  said === '' ? null : said === 'yes' ? 'in' : { denied: said };

/** As the helper writes it: with one line end at its end. */
const sha256OfFile = (content: string): string =>
  createHash('sha256')
    .update(`${content.replace(/\n$/, '')}\n`)
    .digest('hex');

const STEPS: Readonly<Record<SshReason, WayStep>> = {
  unpinned: 'host-key',
  'host-key': 'host-key',
  refused: 'ssh',
  silent: 'ssh',
  hung: 'ssh',
  closed: 'ssh',
  authentication: 'ssh-login',
  'not-installed': 'helper',
  protocol: 'helper',
};

/** What sudo says of an account without the rule. Source: sudo's auth and policy messages, in English and under LC_ALL=C. */
const SUDO_REFUSES = /password is required|is not in the sudoers|not allowed to (run|execute)|no tty present/;

function stoppedBy(error: AdapterFailure, { managed, cluster }: Looking, host: HostName): Stopped {
  if (!(error instanceof SshFailure)) {
    const fix = 'mend access.ssh of the inventory, or what it leads to';
    return { step: 'ssh-login', isOffline: true, says: error.message, fix };
  }
  const { reason, detail, what, remedy } = error;
  if (reason === 'not-installed' && SUDO_REFUSES.test(detail)) {
    const fix = `install the sudo rule of ${cluster.sshUser} as root on ${host} (adapters/host/install.sh)`;
    return { step: 'sudo', isOffline: false, says: what, fix };
  }
  const step = STEPS[reason];
  const fix = step === 'host-key' ? pinningOf(managed, host) : remedy;
  return { step, isOffline: reason === 'unpinned', says: what, fix };
}

function pinningOf({ config, access }: ManagedCluster, host: HostName): string {
  const member = [...config.hosts, ...config.witnesses].find(({ name }) => name === host);
  const scan = `ssh-keyscan -t ed25519 -p ${String(member?.sshPort ?? 22)} ${member?.address ?? host}`;
  return `find out which key is its own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on ${host}), and only then: ${scan} >> ${access.ssh.knownHosts}`;
}

async function askServer(host: HostName, { managed, cluster }: Looking): Promise<Found<ServerFacts>> {
  const names = { replication: managed.config.replication.user.name, heartbeat: HEARTBEAT_ACCOUNT.name };
  const account = cluster.operationAccount;
  try {
    const session = await cluster.session(host, { timeoutMs: ASK_MS });
    try {
      const rows = await session.rows('SELECT VERSION() AS version, @@GLOBAL.server_id AS id');
      const version = field(rows, 'version');
      const declared = describeHost(cluster.description, host);
      const facts = { account, version, serverId: Number(field(rows, 'id')), declared };
      if (!isSupported(version)) return { kind: 'found', facts: { ...facts, grants: [] } };
      const held = await readGrants(session, names);
      const grants = judgeGrants(held, {
        operation: `'${account}'@'%'`,
        replication: `'${names.replication}'@'%'`,
        heartbeat: `'${HEARTBEAT_ACCOUNT.name}'@'${HEARTBEAT_ACCOUNT.host}'`,
      });
      return { kind: 'found', facts: { ...facts, grants } };
    } finally {
      session.close();
    }
  } catch (error) {
    if (!(error instanceof AdapterFailure)) throw error;
    return { kind: 'failed', says: error.message, fix: fixOf(error.silence, { cluster, host }) };
  }
}

function fixOf(
  silence: Silence | null,
  { cluster, host }: { readonly cluster: ClusterPorts; readonly host: HostName },
): string {
  const { cluster: name } = cluster.description;
  if (silence === 'denied')
    return `make the account ${cluster.operationAccount} with the password of access.sql on the primary (README, accounts), or mend access.sql`;
  if (silence === 'refused')
    return `start the server of ${host}, or see that it listens at its address (bind-address, skip-networking, port); a host without data gets it by standfast provision ${name} ${host}`;
  return silence === null
    ? 'mend what it says, and ask again'
    : `look at ${host} and at the network to it: its database port says nothing`;
}
