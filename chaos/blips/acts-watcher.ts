import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { LabError, must, run, until } from '../../lab/run.ts';
import type { Act } from './acts.ts';
import { stopApplier } from './acts-server.ts';
import type { Blip } from './plan.ts';
import type { Scene } from './scene.ts';
import { hostOf, watcherOf } from './scene.ts';
import { toldBy } from './whole.ts';

const HOUR_SECONDS = 3600;
const LOOK_EVERY_MS = 200;

function stopWatcher(scene: Scene): Promise<() => void> {
  const pid = watcherOf(scene);
  process.kill(pid, 'SIGSTOP');
  return Promise.resolve(() => {
    process.kill(pid, 'SIGCONT');
  });
}

/** The kernel leaves a twentieth of the core to whoever has no such priority. */
async function starveWatcher(scene: Scene, { lastsMs }: Blip): Promise<null> {
  const pid = String(watcherOf(scene));
  const core = cpus().length - 1;
  if (core < 1) throw new LabError('a machine with one core would starve the servers too');
  const usual = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  const seat = (list: string): Promise<string> => must(['taskset', '--all-tasks', '--cpu-list', '--pid', list, pid]);
  await seat(String(core));
  const waitedBefore = waitedMs(pid);
  // It ends by itself, whatever becomes of this process.
  const busy = ['timeout', (lastsMs / 1000).toFixed(3), 'bash', '-c', 'while :; do :; done'];
  await run(['taskset', '--cpu-list', String(core), 'chrt', '--rr', '1', ...busy]);
  await seat(usual);
  const waited = waitedMs(pid) - waitedBefore;
  if (waited > lastsMs / 2) return null;
  throw new LabError(`the watcher waited only ${waited.toFixed(0)} of ${String(lastsMs)} ms for its core`);
}

/** For how long its first thread wanted to run and could not. */
const waitedMs = (pid: string): number =>
  Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1_000_000;

/** What is told meanwhile shows that the clock has really moved. */
const moveClock =
  (direction: 1 | -1): Act =>
  async (scene, { host }) => {
    const { clock } = scene;
    const before = (await toldBy(scene)).length;
    clock.set(direction * HOUR_SECONDS);
    const startApplier = await stopApplier(hostOf(scene, host));
    const end = async (): Promise<void> => {
      clock.set(0);
      await startApplier();
    };
    const moved = until('the stopped applier, told an hour off', async () => {
      const told = (await toldBy(scene)).slice(before).find(({ code }) => code === 'ApplierStopped');
      if (told === undefined) return pause(LOOK_EVERY_MS, undefined);
      const aheadSeconds = (Date.parse(told.at) - Date.now()) / 1000;
      if (aheadSeconds * direction > HOUR_SECONDS / 2) return true;
      throw new LabError(`the watcher's clock did not move: it is ${aheadSeconds.toFixed(0)} s ahead`);
    });
    await moved.catch(async (error: unknown) => {
      await end();
      throw error;
    });
    return end;
  };

export const watcherActs = {
  'watcher-stopped': stopWatcher,
  'watcher-starved': starveWatcher,
  'clock-ahead': moveClock(1),
  'clock-behind': moveClock(-1),
} as const satisfies Readonly<Record<string, Act>>;
