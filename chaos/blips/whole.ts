import { setTimeout as pause } from 'node:timers/promises';
import { StandfastError } from '../../client/index.ts';
import { watchId } from '../../domain/addresses.ts';
import type { Transition } from '../../domain/watch.ts';
import { runningActivity } from '../../lab/activity.ts';
import { transitionsOf } from '../../lab/transitions.ts';
import { WorkflowNotFoundError } from '@temporalio/client';
import { CLUSTER } from '../stage.ts';
import { PRIMARY, REPLICAS } from './catalogue.ts';
import type { Scene } from './scene.ts';

const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 250;
const STATUS_MS = 30_000;
const SHARD = watchId('main');

const WELL: Readonly<Record<string, string>> = {
  [PRIMARY]: 'PrimaryServes',
  ...Object.fromEntries(REPLICAS.map((host) => [host, 'Replicates'])),
};

/** What the watcher has told so far, oldest first; a watch that has grown long begins anew. */
export async function toldBy({ temporal }: Pick<Scene, 'temporal'>): Promise<readonly Transition[]> {
  try {
    return await transitionsOf(temporal.workflow.getHandle(SHARD));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

/** Waits until the cluster is seen whole: by its watcher, and by a verification. @returns what was still missing when patience ended; null: nothing */
export async function untilWhole(scene: Scene): Promise<string | null> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const missing = (await unwatched(scene)) ?? (await unsound(scene));
    if (missing === null || performance.now() > endsAt) return missing;
    await pause(LOOK_EVERY_MS);
  }
}

async function unwatched(scene: Scene): Promise<string | null> {
  const watches = await runningActivity(scene.connection, SHARD);
  if (watches === null) return 'nobody watches';
  const last = new Map((await toldBy(scene)).map(({ host, code }) => [host, code]));
  const other = Object.entries(WELL).find(([host, code]) => last.get(host) !== code);
  return other === undefined ? null : `the watcher says ${last.get(other[0]) ?? 'nothing'} of ${other[0]}`;
}

async function unsound({ stage }: Scene): Promise<string | null> {
  try {
    const { verdict, operation } = await stage.client.status(CLUSTER, { timeoutMs: STATUS_MS });
    if (operation !== null) return `${operation.type} runs`;
    return verdict.state === 'ok' ? null : verdict.sentence;
  } catch (error) {
    if (error instanceof StandfastError) return `the verification failed: ${error.message}`;
    throw error;
  }
}
