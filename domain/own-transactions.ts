import type { GtidSet } from './gtid.ts';
import { domainOf, latestPerDomain, parseGtids, serverOf } from './gtid.ts';
import type { ServerStatus } from './observation.ts';

/**
 * Transactions that a server wrote itself and lost, as a power cut can make it, while `known` to others. Replication does not bring them back: a receiver
 * passes over whatever bears its own `server_id`, unless the server acknowledges (`rpl_semi_sync_slave_enabled`), and goes on behind it, so that every
 * position says that nothing is missing. Measured on 10.11. What its own log knows is what it has; a log that was reset knows nothing, and then the position counts.
 */
export function lostOwn(
  { serverId, binlogState, appliedPosition }: Pick<ServerStatus, 'serverId' | 'binlogState' | 'appliedPosition'>,
  known: GtidSet,
): GtidSet {
  const logged = parseGtids(binlogState);
  const reached = latestPerDomain(parseGtids(appliedPosition));
  const held = (key: string): bigint => logged.get(key) ?? reached.get(domainOf(key)) ?? 0n;
  return new Map([...known].filter(([key, sequence]) => serverOf(key) === serverId && sequence > held(key)));
}
