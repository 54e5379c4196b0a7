import type { HostName } from '../../../domain/cluster.ts';
import type { Row } from '../../../adapters/ports.ts';
import { LOG_NAME } from './tails.ts';
import { AUDIT_STATEMENTS, AUDIT_VARIABLES } from './audit.ts';
import type { Database } from './database.ts';
import { SqlError } from './database.ts';
import { EVENT_STATEMENTS } from './events.ts';
import { hasReached } from './positions.ts';
import { SUM_STATEMENTS } from './sums.ts';

/** What a statement may do besides changing its own server. */
export interface SqlWorld {
  readonly hostAt: (address: string) => HostName;
  readonly addressOf: (host: HostName) => string;
  /** Where the connections of a replica come from. */
  readonly clientAddressOf: (host: HostName) => string;
  /** Lets replication go on, as it does in a moment of time. */
  readonly move: () => Promise<void>;
  /** Ends the connection of a replica; its receiver connects again when it may. */
  readonly disconnect: (source: Database, serverId: number) => void;
  readonly acknowledged: (database: Database, gtid: string) => Promise<void>;
}

interface Call {
  readonly database: Database;
  readonly world: SqlWorld;
  readonly values: readonly unknown[];
  readonly found: RegExpExecArray;
}

interface Statement {
  readonly form: RegExp;
  readonly run: (call: Call) => Promise<readonly Row[]> | readonly Row[] | undefined;
}

const onOff = (value: boolean): string => (value ? 'ON' : 'OFF');

const variables = (database: Database): Readonly<Record<string, string>> => ({
  version: database.version,
  server_id: String(database.host.serverId),
  read_only: onOff(database.readOnly),
  event_scheduler: onOff(database.eventScheduler),
  log_bin: 'ON',
  binlog_format: 'ROW',
  log_slave_updates: 'ON',
  sync_binlog: '1',
  encrypt_binlog: onOff(database.encryptsLogs),
  innodb_flush_log_at_trx_commit: '1',
  gtid_strict_mode: 'ON',
  lower_case_table_names: '0',
  time_zone: 'UTC',
  system_time_zone: 'UTC',
  gtid_binlog_state: database.binlogState,
  gtid_binlog_pos: database.binlogPosition,
  gtid_slave_pos: database.appliedPosition,
  rpl_semi_sync_master_enabled: onOff(database.semiSync.waits),
  rpl_semi_sync_master_wait_point: database.semiSync.waitPoint,
  rpl_semi_sync_master_wait_no_slave: onOff(database.semiSync.waitsWithoutReplica),
  rpl_semi_sync_master_timeout: database.semiSync.timeoutMs,
  rpl_semi_sync_slave_enabled: onOff(database.semiSync.replicaEnabled),
  ...AUDIT_VARIABLES,
  uptime: '3600',
  rpl_semi_sync_master_status: onOff(database.semiSync.waits),
  rpl_semi_sync_master_clients: String(database.clients),
  rpl_semi_sync_slave_status: onOff(
    database.channel?.receiver === 'running' && database.channel.acknowledges && database.semiSync.replicaEnabled,
  ),
});

const THREAD = { running: 'Yes', connecting: 'Connecting', stopped: 'No' } as const;

function channelRows(call: Call): readonly Row[] {
  return [...ownChannel(call), ...otherChannels(call.database), ...tailChannel(call.database)];
}

const otherChannels = ({ otherChannels: channels }: Database): readonly Row[] =>
  channels.map(({ name, address, receiver }) => ({
    ...{ Connection_name: name, Master_Host: address },
    ...{ Slave_IO_Running: THREAD[receiver], Slave_SQL_Running: 'Yes' },
  }));

const tailChannel = ({ tail }: Database): readonly Row[] =>
  tail === null
    ? []
    : [
        {
          Connection_name: 'standfast',
          Master_Host: 'standfast.invalid',
          Slave_SQL_Running: THREAD[tail.applier],
          Last_SQL_Errno: tail.errno,
          Last_SQL_Error: tail.errno === 0 ? '' : 'a row is missing',
        },
      ];

function ownChannel({ database, world }: Call): readonly Row[] {
  const { channel } = database;
  if (channel === null) return [];
  return [
    {
      Connection_name: '',
      Master_Host: world.addressOf(channel.source),
      Slave_IO_Running: THREAD[channel.receiver],
      Slave_SQL_Running: THREAD[channel.applier],
      Last_IO_Errno: channel.receiverErrno,
      Last_IO_Error: channel.receiverErrno === 0 ? '' : 'the source does not have this position',
      Last_SQL_Errno: channel.applierErrno,
      Last_SQL_Error: channel.applierErrno === 0 ? '' : 'a row is missing',
      Gtid_IO_Pos: database.received,
      Master_Log_File: LOG_NAME,
      Read_Master_Log_Pos: channel.read,
      Using_Gtid: 'Slave_Pos',
      Connect_Retry: 1,
      Master_SSL_Allowed: 'Yes',
      SQL_Delay: database.delaySeconds,
      Replicate_Ignore_DB: database.filters,
      Slave_heartbeat_period: channel.heartbeatSeconds,
      Slave_received_heartbeats: channel.heartbeats,
    },
  ];
}

