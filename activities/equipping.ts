import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { MemberSettings } from '../adapters/member-settings.ts';
import { nextStartFrom } from '../adapters/mariadb-audit.ts';
import { renderMemberSettings, settingsOf } from '../adapters/member-settings.ts';
import type { HostName } from '../domain/cluster.ts';
import { describeHost, majorityOf, memberNames } from '../domain/cluster.ts';
import { checkBeforeEquipping } from './adopting.ts';
import type { Activities } from './contract.ts';

const UPGRADE_MS = 15_000;
const CONFIGURE_MS = 20_000;

/** The helper of this version on one member. `hello` tells which one is there. */
export async function ensureHelper(cluster: ClusterPorts, host: HostName): Promise<void> {
  const helper = cluster.helper(host);
  const { text, version, sha256 } = await cluster.helperScript();
  const before = await helper.request('hello');
  if (before['version'] === version) return;
  const { owner } = cluster;
  await helper.request('upgrade', { owner, content: text, sha256 }, { timeoutMs: UPGRADE_MS });
  const after = await helper.request('hello');
  if (after['version'] !== version)
    throw new AdapterFailure({
      type: 'Unverified',
      host,
      message: `the host helper of ${host} was upgraded and still answers version ${after['version'] ?? 'none'}`,
    });
}

/** Arguments of `configure`, which writes the drop-in: closed at boot, and the settings of a member that may be promoted one day. */
export const configuration = (host: HostName, settings: MemberSettings): Record<string, string> => ({
  server_id: String(settings.serverId),
  report_host: host,
  settings: renderMemberSettings(settings),
});

async function equip(cluster: ClusterPorts, host: HostName): Promise<HostName> {
  await ensureHelper(cluster, host);
  const { description, owner } = cluster;
  if (!description.hosts.some((database) => database.name === host)) return host;
  // First of all it boots closed, also where the address is refused.
  const settings = (await runningSettings(cluster, host)) ?? (await settingsOfNextStart(cluster, host));
  if (settings !== null)
    await cluster
      .helper(host)
      .request('configure', { owner, ...configuration(host, settings) }, { timeoutMs: CONFIGURE_MS });
  const content = cluster.keepalivedConfiguration(host);
  const holding = content === null ? { vip: cluster.vip.address } : { content };
  await cluster.helper(host).request('configure-vip', { owner, ...holding }, { timeoutMs: CONFIGURE_MS });
  return host;
}

/** Null: no server answers. */
async function runningSettings(cluster: ClusterPorts, host: HostName): Promise<MemberSettings | null> {
  try {
    const session = await cluster.session(host);
    try {
      return await settingsOf(session);
    } finally {
      session.close();
    }
  } catch (error) {
    if (error instanceof AdapterFailure && error.silence !== null) return null;
    throw error;
  }
}

/**
 * Of a server that answers nobody: whoever starts it, or a reboot, must not bring it up open. It keeps its identity, and the name of its binary log, which its own files
 * say. Null: it has a drop-in already, which knows more; or no server is installed.
 */
async function settingsOfNextStart(cluster: ClusterPorts, host: HostName): Promise<MemberSettings | null> {
  const helper = cluster.helper(host);
  if ((await helper.request('installed'))['dropin'] !== 'no') return null;
  try {
    const answer = await helper.request('audit-settings', { names: 'server_id' }, { timeoutMs: CONFIGURE_MS });
    const serverId = Number(nextStartFrom(answer).settings['server_id']);
    return serverId > 0 ? { serverId, binlogBase: '' } : null;
  } catch (error) {
    if (error instanceof AdapterFailure && error.silence === null) return null;
    throw error;
  }
}

export const defaultSettings = (cluster: ClusterPorts, host: HostName): MemberSettings => ({
  serverId: describeHost(cluster.description, host).serverId,
  binlogBase: 'mariadb-bin',
});

/** Of a minority: silent ones, and ones that obey another control plane or take no part. */
const MAY_BE_LEFT: readonly string[] = ['Unreachable', 'Unsafe'];

export const equippingActivities = (ports: Ports): Pick<Activities, 'equipMembers'> => ({
  equipMembers: async (input) => {
    const cluster = await ports.cluster(input.cluster);
    await checkBeforeEquipping(cluster, input.host);
    const members = memberNames(cluster.description);
    const outcomes = await Promise.allSettled(members.map((host) => equip(cluster, host)));
    const equipped: HostName[] = [];
    const left: AdapterFailure[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') equipped.push(outcome.value);
      else if (outcome.reason instanceof AdapterFailure && MAY_BE_LEFT.includes(outcome.reason.type))
        left.push(outcome.reason);
      else throw outcome.reason;
    }
    const own = left.find(({ host, type }) => host === input.host && type === 'Unsafe');
    if (own !== undefined) throw own;
    const unreachable = left.map(({ message }) => message);
    if (equipped.length < majorityOf(members.length))
      throw new AdapterFailure({
        type: left.some(({ type }) => type === 'Unsafe') ? 'Unsafe' : 'Unreachable',
        host: input.cluster,
        message: `${String(equipped.length)} of ${String(members.length)} members can be prepared, not a majority: ${unreachable.join('; ')}`,
      });
    return { equipped, unreachable };
  },
});
