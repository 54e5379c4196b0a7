import type { GtidSet } from './gtid.ts';
import { domainOf, latestPerDomain, parseGtids, serverOf } from './gtid.ts';
import type { Lineage } from './lineage.ts';
import { placeGtids } from './lineage.ts';
import type { ServerStatus } from './observation.ts';

type Logged = Pick<ServerStatus, 'serverId' | 'binlogState' | 'appliedPosition'>;

/**
 * Transactions on the history that a server wrote itself, that others have, and that its own log lacks, as after a power cut. Replication does not bring them back: a
 * receiver passes over whatever bears its own `server_id`, unless the server acknowledges (`rpl_semi_sync_slave_enabled`), and goes on behind it, so that every position says
 * that nothing is missing. Measured on 10.11. A log that knows no own transaction says nothing; then the position counts. Neither does a log that may be a later one than that
 * server's number: what was there before the oldest recorded promotion is left out.
 */
export function lostOwn({ serverId, binlogState, appliedPosition }: Logged, known: GtidSet, lineage: Lineage): GtidSet {
  const oldest = lineage.find(({ start }) => start.trim() !== '');
  if (oldest === undefined) return new Map();
  const before = parseGtids(oldest.start);
  const logged = parseGtids(binlogState);
  const reached = latestPerDomain(parseGtids(appliedPosition));
  const held = (key: string): bigint => logged.get(key) ?? reached.get(domainOf(key)) ?? 0n;
  const isLost = ([key, sequence]: [string, bigint]): boolean =>
    serverOf(key) === serverId && sequence > held(key) && sequence > (before.get(key) ?? 0n);
  return new Map([...placeGtids(known, lineage).within].filter(isLost));
}
