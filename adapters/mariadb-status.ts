import type { HostName } from '../domain/cluster.ts';
import type { ReplicationStatus, ServerStatus } from '../domain/observation.ts';
import { channelsFrom } from './mariadb-channels.ts';
import { SERVER_CLOCK } from './mariadb-heartbeat.ts';
import type { Deadline, LookDeadline, Pulse, Row, Session } from './ports.ts';

const VARIABLES = [
  'version',
  'server_id',
  'read_only',
  'event_scheduler',
  'log_bin',
  'binlog_format',
  'log_slave_updates',
  'encrypt_binlog',
  'sync_binlog',
  'innodb_flush_log_at_trx_commit',
  'gtid_strict_mode',
  'lower_case_table_names',
  'time_zone',
  'system_time_zone',
  'gtid_binlog_state',
  'gtid_binlog_pos',
  'gtid_slave_pos',
  'rpl_semi_sync_master_enabled',
  'rpl_semi_sync_master_wait_point',
  'rpl_semi_sync_master_wait_no_slave',
  'rpl_semi_sync_master_timeout',
  'rpl_semi_sync_slave_enabled',
] as const;
const STATUS = [
  'Uptime',
  'Rpl_semi_sync_master_status',
  'Rpl_semi_sync_master_clients',
  'Rpl_semi_sync_slave_status',
] as const;

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(',');

/**
 * One consistent-enough picture in three round trips; dialect words end here.
 * Source: MariaDB KB, SHOW REPLICA STATUS, SHOW REPLICA HOSTS; semi-synchronous replication, status variables.
 */
export async function readStatus(
  session: Session,
  nameOf: (address: string) => HostName | null,
  deadline: Deadline = {},
): Promise<ServerStatus> {
  const channels = await session.rows('SHOW ALL SLAVES STATUS', [], deadline);
  const pairs = await session.rows(
    `SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME IN (${quoted(VARIABLES)})
     UNION ALL SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN (${quoted(STATUS)})`,
    [],
    deadline,
  );
  const replicas = await session.rows('SHOW SLAVE HOSTS', [], deadline);
  const values = new Map(pairs.map((row) => [text(row, 'name').toLowerCase(), text(row, 'value')]));
  const { own, others } = channelsFrom(channels, nameOf);
  return statusFrom((name) => values.get(name) ?? '', {
    replication: own,
    otherChannels: others,
    attached: replicas.map((row) => Number(text(row, 'Server_id'))),
  });
}

/** What a watcher asks a primary again and again. */
export interface PrimaryLook {
  readonly isClosed: boolean;
  /** The last transaction per domain in its binary log. */
  readonly binlogPosition: string;
  /** Its clock, in milliseconds since 1970. */
  readonly clockMs: number;
}

export async function readPrimary(pulse: Pick<Pulse, 'rows'>, deadline: LookDeadline): Promise<PrimaryLook> {
  const [row = {}] = await pulse.rows(
    `SELECT @@GLOBAL.read_only AS read_only, @@GLOBAL.gtid_binlog_pos AS position, ${SERVER_CLOCK} AS clock`,
    deadline,
  );
  return {
    isClosed: text(row, 'read_only') !== '0',
    binlogPosition: text(row, 'position'),
    clockMs: Number(text(row, 'clock')) / 1_000,
  };
}

export async function readUptimeSeconds(pulse: Pick<Pulse, 'rows'>, deadline: LookDeadline): Promise<number> {
  const [row = {}] = await pulse.rows("SHOW GLOBAL STATUS LIKE 'Uptime'", deadline);
  return Number(text(row, 'Value'));
}

/** The replication channel alone; null: the server replicates from nobody. */
export async function readReplication(
  pulse: Pick<Pulse, 'rows'>,
  nameOf: (address: string) => HostName | null,
  deadline: LookDeadline,
): Promise<ReplicationStatus | null> {
  return channelsFrom(await pulse.rows('SHOW ALL SLAVES STATUS', deadline), nameOf).own;
}

type Channelled = Pick<ServerStatus, 'replication' | 'otherChannels'>;

function statusFrom(
  value: (name: string) => string,
  { attached, ...channels }: Channelled & { readonly attached: readonly number[] },
): ServerStatus {
  const isOn = (name: string): boolean => value(name) === 'ON';
  return {
    version: value('version'),
    serverId: Number(value('server_id')),
    uptimeSeconds: Number(value('uptime')),
    readOnly: isOn('read_only'),
    eventScheduler: isOn('event_scheduler'),
    binlog: {
      enabled: isOn('log_bin'),
      format: value('binlog_format'),
      logsReplicated: isOn('log_slave_updates'),
      sync: Number(value('sync_binlog')),
      encrypted: isOn('encrypt_binlog'),
    },
    flushLogAtCommit: Number(value('innodb_flush_log_at_trx_commit')),
    gtidStrictMode: isOn('gtid_strict_mode'),
    lowerCaseTableNames: Number(value('lower_case_table_names')),
    timeZone: value('time_zone') === 'SYSTEM' ? value('system_time_zone') : value('time_zone'),
    binlogState: value('gtid_binlog_state'),
    binlogPosition: value('gtid_binlog_pos'),
    appliedPosition: value('gtid_slave_pos'),
    semiSync: {
      primaryEnabled: isOn('rpl_semi_sync_master_enabled'),
      primaryActive: isOn('rpl_semi_sync_master_status'),
      clients: Number(value('rpl_semi_sync_master_clients')),
      attached,
      waitPoint: value('rpl_semi_sync_master_wait_point'),
      waitsWithoutReplica: isOn('rpl_semi_sync_master_wait_no_slave'),
      timeoutMs: value('rpl_semi_sync_master_timeout'),
      replicaEnabled: isOn('rpl_semi_sync_slave_enabled'),
      replicaActive: isOn('rpl_semi_sync_slave_status'),
    },
    ...channels,
  };
}

const text = (row: Row, key: string): string => {
  const value = row[key] as string | number | null | undefined;
  return value === null || value === undefined ? '' : String(value);
};
