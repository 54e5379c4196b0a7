import { until } from '../lab/run.ts';
import type { Scene } from './scene.ts';

export type Death = 'worker' | 'temporal';

const REPORT_MS = 60_000;

/** Somebody dies while the worker stands still: before the effect of what it is held in, or after it and before its report. */
export async function dieHeld(scene: Scene, death: Death): Promise<void> {
  const held = scene.worker;
  if (death === 'worker') {
    // The other one is there first, and has nothing to do while this one beats.
    scene.worker = await scene.hire();
    await held.kill();
    return;
  }
  // The worker goes on meanwhile, and has nobody to tell.
  await scene.stage.temporal.kill();
  held.release();
  await scene.stage.temporal.startAgain();
}

/** Somebody dies as soon as the server's history holds the result of the activity in which the worker is held. */
export async function dieReported(scene: Scene, activity: string, death: Death): Promise<void> {
  const runs = await scene.runsOfPlay();
  const before = await scene.runs.countCompleted(runs, activity);
  scene.worker.release();
  const isReported = async (): Promise<true | undefined> =>
    (await scene.runs.countCompleted(runs, activity)) > before ? true : undefined;
  await until(`the report of ${activity}`, isReported, REPORT_MS);
  if (death === 'temporal') {
    await scene.stage.temporal.kill();
    await scene.stage.temporal.startAgain();
    return;
  }
  await scene.worker.kill();
  scene.worker = await scene.hire();
}
