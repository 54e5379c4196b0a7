import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';
import type { LabWorker } from '../../lab/workers.ts';
import type { Incident, Scenario } from '../play.ts';
import type { Scene } from '../scene.ts';
import { snapshot } from '../snapshot.ts';
import type { Attempt } from './attempts.ts';

/** A story in which a worker is frozen past its heartbeat timeout, and thaws when another one has finished. */
export interface Haunting {
  readonly scenario: Scenario;
  readonly incident: Incident;
  /** What the zombie was told when it woke up. */
  readonly heard: () => string;
}

const STALE_SETTLE_MS = 300;
const REFUSALS = /"type":"(Stale|Unsafe)"|\bStale\b/g;

export function haunt({ scenario, point, afterMs }: Attempt): Haunting {
  let zombie: LabWorker | undefined;
  let heard = 'it was never frozen';
  const happen = async (scene: Scene): Promise<void> => {
    const frozen = scene.worker;
    if (afterMs !== null) {
      frozen.release();
      await sleep(afterMs);
    }
    frozen.signal('SIGSTOP');
    zombie = frozen;
    scene.worker = await scene.hire();
  };
  const judge: Scenario['judge'] = async (scene, ended) => {
    if (zombie === undefined) return [heard, ...(await scenario.judge(scene, ended))];
    const { lab } = scene.stage;
    const before = await atRest(lab);
    const told = zombie.log().length;
    await thaw(zombie, afterMs === null);
    const after = await atRest(lab);
    const refusals = zombie.log().slice(told).match(REFUSALS)?.length ?? 0;
    heard = `the zombie was refused ${String(refusals)} times`;
    return [...differences(before, after), ...(await scenario.judge(scene, ended))];
  };
  return { scenario: { ...scenario, judge }, incident: { point, happen }, heard: () => heard };
}

/** Lets it do whatever it still wants to: it ends by itself when its activities have ended. */
async function thaw(zombie: LabWorker, isHeld: boolean): Promise<void> {
  zombie.signal('SIGCONT');
  if (isHeld) zombie.release();
  zombie.signal('SIGTERM');
  await zombie.ended();
}

/** The cluster when nothing moves by itself any more: two looks that show the same. */
async function atRest(lab: Lab): Promise<readonly string[]> {
  let before = await snapshot(lab);
  for (let look = 0; look < 60; look += 1) {
    await sleep(STALE_SETTLE_MS);
    const now = await snapshot(lab);
    if (now.join('\n') === before.join('\n')) return now;
    before = now;
  }
  return before;
}

function differences(before: readonly string[], after: readonly string[]): readonly string[] {
  const lost = before.filter((line) => !after.includes(line));
  const found = after.filter((line) => !before.includes(line));
  return lost.length + found.length === 0 ? [] : [`the zombie changed: ${lost.join(', ')} → ${found.join(', ')}`];
}
