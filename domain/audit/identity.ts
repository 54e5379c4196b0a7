import { describeHost } from '../cluster.ts';
import { judgeDeclaredId } from '../likeness.ts';
import type { Rule, ServerCase } from './rule.ts';
import { amongServers, unless } from './rule.ts';

const twins = (others: readonly ServerCase[], isTwin: (other: ServerCase) => boolean): string =>
  others
    .filter(isTwin)
    .map(({ host }) => host)
    .join(', ');

/** Which server is which. */
export const IDENTITY_RULES: readonly Rule[] = [
  {
    code: 'ServerIdShared',
    group: 'servers',
    severity: 'bad',
    looksAt: '`server_id` of every server',
    why: "two servers of one ID drop each other's transactions as their own",
    fix: 'give HOST, or the other one if HOST is the primary, another serverId in the inventory, and provision it again (docs/audit.md, Rules; standfast acker remove first): that writes the ID into the file that is read last, and brings back what it dropped as its own',
    judge: amongServers(({ server }, others) => {
      const same = twins(others, (other) => other.server.status.serverId === server.status.serverId);
      return unless(same === '', {
        found: `server_id ${String(server.status.serverId)}, as on ${same}`,
        expected: 'an ID of its own',
      });
    }),
  },
  {
    code: 'ServerUidShared',
    group: 'servers',
    severity: 'bad',
    looksAt: '`server_uid` (MariaDB), `server_uuid` (MySQL)',
    why: 'it is made of the network card and the port: two that are equal are one machine, or a copied disk',
    fix: 'give the copied machine a network card address of its own (MySQL: remove auto.cnf), and restart its server',
    judge: amongServers(({ server }, others) => {
      const same = server.uid === '' ? '' : twins(others, (other) => other.server.uid === server.uid);
      return unless(same === '', { found: `${server.uid}, as on ${same}`, expected: 'an identity of its own' });
    }),
  },
  {
    code: 'ServerIdDiffers',
    group: 'servers',
    severity: 'warn',
    looksAt: '`server_id` of every server, against the inventory',
    why: 'which connection of a primary is which replica is told by this number, and of a replica that is silent only the inventory says it: it could still acknowledge and be taken for gone',
    fix: 'put the server_id that was found as serverId of HOST into the inventory, on every worker; its server stays as it is',
    judge: amongServers(({ host, server: { status }, facts }, others) => {
      // One that is shared is to become another.
      const isShared = others.some((other) => other.server.status.serverId === status.serverId);
      const declared = describeHost(facts.cluster, host);
      return unless(isShared || judgeDeclaredId(declared, status.serverId).length === 0, {
        found: `server_id ${String(status.serverId)}`,
        expected: `server_id ${String(declared.serverId)}, as in the inventory (serverId, or without one the place in the list)`,
      });
    }),
  },
];
