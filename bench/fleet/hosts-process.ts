import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { obey } from './child.ts';
import { Fleet } from './fleet-state.ts';
import type { Looked } from './looks.ts';
import { membersOf } from './members.ts';
import { sqlServers } from './sql-servers.ts';
import { SshServers } from './ssh-servers.ts';

export interface Served {
  readonly sqlPort: number;
  readonly sshPort: number;
  /** In the order of the members. */
  readonly hostKeys: readonly string[];
}

/** What the process of the simulated hosts does for the benchmark. */
export interface HostsOrders {
  readonly [name: string]: (...asked: never[]) => unknown;
  /** @param userKey the public key that may log in */
  readonly serve: (clusters: number, userKey: string) => Promise<Served>;
  /** @returns how many hosts were looked at so far */
  readonly seen: () => number;
  readonly begin: () => void;
  readonly end: () => Looked;
  /** Kills the database server at the address. @returns when, in milliseconds since 1970 */
  readonly kill: (address: string) => number;
  /** Starts again what was killed. */
  readonly revive: () => void;
}

let fleet = new Fleet([]);

/** On every address of the loopback; whoever connects to another one is sent away. */
async function listening(server: Server): Promise<number> {
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4_096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const orders: HostsOrders = {
  serve: async (clusters, userKey) => {
    fleet = new Fleet(membersOf(clusters));
    const ssh = new SshServers(fleet, userKey);
    const [sqlPort, sshPort] = [await listening(sqlServers(fleet)), await listening(ssh.tcp)];
    return { sqlPort, sshPort, hostKeys: ssh.hostKeys };
  },
  seen: () => fleet.looks.seen,
  begin: () => {
    fleet.looks.begin(performance.now());
  },
  end: () => fleet.looks.end(performance.now(), fleet.members),
  kill: (address) => {
    fleet.kill(address);
    return Date.now();
  },
  revive: () => {
    fleet.revive();
  },
};
obey(orders);
