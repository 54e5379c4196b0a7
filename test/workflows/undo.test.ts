import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../../activities/contract.ts';
import { ensureSearchAttributes } from '../../worker/namespace.ts';
import { TestTemporal } from '../client/temporal.ts';
import { SHOP } from '../domain/shop.ts';

type Steps = { readonly [Name in keyof Activities]?: (input: never) => unknown };

let temporal: TestTemporal;
let connection: NativeConnection;
let client: Client;
let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  temporal = await TestTemporal.start();
  connection = await NativeConnection.connect({ address: temporal.address });
  await ensureSearchAttributes(connection, 'default');
  client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
});
afterAll(async () => {
  await client.connection.close();
  await connection.close();
  await temporal.stop();
});

const refusal = (): never => {
  throw ApplicationFailure.nonRetryable('a host went away in the middle', 'Unsafe');
};

/** Runs a runbook over activities that only say that they were called, or what the test gives them. */
async function run(
  workflowType: string,
  input: object,
  steps: Steps,
): Promise<{
  readonly called: readonly string[];
  readonly message: string;
  readonly facts: unknown;
  readonly result: unknown;
}> {
  const called: string[] = [];
  const activities = Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [
      name,
      (given: never) => {
        called.push(name);
        return Promise.resolve(step(given));
      },
    ]),
  );
  const taskQueue = `${workflowType}-${String(performance.now())}`;
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities });
  const outcome = await worker.runUntil(
    client.workflow.execute(workflowType, { args: [input], taskQueue, workflowId: taskQueue }).then(
      (result: unknown) => ({ message: 'it completed', facts: null, result }),
      (error: unknown) => told(error),
    ),
  );
  return { called, ...outcome };
}

function told(error: unknown): { readonly message: string; readonly facts: unknown; readonly result: null } {
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  const found = cause instanceof ApplicationFailure ? cause : null;
  return { message: found?.message ?? String(error), facts: found?.details?.[0], result: null };
}

const undone = (what: string) => () => ({ undone: [what], notUndone: [] });

describe('a step that ends half-way', () => {
  it('is undone, since its undo was pushed before it: the fence of a failover', async () => {
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      { fenceAndDrain: refusal, undoFence: undone('db1 opened again') },
    );
    expect(outcome.called).toEqual(['fenceAndDrain', 'undoFence']);
    expect(outcome.message).toContain('Undone: db1 opened again');
  });

  it('is undone when the primary is found alive after an earlier attempt, and not when nothing was changed', async () => {
    const alive = (changed?: boolean) => () => ({
      ...{ kind: 'alive', primary: 'db1', timeline: [], ...(changed === undefined ? {} : { changed }) },
      diagnosis: { code: 'PrimaryServes', explains: 'the primary answers', consequence: 'leave' },
    });
    for (const changed of [true, false, undefined]) {
      const outcome = await run(
        'failover',
        { cluster: 'shop' },
        { fenceAndDrain: alive(changed), undoFence: undone('receiver of db2 started') },
      );
      expect(outcome.called).toEqual(['fenceAndDrain', ...(changed === true ? ['undoFence'] : [])]);
      expect(outcome.facts).toMatchObject({ changed: changed === true });
      expect(outcome.message.includes('Nothing was changed')).toBe(changed !== true);
    }
  });

  it('is not undone when it says that nothing was changed, as of a cluster that is not in the inventory', async () => {
    const fenceAndDrain = (): never => {
      throw ApplicationFailure.nonRetryable('the inventory has no cluster shop', 'BadInput', { changed: false });
    };
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      { fenceAndDrain, undoFence: undone('db1 opened again') },
    );
    expect(outcome.called).toEqual(['fenceAndDrain']);
    expect(outcome).toMatchObject({
      message: 'failover of shop stopped: the inventory has no cluster shop.',
      facts: { changed: false, notUndone: [] },
    });
  });

  it('is undone, since its undo was pushed before it: the admission of a replica', async () => {
    const outcome = await run(
      'admitReplica',
      { cluster: 'shop', host: 'db3' },
      { describeCluster: () => SHOP, admitReplica: refusal, undoAdmission: undone('db3 is no acker') },
    );
    expect(outcome.called).toEqual(['describeCluster', 'admitReplica', 'undoAdmission']);
    expect(outcome.message).toContain('Undone: db3 is no acker');
  });

  it('is undone, since its undo was pushed before it: the first step of a copy', async () => {
    const plan = { primary: 'db1', donor: 'db1', target: 'db3', estimatedBytes: 1 };
    const outcome = await run(
      'provisionReplica',
      { cluster: 'shop', host: 'db3' },
      {
        describeCluster: () => SHOP,
        planProvision: () => plan,
        openTransfer: refusal,
        cleanTransfer: undone('db3 is clean'),
      },
    );
    expect(outcome.called.slice(-2)).toEqual(['openTransfer', 'cleanTransfer']);
    expect(outcome.message).toContain('Undone: db3 is clean');
  });
});

