import { setTimeout as pause } from 'node:timers/promises';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { LabError } from '../../lab/run.ts';
import { act } from './acts.ts';
import type { Evidence } from './judge.ts';
import type { Blip } from './plan.ts';
import type { Scene } from './scene.ts';
import type { Standing } from './standing.ts';
import { operationsBetween, standingOf } from './standing.ts';
import { toldBy, untilWhole } from './whole.ts';

const WRITES = 5;

export interface Setting {
  readonly scene: Scene;
  readonly ledger: Ledger;
  /** At the end of the blip before: what has begun since then counts too. */
  readonly before: Standing;
}

export interface Played extends Evidence {
  /** What the watcher told meanwhile: it has seen something of the blip. */
  readonly told: readonly string[];
}

/** Plays one blip, waits until the cluster is whole again and takes writes, and looks at what has become of it. */
export async function playBlip(blip: Blip, { scene, ledger, before }: Setting): Promise<Played> {
  const toldBefore = (await toldBy(scene)).length;
  const loggedBefore = scene.worker.log().length;
  await pause(blip.pauseMs);
  const fault = await act(scene, blip).then(() => null, faultOf);
  const missing = (await untilWhole(scene)) ?? (await unwritten(ledger));
  const told = await toldBy(scene);
  const after = await standingOf(scene);
  return {
    ...{ fault, missing, before, after, operations: await operationsBetween(scene, before, after) },
    watchFaults: scene.worker.log().slice(loggedBefore).split('\n').filter(isFault),
    told: told.slice(told.length < toldBefore ? 0 : toldBefore).map(({ host, code }) => `${host} ${code}`),
  };
}

/** As `activities/watching.ts` words it. */
const isFault = (line: string): boolean => line.includes('the watch of a cluster ended with a fault');

const unwritten = (ledger: Ledger): Promise<string | null> =>
  ledger.acknowledged(WRITES, { since: Ledger.now() }).then(() => null, faultOf);

function faultOf(error: unknown): string {
  if (error instanceof LabError) return error.message;
  throw error;
}
