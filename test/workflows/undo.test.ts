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
): Promise<{ readonly called: readonly string[]; readonly message: string; readonly facts: unknown }> {
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
      () => ({ message: 'it completed', facts: null }),
      (error: unknown) => told(error),
    ),
  );
  return { called, ...outcome };
}

function told(error: unknown): { readonly message: string; readonly facts: unknown } {
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  const found = cause instanceof ApplicationFailure ? cause : null;
  return { message: found?.message ?? String(error), facts: found?.details?.[0] };
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

describe('a failover past its point of no return', () => {
  it('undoes nothing, and says what stands', async () => {
    const ready = {
      kind: 'ready',
      winner: 'db2',
      epoch: { number: 5, run: 'r' },
      timeline: [],
      decision: {
        diagnosis: { code: 'PrimaryProcessDead', explains: 'dead', consequence: 'failOver' },
        votes: [],
        fence: { rung: 'ssh', host: 'db1', proof: 'process=gone' },
        coverage: { kind: 'lossless', by: 'ackers', why: 'all of them' },
      },
    };
    const outcome = await run(
      'failover',
      { cluster: 'shop' },
      { fenceAndDrain: () => ready, promoteAndRoute: refusal, undoFence: undone('db1 opened again') },
    );
    expect(outcome.called).toEqual(['fenceAndDrain', 'promoteAndRoute']);
    expect(outcome.message).toContain('NOT undone: db2 may be recorded as primary');
  });
});
