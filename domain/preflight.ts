import { judgeChannels } from './channels.ts';
import type { ClusterDescription, HostDescription } from './cluster.ts';
import type { ServerStatus } from './observation.ts';

/** Something that stands in the way, by the name an administrator would look for. */
export interface Obstacle {
  readonly code: string;
  readonly explains: string;
  readonly remedy: string;
}

interface Requirement {
  readonly setting: string;
  readonly met: (status: ServerStatus) => boolean;
  readonly found: (status: ServerStatus) => string;
  readonly wanted: string;
  readonly why: string;
  /** Takes effect by SET GLOBAL, but for what is said of open sessions. Source: MariaDB KB, "Dynamic: Yes". */
  readonly isDynamic?: true;
  readonly sessions?: string;
}

/** What SET GLOBAL does not change. */
const OPEN_SESSIONS = '; sessions that are open keep what they had: end them (KILL, or restart the application)';

/** What a server must have before replicas can follow it and before it may be promised that nothing acknowledged is lost. */
const PRIMARY_SETTINGS: readonly Requirement[] = [
  {
    setting: 'log_bin',
    met: (status) => status.binlog.enabled,
    found: (status) => onOff(status.binlog.enabled),
    wanted: 'log_bin=mariadb-bin',
    why: 'replicas read the binary log',
  },
  {
    setting: 'log_slave_updates',
    met: (status) => status.binlog.logsReplicated,
    found: (status) => onOff(status.binlog.logsReplicated),
    wanted: 'log_slave_updates=1',
    why: 'it must be able to serve replicas after a promotion',
  },
  {
    setting: 'binlog_format',
    met: (status) => status.binlog.format === 'ROW',
    found: (status) => status.binlog.format,
    wanted: 'binlog_format=ROW',
    isDynamic: true,
    sessions: OPEN_SESSIONS,
    why: 'statements can give other rows on a replica',
  },
  {
    setting: 'sync_binlog',
    met: (status) => status.binlog.sync === 1,
    found: (status) => String(status.binlog.sync),
    wanted: 'sync_binlog=1',
    isDynamic: true,
    why: 'what was acknowledged must survive a power cut',
  },
  {
    setting: 'innodb_flush_log_at_trx_commit',
    met: (status) => status.flushLogAtCommit === 1,
    found: (status) => String(status.flushLogAtCommit),
    wanted: 'innodb_flush_log_at_trx_commit=1',
    isDynamic: true,
    why: 'what was acknowledged must survive a power cut',
  },
  {
    setting: 'gtid_strict_mode',
    met: (status) => status.gtidStrictMode,
    found: (status) => onOff(status.gtidStrictMode),
    wanted: 'gtid_strict_mode=1',
    isDynamic: true,
    why: 'an errant transaction must stop a replica instead of hiding',
  },
  {
    setting: 'server_id',
    met: (status) => status.serverId > 0,
    found: (status) => String(status.serverId),
    wanted: 'a unique server_id',
    why: 'every transaction carries it',
  },
];

export const judgePrimarySettings = (status: ServerStatus): readonly Obstacle[] =>
  PRIMARY_SETTINGS.filter((requirement) => !requirement.met(status)).map((requirement) => ({
    code: `setting:${requirement.setting}`,
    explains: `${requirement.setting} is ${requirement.found(status)}: ${requirement.why}`,
    remedy: requirement.isDynamic
      ? `SET GLOBAL ${requirement.wanted}, and put it into its configuration${requirement.sessions ?? ''}`
      : `put ${requirement.wanted} into its configuration and restart it (docs/runbooks.md: planned restart, rolling reboots)`,
  }));

/**
 * Of whoever comes into care or is about to count. One that counts already goes on, and is told of by the audit: to keep a primary closed for this would be an
 * outage.
 */
export const judgeFitness = (status: ServerStatus): readonly Obstacle[] => [
  ...judgeLogs(status),
  ...judgeChannels(status),
];

/** What only a dead server has is read from its files. */
const judgeLogs = ({ binlog }: ServerStatus): readonly Obstacle[] =>
  binlog.encrypted === true
    ? [
        {
          code: 'setting:encrypt_binlog',
          explains:
            'encrypt_binlog is ON: its binary log and its relay logs are encrypted, and when it is dead nobody can read what only they hold',
          remedy: 'take encrypt_binlog out of its configuration and restart it',
        },
      ]
    : [];

export function judgePlacement(cluster: ClusterDescription, host: HostDescription): readonly Obstacle[] {
  if (cluster.countries.length === 0 || cluster.countries.includes(host.country)) return [];
  return [
    {
      code: 'placement',
      explains: `${host.name} stands in ${host.country} (site ${host.site}), and policy.placement allows only ${cluster.countries.join(', ')}`,
      remedy: 'choose a host inside the policy, or change policy.placement with whoever answers for the data',
    },
  ];
}

const onOff = (value: boolean): string => (value ? 'ON' : 'OFF');
