import { setTimeout as pause } from 'node:timers/promises';
import { networkActs } from './acts-network.ts';
import { serverActs } from './acts-server.ts';
import { watcherActs } from './acts-watcher.ts';
import type { BlipKind } from './catalogue.ts';
import type { Blip } from './plan.ts';
import type { Scene } from './scene.ts';

/** Begins a blip. @returns what ends it; null when it is over already */
export type Act = (scene: Scene, blip: Blip) => Promise<(() => void | Promise<void>) | null>;

const ACTS: Readonly<Record<BlipKind, Act>> = { ...networkActs, ...serverActs, ...watcherActs };

/** Makes a blip and ends it in its time. */
export async function act(scene: Scene, blip: Blip): Promise<void> {
  const end = await ACTS[blip.kind](scene, blip);
  if (end === null) return;
  try {
    await pause(blip.lastsMs);
  } finally {
    await end();
  }
}
