import { setTimeout as sleep } from 'node:timers/promises';
import { StandfastError } from '../client/index.ts';
import type { RunReference } from '../client/index.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import type { ActivityRecord, Runs } from './runs.ts';
import { Scene } from './scene.ts';
import type { SavedState, Stage } from './stage.ts';

/** How a run ended, as its caller heard it. */
export type Ending =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: StandfastError }
  | { readonly kind: 'hangs'; readonly why: string };

/** What happens when the worker stands still at a point. Whatever it does, somebody goes on with the run afterwards. */
export interface Incident {
  readonly point: string;
  readonly happen: (scene: Scene) => Promise<void>;
}

/** A story that every play tells anew: what breaks, who is called, and what has to be true in the end. */
export interface Scenario {
  readonly state: SavedState;
  /** Well ended, it leaves the cluster as it found it, so that the next play can begin at once. */
  readonly leavesAsFound: boolean;
  /** What the story itself needs on its way, such as a cancellation. */
  readonly turns?: readonly Incident[];
  readonly breaks?: (stage: Stage) => Promise<void>;
  /** Starts the run, or waits for the one that the same request started. */
  readonly call: (stage: Stage, options: Call) => Promise<unknown>;
  /** @returns one sentence for everything that is not as it has to be */
  readonly judge: (
    scene: Scene,
    ended: { readonly ending: Ending; readonly faultAt: number },
  ) => Promise<readonly string[]>;
}

export interface Call {
  readonly requestId: string;
  readonly detach?: true;
}

export interface Played {
  /** Points at which something happened. */
  readonly reached: readonly string[];
  readonly broken: readonly string[];
  readonly ending: string;
  readonly activities: readonly ActivityRecord[];
}

const LOOK_EVERY_MS = 5;
/** Far beyond every time limit that a step of these runs should need, and far below the limits of the runs themselves. */
const HANGS_AFTER_MS = 180_000;

/** Plays one scenario with its incidents, on a cluster that is as the scenario wants it. */
export async function play(
  base: { readonly stage: Stage; readonly runs: Runs },
  scenario: Scenario,
  extra: readonly Incident[],
): Promise<Played> {
  const incidents = [...(scenario.turns ?? []), ...extra];
  const scene = await Scene.set(
    base,
    incidents.map((one) => one.point),
  );
  try {
    const faultAt = Ledger.now();
    await scenario.breaks?.(base.stage);
    const requestId = `play-${String(faultAt)}`;
    scene.begun((await scenario.call(base.stage, { requestId, detach: true })) as RunReference);
    const waiting = endingOf(scenario.call(base.stage, { requestId }));
    const { reached, ending } = await goThrough(scene, incidents, waiting);
    const judged = await scenario.judge(scene, { ending, faultAt });
    return {
      reached,
      broken: [...judged, ...(await whatIsLeft(scene))],
      ending: sentenceOf(ending),
      activities: (await Promise.all((await scene.runsOfPlay()).map((run) => scene.runs.activities(run)))).flat(),
    };
  } finally {
    await scene.strike();
  }
}

async function endingOf(call: Promise<unknown>): Promise<Ending> {
  try {
    return { kind: 'done', result: await call };
  } catch (error) {
    if (error instanceof StandfastError) return { kind: 'failed', error };
    throw error;
  }
}

/** Lets every incident happen when its point is reached, and waits for the end of the run. */
async function goThrough(
  scene: Scene,
  incidents: readonly Incident[],
  waiting: Promise<Ending>,
): Promise<{ readonly reached: readonly string[]; readonly ending: Ending }> {
  const reached: string[] = [];
  let ending: Ending | undefined;
  const noted = waiting.then((one) => {
    ending = one;
  });
  let deadline = performance.now() + HANGS_AFTER_MS;
  while (ending === undefined) {
    const point = scene.takeHeld();
    const incident = incidents.find((one) => one.point === point);
    if (incident !== undefined) {
      await incident.happen(scene);
      reached.push(incident.point);
      deadline = performance.now() + HANGS_AFTER_MS;
    }
    if (performance.now() > deadline)
      return { reached, ending: { kind: 'hangs', why: (await scene.runs.left()).join('; ') } };
    await Promise.race([noted, sleep(LOOK_EVERY_MS)]);
  }
  return { reached, ending };
}

/** I7 and I9: no run is left, and no worker has printed a secret. */
async function whatIsLeft(scene: Scene): Promise<readonly string[]> {
  const secrets = scene.stage.lab.secrets();
  return [
    ...(await scene.runs.left()).map((one) => `I7: ${one} has not ended`),
    ...scene.workers
      .filter((worker) => secrets.some((secret) => worker.log().includes(secret)))
      .map(({ name }) => `I9: the log of worker ${name} holds a password`),
  ];
}

export function sentenceOf(ending: Ending): string {
  if (ending.kind === 'hangs') return `hangs: ${ending.why}`;
  if (ending.kind === 'failed') return `${ending.error.type}: ${ending.error.message}`;
  const { outcome, sentence } = ending.result as { readonly outcome?: string; readonly sentence?: string };
  return sentence ?? outcome ?? 'done';
}
