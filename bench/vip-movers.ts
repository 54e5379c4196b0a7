import { randomUUID } from 'node:crypto';
import type { Lab } from '../lab/lab.ts';
import { network } from '../lab/network.ts';
import { until } from '../lab/run.ts';
import { HelperSession } from './helper-session.ts';
import { Shell } from './shell.ts';

/** Who moves the VIP between hosts. */
export interface Mover {
  /** Returns when the host is proven not to have it. */
  readonly drop: (host: string) => Promise<void>;
  /** @param role above that of every host that may still show one */
  readonly take: (host: string, role: number) => Promise<void>;
  /** Waits until nothing that the taking began is still under way. */
  readonly settled: (host: string) => Promise<void>;
  readonly close: () => void;
}

const place = { vip: network.vip, prefix: String(network.prefix), interface: 'eth0' };

/** The orders of a failover to the hosts' helpers, over open channels, under an epoch that every host accepted. */
export async function helperMover(lab: Lab): Promise<Mover> {
  const sessions = new Map(lab.hosts.map(({ name }) => [name, new HelperSession(lab, name)]));
  const on = (host: string): HelperSession => {
    const session = sessions.get(host);
    if (session === undefined) throw new Error(`there is no channel to ${host}`);
    return session;
  };
  const records = await Promise.all(lab.hosts.map(({ name }) => on(name).order('records')));
  const epoch = 1 + Math.max(...records.map((one) => Number(one['epoch'])));
  const order = { owner: records[0]?.['owner'] ?? '', epoch: String(epoch), run: `bench-${randomUUID()}` };
  for (const { name } of lab.hosts) await on(name).order('claim', { ...order, account: 'standfast' });
  return {
    drop: async (host) => {
      await on(host).order('vip-drop', { ...order, ...place });
    },
    take: async (host, role) => {
      await on(host).order('vip-take', { ...order, ...place, n: String(role) });
    },
    settled: async (host) => {
      await until(`keepalived of ${host} adopts the VIP`, async () => {
        const { stdout } = await lab.host(host).exec(['cat', '/run/standfast/vip-state']);
        return stdout.trim() === 'MASTER' ? true : undefined;
      });
    },
    close: () => {
      for (const session of sessions.values()) session.close();
    },
  };
}

/** The fastest move that can be written by hand: open root shells, no checks, nothing of keepalived; only one host at a time has the address. */
export function handMover(lab: Lab): Mover {
  const shells = new Map(lab.hosts.map(({ name }) => [name, new Shell(lab, name)]));
  const address = `${network.vip}/${String(network.prefix)} dev eth0`;
  return {
    drop: async (host) => {
      // An arping of before would call the clients back.
      await shells.get(host)?.done(`kill $! >/dev/null 2>&1; ip addr del ${address}`);
    },
    take: async (host) => {
      await shells
        .get(host)
        ?.done(`ip addr add ${address}; arping -q -U -c 3 -w 3 -I eth0 ${network.vip} >/dev/null &`);
    },
    settled: () => Promise.resolve(),
    close: () => {
      for (const shell of shells.values()) shell.close();
    },
  };
}