const ready = (winner: string, oldPrimary = 'db1') => ({
  kind: 'ready',
  winner,
  epoch: { number: 5, run: 'r' },
  timeline: [],
  decision: {
    diagnosis: { code: 'PrimaryProcessDead', explains: 'dead', consequence: 'failOver' },
    votes: [],
    fence: { rung: 'ssh', host: oldPrimary, proof: 'process=gone' },
    coverage: { kind: 'lossless', by: 'ackers', why: `all that ${oldPrimary} had` },
  },
});

/** The first call gets the first result, and so on. */
const inTurn = (...results: readonly (() => unknown)[]): (() => unknown) => {
  const left = [...results];
  return () => left.shift()?.();
};

const lose = (host: string) => (): never => {
  throw ApplicationFailure.create({
    type: 'Stale',
    message: `${host} has not answered`,
    nonRetryable: true,
    details: [{ lost: host }],
  });
};

const promotion = () => ({
  epoch: { number: 6, run: 'r' },
  mode: 'lossless',
  ackers: [],
  secondHolder: null,
  timeline: [],
});

const LEFT_OFF = { event: 'shop.hourly', why: 'access denied', statement: 'ALTER DEFINER …' };
const LEFT_SAID = 'shop.hourly (access denied; on the primary: ALTER DEFINER …)';

describe('a failover past its point of no return', () => {
  it('elects anew when the winner is lost, and says what it did with both', async () => {
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      {
        fenceAndDrain: inTurn(
          () => ready('db2'),
          () => ready('db3', 'db2'),
        ),
        promoteAndRoute: inTurn(lose('db2'), promotion),
        settleCluster: () => undefined,
        describeCluster: refusal,
      },
    );
    expect(outcome.called.slice(0, 5)).toEqual([
      ...['fenceAndDrain', 'promoteAndRoute', 'fenceAndDrain', 'promoteAndRoute', 'settleCluster'],
    ]);
    expect(outcome.result).toMatchObject({
      ...{ outcome: 'failed-over', oldPrimary: 'db1', newPrimary: 'db3', decision: { fence: { host: 'db2' } } },
      abandoned: [{ host: 'db2', why: 'db2 has not answered', loss: { lossless: true } }],
      sentence:
        'db3 is the primary of shop instead of db1 (epoch 6, lossless); no acknowledged write is missing: all that db1 had; no acknowledged write is missing: all that db2 had. db2 was elected before: db2 has not answered',
    });
  });

  it.each([
    [
      'left off',
      { events: { enabled: [], disabled: [], leftOff: [LEFT_OFF] } },
      `. WARNING: events are left off: ${LEFT_SAID}`,
    ],
    ['all run', { events: { enabled: ['shop.hourly'], disabled: [], leftOff: [] } }, ''],
    ['not known, as of a worker of an earlier version', undefined, ''],
  ])('says what became of events that are %s', async (_, settled, said) => {
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      {
        fenceAndDrain: () => ready('db2'),
        promoteAndRoute: promotion,
        settleCluster: () => settled,
        describeCluster: refusal,
      },
    );
    expect(outcome.result).toMatchObject({
      ...{ outcome: 'failed-over', newPrimary: 'db2', events: settled?.events ?? null },
      sentence: `db2 is the primary of shop instead of db1 (epoch 6, lossless); no acknowledged write is missing: all that db1 had${said}`,
    });
  });

  it('ends with the reason, and undoes nothing, when the winner is lost and nobody else may be elected', async () => {
    const refused = {
      kind: 'refused',
      explains: 'no replica is safe',
      remedy: 'bring back db2',
      changed: false,
      risk: null,
      timeline: [],
    };
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      {
        fenceAndDrain: inTurn(
          () => ready('db2'),
          () => refused,
        ),
        promoteAndRoute: lose('db2'),
        undoFence: undone('db1 opened again'),
      },
    );
    expect(outcome.called).toEqual(['fenceAndDrain', 'promoteAndRoute', 'fenceAndDrain']);
    expect(outcome.message).toMatch(
      /no replica is safe\. What you can do: bring back db2\..*db2 may be recorded as primary/,
    );
  });

  it('undoes nothing, and says what stands', async () => {
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      { fenceAndDrain: () => ready('db2'), promoteAndRoute: refusal, undoFence: undone('db1 opened again') },
    );
    expect(outcome.called).toEqual(['fenceAndDrain', 'promoteAndRoute']);
    expect(outcome.message).toContain('NOT undone: db2 may be recorded as primary');
  });
});
