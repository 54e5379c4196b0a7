import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Lab } from './lab.ts';
import { network } from './network.ts';
import { mark } from './processes.ts';
import { LabError, must, plainEnvironment } from './run.ts';
import { projectFolder } from './state.ts';

export interface SlowLine {
  /** What the card says of itself, and what gets through. */
  readonly mbits: number;
  /** Between this host and any other one. */
  readonly roundTripMs: number;
}

/**
 * Gives a host another card, with the address of the old one, on a line that is slow or far. Everything is late, ARP and VRRP too; cuts hold as before. It
 * lasts until the host's next power cycle, which brings the usual cable back.
 */
export async function slowLine(lab: Lab, hostName: string, { mbits, roundTripMs }: SlowLine): Promise<void> {
  const host = lab.host(hostName);
  const [hostSpace, switchSpace] = [`${lab.state.name}-${host.name}`, `${lab.state.name}-switch`];
  const [card, wire] = [`card-${host.name}`, `wire-${host.name}`];
  const ip = (namespace: string, lines: readonly string[]): Promise<string> =>
    must(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  const mac = (await must(['ip', 'netns', 'exec', hostSpace, 'cat', '/sys/class/net/eth0/address'])).trim();
  await ip(hostSpace, ['link set eth0 down', `link set eth0 name ${wire}`, `link set ${wire} netns ${switchSpace}`]);
  await ip(switchSpace, [`link set ${wire} up`]);
  await carry(lab, [card, wire, String(mbits), String(roundTripMs / 2)]);
  await ip(switchSpace, [`link set ${card} address ${mac}`, `link set ${card} name eth0 netns ${hostSpace}`]);
  await ip(hostSpace, [`addr add ${host.address}/${String(network.prefix)} brd + dev eth0`, 'link set eth0 up']);
}

/** Starts the program that is the line, and waits until it has made the card. */
async function carry(lab: Lab, args: readonly string[]): Promise<void> {
  const program = path.join(projectFolder, 'lab', 'line.py');
  const child = spawn('nsenter', [`--net=/run/netns/${lab.state.name}-switch`, '--', 'python3', program, ...args], {
    ...{ env: plainEnvironment, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      reject(new LabError(`the line did not start: ${said.trim()}`));
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.startsWith('ready')) resolve();
      });
  });
  const found = child.pid === undefined ? undefined : mark(child.pid);
  if (found === undefined) throw new LabError('the line ended at once');
  lab.change({ processes: [...lab.state.processes, found] });
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
}
