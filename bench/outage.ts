import { randomInt } from 'node:crypto';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';

const PATIENCE_MS = 60_000;
/** Seldom: the instants stand in the books, and whoever reads them takes time from the hosts, which share this machine. */
const READ_EVERY_MS = 200;

/** A fault falls on any instant of a watcher's period. */
export const randomPause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, randomInt(0, 400)));

/**
 * Somebody asks through the VIP every 5 ms; one that waits for an answer which never comes keeps no other from asking. More often would be more exact by less
 * than it takes: while nobody serves each question is a connection, of this machine's processors too.
 */
export const startClients = async (lab: Lab): Promise<Ledger> => {
  const clients = Ledger.start(lab, { hosts: [], vipWriters: 30, periodMs: 150 });
  await clients.acknowledged(60);
  return clients;
};

/**
 * Who writes where, at every server and all the time: what proves that nothing is lost and that there were never two writers. Beside the floor as well,
 * since it takes its share of the machine.
 */
export const startBooks = (lab: Lab): Ledger => Ledger.start(lab, { vipWriters: 1, periodMs: 30 });

interface Fall {
  /** On the ledger's clock. */
  readonly faultAt: number;
  /** Server ID of the one that fell; it may have answered a last write while it did. */
  readonly deposed: number;
}

/** Waits for the first write that another server accepts through the VIP. @returns milliseconds from the fault to its acknowledgement */
export async function outage(ledger: Ledger, { faultAt, deposed }: Fall): Promise<number> {
  const giveUpMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const ends = ledger
      .attempts()
      .filter(({ route, outcome, serverId }) => route === 'vip' && outcome === 'ack' && serverId !== deposed)
      .map((one) => one.endedAt);
    if (ends.length > 0) return (Math.min(...ends) - faultAt) / 1_000;
    if (performance.now() > giveUpMs)
      throw new Error(`no other server accepted a write through the VIP within ${String(PATIENCE_MS)} ms`);
    await new Promise((resolve) => setTimeout(resolve, READ_EVERY_MS));
  }
}
