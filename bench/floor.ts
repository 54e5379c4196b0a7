import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { network } from '../lab/network.ts';
import type { Lab } from '../lab/lab.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { FloorOrder } from './floor-process.ts';
import type { Fault } from './faults.ts';
import { outage, randomPause, startBooks, startClients } from './outage.ts';
import { Shell } from './shell.ts';

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'floor-process.js');
const SILENCE_MS = 300;

const vip = `${network.vip}/${String(network.prefix)}`;

/** Opens db1 by hand, without keepalived, and puts the VIP on it. */
async function openByHand(lab: Lab): Promise<void> {
  await Promise.all(lab.hosts.map((host) => host.exec(['service', 'keepalived', 'stop'], { timeoutMs: 30_000 })));
  for (const host of lab.hosts) await host.sql('SET GLOBAL rpl_semi_sync_master_enabled=0');
  await lab.host('db1').sql('SET GLOBAL read_only=0');
  for (const host of ['db2', 'db3']) await lab.host(host).sql('START SLAVE');
  await lab.host('db1').exec(['ip', 'addr', 'add', vip, 'dev', 'eth0']);
  await lab.host('db1').exec(['arping', '-q', '-U', '-c', '1', '-I', 'eth0', network.vip]);
}

/** Milliseconds from the fault. */
export interface FloorRound {
  /** To the instant at which it takes the primary for dead. */
  readonly knownMs: number;
  /** To the first write accepted through the VIP. */
  readonly outageMs: number;
}

/** One round of the hand-coded failover. */
export async function floorRound(lab: Lab, state: string, fault: Fault): Promise<FloorRound> {
  await lab.restore(state);
  await openByHand(lab);
  const shells = { db1: new Shell(lab, 'db1'), db2: new Shell(lab, 'db2') };
  const order: FloorOrder = {
    primary: lab.host('db1').address,
    winner: lab.host('db2').address,
    user: 'standfast',
    password: readFileSync(lab.etc('standfast.password'), 'utf8').trim(),
    silenceMs: SILENCE_MS,
  };
  const child = lab.control.spawn([process.execPath, program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout ?? process.stdin });
  let knownAt = 0;
  said.on('line', (line) => {
    if (line === 'dead') knownAt = Ledger.now();
    if (line === 'dead') shells.db1.order(`ip addr del ${vip} dev eth0`);
    if (line === 'open')
      shells.db2.order(`ip addr add ${vip} dev eth0; arping -q -U -c 3 -w 3 -I eth0 ${network.vip} &`);
  });
  child.stdin?.write(`${JSON.stringify(order)}\n`);
  await once(said, 'line');
  const books = startBooks(lab);
  const ledger = await startClients(lab);
  await randomPause();
  const faultAt = Ledger.now();
  await fault.strike(lab, 'db1');
  const outageMs = await outage(ledger, { faultAt, deposed: 1 });
  await Promise.all([ledger.stop(), books.stop()]);
  for (const shell of Object.values(shells)) shell.close();
  return { outageMs, knownMs: (knownAt - faultAt) / 1_000 };
}
