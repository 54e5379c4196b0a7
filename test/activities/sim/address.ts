import type { HostName } from '../../../domain/cluster.ts';

/** db1 is at 10.9.0.1, and so on. */
export const addressOf = (host: HostName): string => `10.9.0.${/\d+$/.exec(host)?.[0] ?? '0'}`;

export const VIP = '10.9.0.50';
