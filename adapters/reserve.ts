import type { HostName } from '../domain/cluster.ts';
import type { Row } from './ports.ts';
import { AdapterFailure } from './ports.ts';

/** A full server lets in one more who administrates it. Source: MariaDB KB, max_connections. */
export const IN_RESERVE =
  "SELECT CAST(VARIABLE_VALUE AS UNSIGNED) > @@global.max_connections AS reserved FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_CONNECTED'";

/**
 * Whoever stays, or may have to wait for an acknowledgement, must not take that place: who could make room, and the replicas that come back to acknowledge, would
 * not get in any more.
 * @param answer to `IN_RESERVE`
 */
export function refuseReserve(host: HostName, [answer]: readonly Row[]): void {
  if (Number(answer?.['reserved'] ?? 0) === 0) return;
  throw new AdapterFailure({
    ...{ type: 'Unreachable', host, silence: 'full' },
    message: `${host}: all its connections are taken but the one that it keeps for an administrator`,
  });
}
