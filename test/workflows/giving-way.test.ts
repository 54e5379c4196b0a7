import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it, vi } from 'vitest';
import { seen, SHOP } from '../domain/shop.ts';
import { TASK_QUEUE, useRig } from './rig.ts';

const rig = useRig();

/** The long step of an operation, which goes on until it is cancelled, and everything that was begun, in its order. */
function fakeSteps() {
  const begun: string[] = [];
  const long = async (): Promise<never> => {
    begun.push('step');
    const context = Context.current();
    const beating = setInterval(() => {
      context.heartbeat();
    }, 20);
    return context.cancelled.finally(() => {
      begun.push('step cancelled');
      clearInterval(beating);
    });
  };
  const undo = () => {
    begun.push('undo');
    return { undone: ['all of it'], notUndone: [] };
  };
  const activities = {
    describeCluster: () => SHOP,
    observeCluster: () => seen(),
    equipMembers: () => ({ equipped: [], unreachable: [] }),
    planRejoin: () => ({ follows: false }),
    ...{ openPrimary: long, admitReplica: long, rejoinHost: long, removeAcker: long, goAsync: long, makeRoom: long },
    ...{ undoAdmission: undo, undoRejoin: undo, undoRemoval: undo },
  };
  return { begun, activities };
}

it.each([
  ['preparePrimary', false],
  ['admitReplica', true],
  ['removeAcker', true],
  ['goAsync', false],
  ['makeRoom', false],
  ['repointReplica', true],
])('%s is undone, and frees the lock, when the primary died', { timeout: 30_000 }, async (runbook, hasUndo) => {
  const { begun, activities } = fakeSteps();
  const workers = [await rig().runWorkflows(), await rig().runActivities(activities)];
  const run = await rig().client.workflow.start(runbook, {
    taskQueue: TASK_QUEUE,
    workflowId: 'operation/shop',
    args: [{ cluster: 'shop', ...(['goAsync', 'makeRoom'].includes(runbook) ? {} : { host: 'db3' }) }],
  });
  await vi.waitUntil(() => begun.length > 0, { timeout: 20_000 });
  await run.signal('primaryDead', 'no server runs on db1');
  const ended: unknown = await run.result().catch((error: unknown) => error);
  const cause = ended instanceof WorkflowFailedError ? ended.cause : null;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({ type: 'Stale' });
  expect(cause?.message).toContain('a failover must not wait for it (no server runs on db1)');
  expect(begun).toEqual(['step', 'step cancelled', ...(hasUndo ? ['undo'] : [])]);
  if (hasUndo) expect(cause?.message).toContain('Undone: all of it.');
  for (const worker of workers) await worker.end();
});
