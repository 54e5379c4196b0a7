import type { Server } from 'node:net';
import { obey } from './child.ts';
import { Fleet } from './fleet-state.ts';
import type { Looked } from './looks.ts';
import { listenAt, listening } from './listening.ts';
import { membersOf } from './members.ts';
import { sqlServer } from './sql-servers.ts';
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
  /** Kills the database server of that member: its connections end, and its port refuses new ones. @returns when, in milliseconds since 1970 */
  readonly kill: (place: number) => number;
  /** Starts it again. */
  readonly revive: (place: number) => Promise<void>;
}

let fleet = new Fleet([]);
let servers: readonly Server[] = [];
let sqlPort = 0;

const orders: HostsOrders = {
  serve: async (clusters, userKey) => {
    fleet = new Fleet(membersOf(clusters));
    const ssh = new SshServers(fleet, userKey);
    servers = fleet.members.map((_, place) => sqlServer(fleet, place));
    const addresses = fleet.members.map((one) => one.address);
    sqlPort = await listenAt(addresses, servers);
    return { sqlPort, sshPort: await listenAt(addresses, ssh.all), hostKeys: ssh.hostKeys };
  },
  seen: () => fleet.looks.seen,
  begin: () => {
    fleet.looks.begin(performance.now());
  },
  end: () => fleet.looks.end(performance.now(), fleet.members),
  kill: (place) => {
    servers[place]?.close();
    fleet.kill(fleet.member(place).address);
    return Date.now();
  },
  revive: async (place) => {
    fleet.revive();
    const server = servers[place];
    if (server !== undefined) await listening(server, sqlPort, fleet.member(place).address);
  },
};
obey(orders);
