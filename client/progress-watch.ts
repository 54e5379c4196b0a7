import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from './connection.ts';
import { ask } from './connection.ts';
import type { RunReference } from './errors.ts';
import { StandfastError } from './errors.ts';
import type { Progress, RunGlimpse } from './progress.ts';
import { glimpseOf, progressBetween } from './progress.ts';

const GLIMPSE_EVERY_MS = 300;
const GLIMPSE_DEADLINE_MS = 3000;
const NOBODY_WORKS_AFTER_MS = 3000;

export interface ProgressWatch {
  readonly tell: (progress: Progress) => void;
  readonly over: AbortSignal;
}

/** Follows a run until it ends or `over`. A courtesy: its failures are told, and never end the wait. */
export async function tellProgress(link: Link, run: RunReference, watch: ProgressWatch): Promise<void> {
  try {
    await follow(link, run, watch);
  } catch (error) {
    if (watch.over.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    watch.tell({ kind: 'waiting', explains: `progress cannot be shown (${why}); waiting for the result` });
  }
}

async function follow(link: Link, run: RunReference, { tell, over }: ProgressWatch): Promise<void> {
  const handle = link.client.workflow.getHandle(run.workflowId, run.runId);
  const lookForWorkers = askOnce(link, tell);
  let seen: RunGlimpse | null = null;
  let isSilent = false;
  const isOver = (): boolean => over.aborted;
  while (!isOver()) {
    const now = await glimpse(link, async () => glimpseOf(await handle.describe()));
    if (isOver()) return;
    if ((now === null) !== isSilent) tell({ kind: 'waiting', explains: soundOf(link, run, now) });
    isSilent = now === null;
    if (now !== null) {
      for (const entry of progressBetween(seen, now)) tell(entry);
      seen = now;
      if (!now.running) return;
      await lookForWorkers(now);
    }
    await sleep(GLIMPSE_EVERY_MS, undefined, { signal: over });
  }
}

/** Null while Temporal does not answer. */
async function glimpse(link: Link, look: () => Promise<RunGlimpse>): Promise<RunGlimpse | null> {
  try {
    return await ask(link, look, GLIMPSE_DEADLINE_MS);
  } catch (error) {
    if (error instanceof StandfastError && error.type === 'TemporalUnreachable') return null;
    throw error;
  }
}

const soundOf = (link: Link, run: RunReference, now: RunGlimpse | null): string =>
  now === null
    ? `Temporal does not answer at ${link.config.address}; ${run.type} goes on when it is back`
    : 'Temporal answers again';

/** A run that nobody takes up is the commonest reason to wait for nothing. */
function askOnce(link: Link, tell: ProgressWatch['tell']): (now: RunGlimpse) => Promise<void> {
  const started = performance.now();
  let asked = false;
  return async ({ phase, steps }) => {
    const isIdle = phase === null && steps.length === 0;
    if (asked || !isIdle || performance.now() - started < NOBODY_WORKS_AFTER_MS) return;
    asked = true;
    const { taskQueue } = link.config;
    if (!(await hasWorkers(link)))
      tell({
        kind: 'waiting',
        explains: `no worker polls the task queue ${taskQueue}: start one with standfast worker start`,
      });
  };
}

async function hasWorkers(link: Link): Promise<boolean> {
  const { client, config, connection } = link;
  const answer = await ask(link, () =>
    connection.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: config.taskQueue },
    }),
  );
  return answer.pollers.length > 0;
}
