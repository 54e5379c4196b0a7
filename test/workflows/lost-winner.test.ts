import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { FenceProof } from '../../domain/report.ts';
import { TASK_QUEUE, useRig } from './rig.ts';

const rig = useRig();

const REVOKED: FenceProof = { rung: 'revocation', host: 'db1', proof: 'nobody acknowledges any more' };

const ready = (winner: string, fence: FenceProof, number = 5) => ({
  ...{ kind: 'ready', winner, epoch: { number, run: 'r' }, timeline: [] },
  decision: {
    diagnosis: { code: 'PrimaryGone', explains: 'it says nothing', consequence: 'failOver' },
    ...{ votes: [], fence, accepted: null },
    coverage: { kind: 'lossless', by: 'ackers', why: 'all of them contribute' },
  },
});

const PROMOTED = { epoch: { number: 6, run: 'r' }, mode: 'lossless', ackers: [], secondHolder: null, timeline: [] };

const refused = (message: string) => (): never => {
  throw ApplicationFailure.nonRetryable(message, 'Unsafe');
};
const lost = (host: string) => (): never => {
  throw ApplicationFailure.nonRetryable(`${host} has not answered`, 'Stale', { lost: host });
};

/** What the steps of one name do, one call after the other. */
const inTurn = (...results: readonly ((input: never) => unknown)[]): ((input: never) => unknown) => {
  const left = [...results];
  return (input) => left.shift()?.(input);
};

type Steps = Readonly<Record<string, (input: never) => unknown>>;

/** A failover over activities that the test makes up, to its end; then whatever `meanwhile` waits for. */
async function failOver(steps: Steps, meanwhile: (run: WorkflowHandle) => Promise<unknown> = () => Promise.resolve()) {
  const activities = { settleCluster: () => undefined, describeCluster: refused('it is away'), ...steps };
  const [workflows, worker] = [await rig().runWorkflows(), await rig().runActivities(activities)];
  const run = await rig().client.workflow.start('failover', {
    ...{ taskQueue: TASK_QUEUE, workflowId: 'operation/shop' },
    args: [{ cluster: 'shop', candidate: 'db2', askWithin: '5m' }],
  });
  const ended = run.result().catch((error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error));
  const [end]: readonly unknown[] = await Promise.all([ended, meanwhile(run)]);
  await worker.end();
  await workflows.end();
  return end;
}

const deposed = () => rig().client.workflow.getHandle('deposed/shop/db1');

/** Whether somebody waits for the old primary. */
const waits = (): Promise<boolean> =>
  deposed()
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      () => false,
    );

describe('an old primary that was not reached', () => {
  it('is left to a run of its own before anybody is recorded in its place, however the failover ends', async () => {
    const asked: unknown[] = [];
    const waited: boolean[] = [];
    let endPromotion: () => void = () => undefined;
    const promotionEnded = new Promise<void>((resolve) => (endPromotion = resolve));
    const end = await failOver(
      {
        fenceAndDrain: () => ready('db2', REVOKED),
        promoteAndRoute: async () => {
          waited.push(await waits());
          endPromotion();
          throw ApplicationFailure.nonRetryable('the VIP is not proven', 'Unsafe');
        },
        fenceDeposed: async (input) => {
          asked.push(input);
          await promotionEnded;
          return { kind: 'fenced', proof: 'process=gone' };
        },
      },
      () => promotionEnded.then(() => deposed().result()).catch(() => undefined),
    );
    expect(end).toMatchObject({ message: expect.stringContaining('the VIP is not proven') });
    expect(waited).toEqual([true]);
    expect(asked).toEqual([{ cluster: 'shop', host: 'db1', epoch: 5 }]);
  });

  it('is waited for by one run, whoever was elected after the first winner', async () => {
    let calls = 0;
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const end = await failOver(
      {
        fenceAndDrain: inTurn(
          () => ready('db2', REVOKED),
          () => ready('db3', { rung: 'ssh', host: 'db2', proof: 'process=gone' }, 7),
        ),
        promoteAndRoute: inTurn(lost('db2'), () => PROMOTED),
        fenceDeposed: async () => {
          calls += 1;
          await finished;
          return { kind: 'fenced', proof: 'process=gone' };
        },
      },
      async (run) => {
        await run.result();
        finish();
        await deposed().result();
      },
    );
    expect(end).toMatchObject({ outcome: 'failed-over', newPrimary: 'db3' });
    expect(calls).toBe(1);
  });
});
