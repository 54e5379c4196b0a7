/** Transactions by their GTIDs, `domain-server-sequence`, in the order in which a server logged them. */
export type Gtids = readonly string[];

const domainOf = (gtid: string): string => gtid.slice(0, gtid.indexOf('-'));
const writerOf = (gtid: string): string => gtid.slice(0, gtid.lastIndexOf('-'));
const sequenceOf = (gtid: string): number => Number(gtid.slice(gtid.lastIndexOf('-') + 1));

/** The last transaction per domain, as `gtid_binlog_pos` and `gtid_slave_pos` show it. */
export const positionOf = (gtids: Gtids): string => lastPer(gtids, domainOf).join(',');

/** The last transaction per domain and server, as `gtid_binlog_state` shows it. */
export const stateOf = (gtids: Gtids): string => lastPer(gtids, writerOf).join(',');

function lastPer(gtids: Gtids, keyOf: (gtid: string) => string): readonly string[] {
  const last = new Map<string, string>();
  for (const gtid of gtids) {
    last.delete(keyOf(gtid));
    last.set(keyOf(gtid), gtid);
  }
  return [...last.values()];
}

/** The transactions that a set of the last ones per domain and server lacks. */
export function beyond(gtids: Gtids, known: string): Gtids {
  const reached = new Map(known.split(',').map((gtid) => [writerOf(gtid), sequenceOf(gtid)]));
  return gtids.filter((gtid) => sequenceOf(gtid) > (reached.get(writerOf(gtid)) ?? 0));
}

export const nextGtid = (gtids: Gtids, serverId: number): string =>
  `0-${String(serverId)}-${String(Math.max(0, ...gtids.map(sequenceOf)) + 1)}`;

/** Whether a server that applied `position` waits no longer for `wanted`: sequences count, whoever wrote them. */
export const hasReached = (position: string, wanted: string): boolean =>
  wanted
    .split(',')
    .filter((gtid) => gtid !== '')
    .every((gtid) =>
      position
        .split(',')
        .some((own) => own !== '' && domainOf(own) === domainOf(gtid) && sequenceOf(own) >= sequenceOf(gtid)),
    );
