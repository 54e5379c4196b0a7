import { Context } from '@temporalio/activity';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Orphans } from '../../worker/orphans.ts';
import { TASK_QUEUE, useRig } from '../workflows/rig.ts';

const rig = useRig();

/** The end of a worker's process as its parent knows it. */
const asChild = (): EventEmitter => new EventEmitter();

let orphans: Orphans;
beforeEach(() => {
  vi.stubEnv('TEMPORAL_ADDRESS', rig().address);
  orphans = new Orphans();
});
afterEach(async () => {
  await orphans.close();
  vi.unstubAllEnvs();
});

/** A runbook whose only step never ends in the worker that had it first. */
async function begin() {
  const tokens: string[] = [];
  let letGo: () => void = () => undefined;
  const hung = new Promise<void>((resolve) => (letGo = resolve));
  const goAsync = async () => {
    tokens.push(Context.current().info.base64TaskToken);
    if (tokens.length === 1) await hung;
    return { sentence: 'done', epoch: { number: 1, run: 'r' } };
  };
  const workers = [await rig().runWorkflows(), await rig().runActivities({ goAsync })];
  const run = await rig().client.workflow.start('goAsync', {
    taskQueue: TASK_QUEUE,
    workflowId: 'operation/shop',
    args: [{ cluster: 'shop' }],
  });
  await vi.waitUntil(() => tokens.length === 1, { timeout: 20_000 });
  const end = async (): Promise<void> => {
    letGo();
    for (const worker of workers) await worker.end();
  };
  return { run, token: tokens[0] ?? '', end };
}

it('what a worker ran that died is tried again at once', { timeout: 60_000 }, async () => {
  const { run, token, end } = await begin();
  const child = asChild();
  orphans.adopt(child);
  child.emit('message', { begun: 'b3RoZXI=' });
  child.emit('message', { ended: 'b3RoZXI=' });
  child.emit('message', { begun: token });
  await orphans.release(child);
  expect(await run.result()).toMatchObject({ sentence: 'done' });
  const { events } = await run.fetchHistory();
  const retried = events
    ?.map((event) => event.activityTaskStartedEventAttributes?.lastFailure?.message)
    .filter(Boolean);
  expect(retried).toEqual(['its worker died']);
  await end();
});
