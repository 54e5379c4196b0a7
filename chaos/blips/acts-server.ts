import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../../lab/machine.ts';
import { LabError, must, until } from '../../lab/run.ts';
import { startServer } from '../rounds/acts-host.ts';
import type { Act } from './acts.ts';
import type { Blip } from './plan.ts';
import type { Scene } from './scene.ts';
import { hostOf } from './scene.ts';

const START_MS = 60_000;
/** The least that a server takes; the sessions that are there are more, so that not even the one for administrators is free. */
const FEWEST_CONNECTIONS = 10;
const SESSIONS = 12;
/** A server that was silent for longer than this may have been dead for all who watch. */
const STILL_A_BLIP_MS = 350;

/** What says when to go on sets the limit itself: nobody else would be let in to lift it. */
async function takeConnections(scene: Scene, { host: name }: Blip): Promise<() => Promise<void>> {
  const host = hostOf(scene, name);
  const [[usual = ''] = []] = await host.sql('SELECT @@GLOBAL.max_connections');
  const guests = Array.from({ length: SESSIONS }, () =>
    host.spawn(['mariadb'], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  const keeper = host.spawn(['mariadb', '--batch', '--unbuffered'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  keeper.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const tell = (statement: string): void => void keeper.stdin?.write(`${statement};\n`);
  const count = "SELECT CONCAT(COUNT(*), ' guests') FROM information_schema.PROCESSLIST WHERE USER = 'root'";
  await until(`${String(SESSIONS)} idle sessions on ${host.name}`, async () => {
    tell(count);
    await pause(50);
    return [...said.matchAll(/(\d+) guests/g)].some(([, found]) => Number(found) > SESSIONS) ? true : undefined;
  });
  tell(`SET GLOBAL max_connections = ${String(FEWEST_CONNECTIONS)}; KILL USER standfast`);
  return async () => {
    keeper.stdin?.end(`SET GLOBAL max_connections = ${usual};\n`);
    await until(`the end of the session on ${host.name}`, () => keeper.exitCode ?? undefined);
    for (const guest of guests) guest.kill('SIGKILL');
  };
}

const STOP =
  'began=${EPOCHREALTIME//[.,]}; kill -STOP $1; sleep $2; kill -CONT $1; echo $((${EPOCHREALTIME//[.,]} - began))';

/** Ahead of everything that wants the processor, or it would last as long as the machine is busy. */
async function stopServer(scene: Scene, { host: name, lastsMs }: Blip): Promise<null> {
  const host = hostOf(scene, name);
  const [pid] = host.processes('mariadbd');
  if (pid === undefined) throw new LabError(`no mariadbd runs on ${host.name}`);
  const script = ['bash', '-c', STOP, 'stop', String(pid), (lastsMs / 1000).toFixed(3)];
  const stoppedMs = Number(await must(['chrt', '--fifo', '2', ...script])) / 1000;
  if (stoppedMs > STILL_A_BLIP_MS)
    throw new LabError(`${host.name} was stopped for ${stoppedMs.toFixed(0)} ms: that is no blip`);
  return null;
}

/** Made to acknowledge again by hand: `standfast prepare` would do it too, and move the epoch, which may not move here. */
async function restartReplica(scene: Scene, { host: name, lastsMs }: Blip): Promise<null> {
  const host = hostOf(scene, name);
  const stopped = await host.exec(['service', 'mariadb', 'stop'], { timeoutMs: START_MS });
  if (stopped.exitCode !== 0) throw new LabError(`MariaDB on ${host.name} does not stop: ${stopped.stderr}`);
  await pause(lastsMs);
  await startServer(host);
  await host.sql('SET GLOBAL rpl_semi_sync_slave_enabled = 1; START SLAVE');
  return null;
}

/** @returns what starts it again */
export async function stopApplier(host: Host): Promise<() => Promise<void>> {
  await host.sql('STOP SLAVE SQL_THREAD');
  return async () => {
    await host.sql('START SLAVE SQL_THREAD');
  };
}

export const serverActs = {
  'full-connections': takeConnections,
  'server-stopped': stopServer,
  'replica-restarted': restartReplica,
  'applier-stopped': (scene, { host }) => stopApplier(hostOf(scene, host)),
} as const satisfies Readonly<Record<string, Act>>;