async function waitForPosition({ database, world, values }: Call): Promise<readonly Row[]> {
  const [wanted, seconds] = values as readonly [string, number];
  const endsAt = performance.now() + seconds * 1000;
  while (!hasReached(database.appliedPosition, wanted)) {
    if (performance.now() >= endsAt) return [{ outcome: -1 }];
    await new Promise((resolve) => setTimeout(resolve, 10));
    await world.move();
  }
  return [{ outcome: 0 }];
}

async function writeHeartbeat({ database, world, values, found }: Call): Promise<readonly Row[]> {
  if (database.readOnly) throw new SqlError('1290: The server is running with the --read-only option');
  const gtid = database.commit();
  await world.acknowledged(database, gtid);
  database.token = found[1] ?? String(values[1]);
  return [{ affectedRows: 1 }];
}

/** Its clock is that of the process, and it was written now: only the token is looked at. */
function shownHeartbeat({ database }: Call): readonly Row[] {
  const now = 1_000 * Date.now();
  return database.token === '' ? [] : [{ token: database.token, written: now, clock: now }];
}

function changeSource({ database, world, found }: Call): undefined {
  const { channel } = database;
  if (channel !== null && (channel.receiver !== 'stopped' || channel.applier !== 'stopped'))
    throw new SqlError('1198: This operation cannot be performed as you have a running slave');
  database.follow(world.hostAt(found[1] ?? ''));
}

/** A statement that only changes its server; `found` is what its form captured. */
const change =
  (apply: (database: Database, found: string) => void) =>
  (call: Call): undefined => {
    apply(call.database, call.found[1] ?? '');
  };

function oneThread({ database, found }: Call): undefined {
  const thread = found[2] === 'SQL' ? 'applier' : 'receiver';
  if (found[1] === 'START') database.start(thread);
  else database.stop(thread);
}

const endConnection = ({ database, world, found }: Call): undefined => {
  world.disconnect(database, Number(found[1]));
};

const startBoth = (database: Database): void => {
  if (database.channel === null) return;
  database.start('receiver');
  database.start('applier');
};

const stopBoth = (database: Database): void => {
  database.stop('receiver');
  database.stop('applier');
};

function stopUnless({ database, found }: Call): undefined {
  if (found[1] !== undefined && database.semiSync.replicaEnabled)
    throw new SqlError('1644: it acknowledges writes, so it was not stopped');
  stopBoth(database);
}

