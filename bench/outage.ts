import { randomInt } from 'node:crypto';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { until } from '../lab/run.ts';

/** A fault falls on any instant of a watcher's period. */
export const randomPause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, randomInt(0, 400)));

/** Somebody asks through the VIP every 2 ms; one that waits for an answer which never comes keeps no other from asking. */
export const startClients = async (lab: Lab): Promise<Ledger> => {
  const clients = Ledger.start(lab, { hosts: [], vipWriters: 30, periodMs: 60 });
  await clients.acknowledged(60);
  return clients;
};

interface Fall {
  /** On the ledger's clock. */
  readonly faultAt: number;
  /** Server ID of the one that fell; it may have answered a last write while it did. */
  readonly deposed: number;
}

/** Waits for the first write that another server accepts through the VIP. @returns milliseconds from the fault to its acknowledgement */
export async function outage(ledger: Ledger, { faultAt, deposed }: Fall): Promise<number> {
  const endedAt = await until(
    'a write accepted through the VIP by another server',
    () => {
      const ends = ledger
        .attempts()
        .filter(({ route, outcome, serverId }) => route === 'vip' && outcome === 'ack' && serverId !== deposed)
        .map((one) => one.endedAt);
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    60_000,
  );
  return (endedAt - faultAt) / 1_000;
}
