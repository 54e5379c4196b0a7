import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it, vi } from 'vitest';
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
  try {
    const [end]: readonly unknown[] = await Promise.all([ended, meanwhile(run)]);
    return end;
  } finally {
    await run.terminate().catch(() => undefined); // of a test that failed
    await worker.end();
    await workflows.end();
  }
}

const deposed = (host = 'db1') => rig().client.workflow.getHandle(`deposed/shop/${host}`);

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
    // A busy machine may try again what it heard nothing of in time.
    expect(waited[0]).toBe(true);
    expect(asked[0]).toEqual({ cluster: 'shop', host: 'db1', epoch: 5 });
  });

  it('is waited for by one run, whoever was elected after the first winner', async () => {
    const children: string[] = [];
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
          await finished;
          return { kind: 'fenced', proof: 'process=gone' };
        },
      },
      async (run) => {
        await run.result();
        finish();
        await deposed().result();
        const { events } = await run.fetchHistory();
        for (const event of events ?? []) {
          if (event.childWorkflowExecutionStartedEventAttributes) children.push('started');
          if (event.startChildWorkflowExecutionFailedEventAttributes) children.push('waits already');
        }
      },
    );
    expect(end).toMatchObject({ outcome: 'failed-over', newPrimary: 'db3' });
    expect(children).toEqual(['started', 'waits already']);
  });
});

const SHUT_OFF = { fenceDeposed: () => ({ kind: 'fenced', proof: 'process=gone' }) };
const SSH: FenceProof = { rung: 'ssh', host: 'db1', proof: 'process=gone' };
const ANSWERED: FenceProof = { rung: 'accepted', host: 'db1', proof: 'ann answers for it' };
const EARLIER: FenceProof = { rung: 'earlier', host: 'db1', proof: 'by the earlier run', again: ANSWERED };

describe('a failover whose winner is lost', () => {
  it('takes the best of the others, also when that one was asked for', async () => {
    const candidates: unknown[] = [];
    const decide = inTurn(
      () => ready('db2', SSH),
      () => ready('db3', SSH, 7),
    );
    const end = await failOver({
      fenceAndDrain: (input: { readonly candidate: unknown }) => {
        candidates.push(input.candidate);
        return decide(input as never);
      },
      promoteAndRoute: inTurn(lost('db2'), () => PROMOTED),
    });
    expect(end).toMatchObject({ outcome: 'failed-over', newPrimary: 'db3' });
    expect(candidates).toEqual(['db2', null]);
  });

  it('asks anew about the one that is the old primary then: what a person said of the first one does not count for it', async () => {
    const asked = (primary: string) => () => ({
      ...{ kind: 'refused', primary, explains: `${primary} may live`, remedy: 'bring it back', changed: false },
      ...{ risk: { fence: `${primary} may live`, loss: null }, timeline: [] },
    });
    const decide = inTurn(
      asked('db1'),
      () => ready('db2', ANSWERED),
      asked('db2'),
      () => ready('db3', { ...ANSWERED, host: 'db2' }, 7),
    );
    const given: unknown[] = [];
    const answer = (run: WorkflowHandle, more: object) =>
      vi.waitUntil(
        () =>
          run
            .executeUpdate('accept', { args: [{ by: 'ann', reason: 'it is off', fence: true, ...more }] })
            .catch(() => null),
        { timeout: 20_000, interval: 100 },
      );
    const end = await failOver(
      {
        fenceAndDrain: (input: { readonly accepted: unknown }) => {
          given.push(input.accepted);
          return decide(input as never);
        },
        promoteAndRoute: inTurn(lost('db2'), () => PROMOTED),
        ...SHUT_OFF,
      },
      async (run) => {
        expect(await answer(run, { loss: 'unknown' })).toMatchObject({ primary: 'db1' });
        expect(await answer(run, {})).toMatchObject({ primary: 'db2' });
        await Promise.all([run.result(), deposed().result()]);
        await deposed('db2').result();
      },
    );
    expect(end).toMatchObject({ outcome: 'failed-over', newPrimary: 'db3' });
    const [ofFirst, ofSecond] = [
      { by: 'ann', reason: 'it is off', fence: true, loss: 'unknown', primary: 'db1' },
      { by: 'ann', reason: 'it is off', fence: true, loss: 0, primary: 'db2' },
    ];
    expect(given).toEqual([null, ofFirst, ofFirst, ofSecond]);
  });
});

describe('a failover whose winner is lost, and that has nobody to go on with', () => {
  const alive = (primary: string) => ({
    ...{ kind: 'alive', primary, changed: false, timeline: [] },
    diagnosis: { code: 'PrimaryServes', explains: 'it answers', consequence: 'leave' },
  });
  const refusal = {
    ...{ kind: 'refused', primary: null, recorded: 'db1', explains: 'nobody is left', remedy: 'bring back db2' },
    ...{ changed: false, risk: null, timeline: [] },
  };

  it.each([
    ['the old primary is back', REVOKED, alive('db1'), 'db1, which was to be replaced, is back (it answers)'],
    ['the old primary is on record still', SSH, refusal, 'nobody is left'],
  ])('is undone when %s', async (_when, fence, next, says) => {
    const end = await failOver(
      {
        fenceAndDrain: inTurn(
          () => ready('db2', fence),
          () => next,
        ),
        promoteAndRoute: lost('db2'),
        undoFence: () => ({ undone: ['receiver of db3 started'], notUndone: [] }),
        ...SHUT_OFF,
      },
      (run) => run.result().catch(() => (fence === REVOKED ? deposed().result() : null)),
    );
    expect(end).toMatchObject({
      message: expect.stringMatching(/Undone: receiver of db3 started\.$/),
      details: [{ changed: true, undone: ['receiver of db3 started'], notUndone: [] }],
    });
    expect(end).toMatchObject({ message: expect.stringContaining(says) });
  });

  it.each([
    ['the winner is, which may have served', REVOKED, 'db2', 'db2 was lost during its promotion and is back'],
    ['a person had answered for the old primary, and is not right', ANSWERED, 'db1', 'see to it that db2 is off'],
    [
      'an earlier run had recorded the winner, on a word that is not right',
      EARLIER,
      'db1',
      'see to it that db2 is off',
    ],
  ])('undoes nothing when %s', async (_when, fence, primary, says) => {
    const end = await failOver(
      {
        fenceAndDrain: inTurn(
          () => ready('db2', fence),
          () => alive(primary),
        ),
        promoteAndRoute: lost('db2'),
        undoFence: () => ({ undone: ['receiver of db3 started'], notUndone: [] }),
        ...SHUT_OFF,
      },
      (run) => run.result().catch(() => deposed().result()),
    );
    expect(end).toMatchObject({
      message: expect.stringContaining(says),
      details: [{ undone: [], notUndone: [expect.stringContaining('db2 may be recorded as primary')] }],
    });
  });
});
