import type { Session } from './ports.ts';
import { field } from './mariadb.ts';

/** What the drop-in of a member says besides "closed at boot". */
export interface MemberSettings {
  readonly serverId: number;
  /** Base name of the binary log; a running server keeps its own. */
  readonly binlogBase: string;
}

/** A server that already runs keeps its identity and the name of its binary log. */
export async function settingsOf(session: Session): Promise<MemberSettings> {
  const rows = await session.rows('SELECT @@GLOBAL.server_id AS id, @@GLOBAL.log_bin_basename AS base');
  return { serverId: Number(field(rows, 'id')), binlogBase: field(rows, 'base') };
}

/** Source: MariaDB KB, replication and binary log system variables; `relay_log_recovery` would delete what may exist only there. */
export function renderMemberSettings({ binlogBase }: MemberSettings): string {
  return [
    ...(binlogBase === '' ? [] : [`log_bin=${binlogBase}`]),
    'log_slave_updates=1',
    'binlog_format=ROW',
    'sync_binlog=1',
    'innodb_flush_log_at_trx_commit=1',
    'gtid_strict_mode=1',
    'relay_log_recovery=0',
    'slave_net_timeout=4',
    // Whoever restarts acknowledges nothing until an operation has looked whether it is on record.
    'rpl_semi_sync_slave_enabled=0',
    'rpl_semi_sync_master_wait_point=AFTER_SYNC',
    'rpl_semi_sync_master_wait_no_slave=1',
    'rpl_semi_sync_master_timeout=18446744073709551615',
  ].join('\n');
}