/** Everything that the dialect says to a server. A statement that is not here fails the test by name. */
const STATEMENTS: readonly Statement[] = [
  ...AUDIT_STATEMENTS,
  ...EVENT_STATEMENTS,
  ...SUM_STATEMENTS,
  { form: /^SHOW ALL SLAVES STATUS$/, run: channelRows },
  { form: /^SELECT 1$/, run: () => [{ '1': 1 }] },
  {
    form: /^SELECT VARIABLE_NAME AS name/,
    run: ({ database }) => Object.entries(variables(database)).map(([name, value]) => ({ name, value })),
  },
  { form: /^(START|STOP) SLAVE (SQL|IO)_THREAD$/, run: oneThread },
  { form: /^START SLAVE( UNTIL master_gtid_pos = '[^']*')?$/, run: change(startBoth) },
  { form: /^STOP SLAVE$/, run: change(stopBoth) },
  {
    form: /^BEGIN NOT ATOMIC (IF @@GLOBAL.rpl_semi_sync_slave_enabled THEN SIGNAL .* END IF; )?STOP SLAVE; END$/,
    run: stopUnless,
  },
  {
    form: /^RESET SLAVE ALL$/,
    run: change((database) => {
      database.forgetSource();
    }),
  },
  {
    form: /^CHANGE MASTER 'standfast' TO .*MASTER_USE_GTID = no, RELAY_LOG_FILE = '([^']+)'/,
    run: change((database, log) => {
      database.applyTail(log);
    }),
  },
  {
    form: /^(START|STOP) SLAVE 'standfast'( SQL_THREAD)?$/,
    run: ({ database, found }) => {
      if (database.tail !== null) database.tail.applier = found[1] === 'START' ? 'running' : 'stopped';
      return undefined;
    },
  },
  {
    form: /^RESET SLAVE 'standfast' ALL$/,
    run: change((database) => {
      database.tail = null;
    }),
  },
  { form: /^CHANGE MASTER TO MASTER_HOST = '([^']+)'/, run: changeSource },
  { form: /^SELECT MASTER_GTID_WAIT/, run: waitForPosition },
  { form: /^SET SESSION /, run: () => undefined },
  { form: /^SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout = 1$/, run: () => undefined },
  {
    form: /^SET GLOBAL read_only = ([01])$/,
    run: change((database, value) => (database.readOnly = value === '1')),
  },
  {
    form: /^SET GLOBAL rpl_semi_sync_master_enabled = ([01])$/,
    run: change((database, value) => (database.semiSync.waits = value === '1')),
  },
  {
    form: /^SET GLOBAL rpl_semi_sync_master_wait_point = '(\w+)'$/,
    run: change((database, value) => (database.semiSync.waitPoint = value)),
  },
  {
    form: /^SET GLOBAL rpl_semi_sync_master_wait_no_slave = ([01])$/,
    run: change((database, value) => (database.semiSync.waitsWithoutReplica = value === '1')),
  },
  {
    form: /^SET GLOBAL rpl_semi_sync_master_timeout = (\d+)$/,
    run: change((database, value) => (database.semiSync.timeoutMs = value)),
  },
  {
    form: /^SET GLOBAL rpl_semi_sync_slave_enabled = ([01])$/,
    run: change((database, value) => (database.semiSync.replicaEnabled = value === '1')),
  },
  {
    form: /^SET GLOBAL max_connections = (\d+)$/,
    run: change((database, value) => (database.limit = Number(value))),
  },
  {
    form: /^SELECT VARIABLE_NAME AS counter, .* @@GLOBAL.max_connections AS most/,
    run: ({ database }) =>
      Object.entries({
        THREADS_CONNECTED: database.taken + database.attached.length + 1,
        RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS: database.pending.size,
        RPL_SEMI_SYNC_MASTER_YES_TX: database.acknowledgedCommits,
      }).map(([counter, value]) => ({ counter, value: String(value), most: database.limit })),
  },
  { form: /^SET GLOBAL event_scheduler = (ON)$/, run: change((database) => (database.eventScheduler = true)) },
  { form: /^CREATE (DATABASE|TABLE) IF NOT EXISTS standfast/, run: () => undefined },
  { form: /^CALL standfast.beat\((?:\?|'[^']*'), (?:\?|'([^']*)')\)$/, run: writeHeartbeat },
  { form: /^SELECT COUNT\(\*\) AS accounts/, run: () => [{ accounts: 1 }] },
  { form: /^CREATE DEFINER = .* PROCEDURE IF NOT EXISTS standfast.beat/, run: () => undefined },
  { form: /^SELECT token, .* FROM standfast.heartbeat/, run: shownHeartbeat },
  {
    form: /^SELECT @@GLOBAL.read_only AS read_only/,
    run: ({ database }) => [
      { read_only: database.readOnly ? 1 : 0, position: database.binlogPosition, clock: 1_000 * Date.now() },
    ],
  },
  {
    form: /^SHOW GLOBAL STATUS LIKE 'Uptime'$/,
    run: ({ database }) => [
      { Variable_name: 'Uptime', Value: String(Math.floor(performance.now() / 1_000 - database.startedS)) },
    ],
  },
  { form: /^SELECT TIMESTAMPDIFF/, run: () => [{ clock: 1_000 * Date.now() }] },
  {
    form: /^SELECT @@GLOBAL.server_id AS id, @@GLOBAL.log_bin_basename AS base$/,
    run: ({ database }) => [{ id: database.host.serverId, base: '/var/lib/mysql/own-bin' }],
  },
  { form: /^SELECT @@GLOBAL.server_id AS id$/, run: ({ database }) => [{ id: database.host.serverId }] },
  {
    form: /^SHOW SLAVE HOSTS$/,
    run: ({ database }) => database.attached.map(({ serverId }) => ({ Server_id: serverId })),
  },
  {
    form: /^SELECT ID AS id, HOST AS client FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'$/,
    run: ({ database, world }) =>
      database.attached.map(({ name, serverId }) => ({ id: serverId, client: `${world.clientAddressOf(name)}:40000` })),
  },
  // The connection of a replica has the number of its server here.
  { form: /^BEGIN NOT ATOMIC .* KILL HARD CONNECTION (\d+); END$/, run: endConnection },
];

export async function runStatement(text: string, call: Omit<Call, 'found'>): Promise<readonly Row[]> {
  const flat = text.replace(/\s+/g, ' ').trim();
  for (const { form, run } of STATEMENTS) {
    const found = form.exec(flat);
    if (found !== null) return (await run({ ...call, found })) ?? [];
  }
  throw new Error(
    `the simulated server does not know this statement: ${flat.slice(0, 120)}; teach it in statements.ts`,
  );
}
