import type { HostName } from '../domain/cluster.ts';
import type { OtherChannel, ReplicationStatus, ThreadState } from '../domain/observation.ts';
import type { Row } from './ports.ts';

/** The helper stages tails under this name; see docs/host-helper.md, `tail-stage`. */
export const TAIL_CHANNEL = 'standfast';
/** Never connected to: only the applier of the channel runs. Source: RFC 2606, .invalid. */
export const NOBODY = 'standfast.invalid';

type NameOf = (address: string) => HostName | null;

export interface Channels {
  /** The default channel, which has no name; null: the server replicates from nobody through it. */
  readonly own: ReplicationStatus | null;
  readonly others: readonly OtherChannel[];
}

/**
 * Every replication channel of a server, from what it answers to SHOW ALL SLAVES STATUS, which lists stopped ones too. The channel of a tail is ours and is not among
 * the others: it is done with before anybody is promoted.
 * Source: MariaDB KB, multi-source replication.
 */
export function channelsFrom(rows: readonly Row[], nameOf: NameOf): Channels {
  const own = ownChannel(rows);
  return {
    own: own === undefined ? null : channelStatus(own, nameOf),
    others: rows
      .filter((row) => row !== own && !isOfTail(row))
      .map((row) => ({
        name: text(row, 'Connection_name'),
        source: nameOf(text(row, 'Master_Host')),
        receiver: threadState(text(row, 'Slave_IO_Running')),
        applier: threadState(text(row, 'Slave_SQL_Running')),
      })),
  };
}

export const ownChannel = (rows: readonly Row[]): Row | undefined =>
  rows.find((row) => text(row, 'Connection_name') === '');

/** By its name alone somebody else's would be taken for it. */
const isOfTail = (row: Row): boolean =>
  text(row, 'Connection_name') === TAIL_CHANNEL && text(row, 'Master_Host') === NOBODY;

function channelStatus(row: Row, nameOf: NameOf): ReplicationStatus {
  const filters = Object.keys(row).filter(
    (key) => /^Replicate_(Do|Ignore|Wild|Rewrite)/.test(key) && text(row, key) !== '',
  );
  return {
    source: nameOf(text(row, 'Master_Host')),
    receiver: threadState(text(row, 'Slave_IO_Running')),
    applier: threadState(text(row, 'Slave_SQL_Running')),
    receiverError: errorOf(row, 'Last_IO_Errno', 'Last_IO_Error'),
    applierError: errorOf(row, 'Last_SQL_Errno', 'Last_SQL_Error'),
    received: text(row, 'Gtid_IO_Pos'),
    applied: text(row, 'Gtid_Slave_Pos'),
    readUpTo: `${text(row, 'Master_Log_File')}:${text(row, 'Read_Master_Log_Pos')}`,
    usesGtid: text(row, 'Using_Gtid') !== 'No',
    delaySeconds: Number(text(row, 'SQL_Delay')),
    filters: filters.map((key) => `${key}=${text(row, key)}`),
    heartbeatPeriodSeconds: Number(text(row, 'Slave_heartbeat_period')),
    heartbeatsReceived: Number(text(row, 'Slave_received_heartbeats')),
  };
}

const text = (row: Row, key: string): string => {
  const value = row[key] as string | number | null | undefined;
  return value === null || value === undefined ? '' : String(value);
};

function threadState(word: string): ThreadState {
  if (word === 'Yes') return 'running';
  return word === 'No' ? 'stopped' : 'connecting';
}

/** Server messages can hold addresses; the code and the first words are enough for a person, and the server keeps the rest. */
function errorOf(row: Row, code: string, message: string): { code: number; message: string } | null {
  const number = Number(text(row, code));
  return number === 0 ? null : { code: number, message: text(row, message).slice(0, 300) };
}
