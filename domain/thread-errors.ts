/** Why a replication thread stopped or does not connect, as its server tells it. */
export interface ThreadError {
  readonly code: number;
  readonly message: string;
}

/** What the codes mean for whoever has to mend it. Source: MariaDB KB, "MariaDB Error Codes"; what replication does with them: measured on 10.11. */
const MEANINGS: Readonly<Record<number, string>> = {
  1007: 'the database that it should create exists already: somebody wrote on the replica',
  1008: 'the database that it should drop does not exist: somebody wrote on the replica',
  1032: 'the row to change does not exist here: the replica has other data than its source',
  1040: 'its source has no connection free',
  1045: 'its source refuses the replication account or its password',
  1050: 'the table that it should create exists already: somebody wrote on the replica',
  1051: 'the table that it should drop does not exist: somebody wrote on the replica',
  1062: 'the row to insert exists here already: somebody wrote on the replica',
  1129: 'its source has blocked its address after too many failed connections',
  1130: 'its source allows no connection from its address',
  1146: 'the table to change does not exist here: the replica has other data than its source',
  1205: 'a row stayed locked for too long: somebody holds it on the replica',
  1213: 'a deadlock with somebody else on the replica came again at every try',
  1227: 'the replication account lacks a privilege on its source',
  1236: 'its source does not have the transactions that it lacks, or has others: they were purged, or the histories differ',
  1593: 'its receiver refuses to go on, as when two servers have the same server_id',
  1594: 'its relay log cannot be read: it is damaged',
  1595: 'its relay log cannot be written, as when the disk is full',
  1677: 'a column is of another type here, and the value cannot be converted',
  1927: 'its connection was killed',
  1950: 'a transaction is older than one that it has: the histories differ (gtid_strict_mode)',
  2002: 'its source cannot be reached',
  2003: 'nothing answers at the address and port of its source',
  2005: 'the name of its source cannot be resolved',
  2013: 'the connection to its source was lost',
  2026: 'the TLS connection to its source fails',
};

/** In words, with the code and what the server said. */
export function inWords({ code, message }: ThreadError): string {
  const meaning = MEANINGS[code];
  const said = `error ${String(code)}: ${message}`;
  return meaning === undefined ? said : `${meaning}; ${said}`;
}
