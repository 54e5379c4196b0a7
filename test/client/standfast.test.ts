import { Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FailoverResult, Progress } from '../../client/index.ts';
import { Standfast, StandfastError } from '../../client/index.ts';
import { endNextRun } from './poller.ts';
import { freePort, TestTemporal } from './temporal.ts';
import { broken, healthy } from './verdicts.ts';

let temporal: TestTemporal;
let connection: Connection;
let standfast: Standfast;
let taskQueue: string;
let tests = 0;
let cluster: string;

beforeAll(async () => {
  temporal = await TestTemporal.start();
  connection = await Connection.connect({ address: temporal.address });
});

afterAll(async () => {
  await connection.close();
  await temporal.stop();
});

beforeEach(async () => {
  tests += 1;
  taskQueue = `queue-${String(tests)}`;
  cluster = `shop${String(tests)}`;
  standfast = await Standfast.connect({ address: temporal.address, taskQueue });
});

afterEach(async () => {
  await standfast.close();
});

const failureOf = async (promise: Promise<unknown>): Promise<StandfastError> => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StandfastError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

const failedOver: Partial<FailoverResult> = {
  outcome: 'failed-over',
  newPrimary: 'db2',
  sentence: 'db2 is the primary',
};

test('returns the result of the run and tells that it started', async () => {
  const progress: Progress[] = [];
  const onProgress = (entry: Progress): void => {
    progress.push(entry);
  };
  const [result] = await Promise.all([
    standfast.failover({ cluster }, { onProgress }),
    endNextRun(connection, taskQueue, { result: failedOver }),
  ]);
  expect(result).toMatchObject(failedOver);
  expect(progress[0]).toMatchObject({
    kind: 'started',
    attached: false,
    run: { type: 'failover', workflowId: `operation/${cluster}` },
  });
});

test('starts its runs with a workflow task timeout of one second', async () => {
  await standfast.failover({ cluster }, { detach: true });
  const answer = await connection.workflowService.describeWorkflowExecution({
    namespace: 'default',
    execution: { workflowId: `operation/${cluster}` },
  });
  expect(Number(answer.executionConfig?.defaultWorkflowTaskTimeout?.seconds)).toBe(1);
});

test('refuses a second operation and names the one that runs', async () => {
  const running = await standfast.preparePrimary({ cluster, host: 'db1' }, { detach: true });
  const failure = await failureOf(standfast.failover({ cluster }));
  expect(failure).toMatchObject({
    type: 'Busy',
    exitCode: 4,
    runningOperation: { type: 'preparePrimary', runId: running.runId, workflowId: `operation/${cluster}` },
  });
  expect(Date.parse(failure.runningOperation?.since ?? '')).not.toBeNaN();
  expect(failure.message).toContain(`preparePrimary holds operation/${cluster} (run ${running.runId}, since `);
  expect(failure.message).toContain('Nothing was changed');
});

test('the same request gets the run that it started, running or ended, and not another one', async () => {
  const first = await standfast.failover({ cluster }, { detach: true, requestId: 'page-1' });
  const second = await standfast.failover({ cluster }, { detach: true, requestId: 'page-1' });
  expect(second.runId).toBe(first.runId);
  await endNextRun(connection, taskQueue, { result: failedOver });
  expect(await standfast.failover({ cluster }, { requestId: 'page-1' })).toMatchObject(failedOver);
  const other = await standfast.failover({ cluster }, { detach: true, requestId: 'page-2' });
  expect(other.runId).not.toBe(first.runId);
});

test('the same request sent twice at once starts one run', async () => {
  const runs = await Promise.all(
    [1, 2, 3].map(() => standfast.failover({ cluster }, { detach: true, requestId: 'page-1' })),
  );
  expect(new Set(runs.map((run) => run.runId)).size).toBe(1);
});

test('a failure of the run comes with its type, its facts, and the exit code of what it left behind', async () => {
  const cases = [
    { type: 'Unsafe', facts: { changed: false }, exitCode: 4 },
    { type: 'Unsafe', facts: { changed: true, undone: ['fence of db1'], notUndone: [] }, exitCode: 5 },
    { type: 'Unsafe', facts: { changed: true, undone: ['x'], notUndone: ['server of db1'] }, exitCode: 6 },
    { type: 'Unverified', facts: { changed: true }, exitCode: 6 },
    { type: 'BadInput', facts: { about: 'configuration' }, exitCode: 3 },
    { type: 'Unreachable', facts: {}, exitCode: 1 },
  ];
  for (const { type, facts, exitCode } of cases) {
    const [failure] = await Promise.all([
      failureOf(standfast.failover({ cluster })),
      endNextRun(connection, taskQueue, { failure: { type, message: `it is ${type}`, details: facts } }),
    ]);
    expect(failure).toMatchObject({ type, message: `it is ${type}`, facts, exitCode });
  }
});

test('a run that lost the cluster inside its workflow names who holds it', async () => {
  const holder = await standfast.failover({ cluster }, { detach: true });
  const other = await Standfast.connect({ address: temporal.address, taskQueue: `${taskQueue}-b` });
  const [failure] = await Promise.all([
    failureOf(other.provisionReplica({ cluster, host: 'db2' })),
    endNextRun(connection, `${taskQueue}-b`, { failure: { type: 'Busy', message: 'held', details: {} } }),
  ]);
  await other.close();
  expect(failure).toMatchObject({ type: 'Busy', exitCode: 4, runningOperation: { runId: holder.runId } });
});

test('a bad verdict fails a verification, and is the answer of a status', async () => {
  const failure = { type: 'Unhealthy', message: broken.sentence, details: broken };
  const [verify] = await Promise.all([
    failureOf(standfast.verify({ cluster })),
    endNextRun(connection, taskQueue, { failure }),
  ]);
  expect(verify).toMatchObject({ type: 'Unhealthy', exitCode: 10, facts: broken });
  const [status] = await Promise.all([standfast.status(cluster), endNextRun(connection, taskQueue, { failure })]);
  expect(status).toEqual({ cluster, verdict: broken, operation: null });
});

test('a status names the operation that holds the cluster', async () => {
  const other = await Standfast.connect({ address: temporal.address, taskQueue: `${taskQueue}-b` });
  const holder = await other.failover({ cluster }, { detach: true });
  await other.close();
  const result = { outcome: 'ok', cluster, verdict: healthy };
  const [status] = await Promise.all([standfast.status(cluster), endNextRun(connection, taskQueue, { result })]);
  expect(status.operation).toMatchObject({ type: 'failover', runId: holder.runId });
  expect(status.verdict).toEqual(healthy);
});

test('a wait that times out, or is left, leaves the run running', async () => {
  const late = await failureOf(standfast.failover({ cluster }, { timeoutMs: 50 }));
  expect(late).toMatchObject({ type: 'WaitTimedOut', exitCode: 7, run: { workflowId: `operation/${cluster}` } });
  const gone = await failureOf(standfast.verify({ cluster }, { signal: AbortSignal.abort() }));
  expect(gone).toMatchObject({ type: 'Detached', exitCode: 7 });
  expect(await failureOf(standfast.failover({ cluster }))).toMatchObject({ type: 'Busy' });
});

test('tells a waiting caller that no worker polls the queue', async () => {
  const leave = new AbortController();
  const heard: string[] = [];
  const onProgress = (entry: Progress): void => {
    if (entry.kind !== 'waiting') return;
    heard.push(entry.explains);
    leave.abort();
  };
  const failure = await failureOf(standfast.verify({ cluster }, { signal: leave.signal, onProgress }));
  expect(failure).toMatchObject({ type: 'Detached' });
  expect(heard).toEqual([expect.stringContaining(`no worker polls the task queue ${taskQueue}`)]);
});

test('a wait outlives a Temporal that is killed and started again', async () => {
  const told: string[] = [];
  const onProgress = (entry: Progress): void => {
    told.push(entry.kind === 'waiting' ? entry.explains : entry.kind);
  };
  const waiting = standfast.failover({ cluster }, { onProgress });
  await expect.poll(() => told).toContain('started');
  await temporal.kill();
  await expect.poll(() => told.join(), { timeout: 60_000 }).toContain('Temporal does not answer at');
  await temporal.startAgain();
  await expect.poll(() => told, { timeout: 60_000 }).toContain('Temporal answers again');
  await endNextRun(connection, taskQueue, { result: failedOver });
  expect(await waiting).toMatchObject(failedOver);
});

test('a terminated run says that nothing was undone', async () => {
  const run = await standfast.failover({ cluster }, { detach: true, requestId: 'one' });
  const { workflowId, runId } = run;
  await connection.workflowService.terminateWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'test',
  });
  const failure = await failureOf(standfast.failover({ cluster }, { requestId: 'one' }));
  expect(failure).toMatchObject({ type: 'Terminated', exitCode: 6 });
});

test('refuses a bad input before Temporal is asked', async () => {
  const failure = await failureOf(standfast.provisionReplica({ cluster, host: 'DB 2' }));
  expect(failure).toMatchObject({ type: 'BadInput', exitCode: 2 });
  expect(failure.message).toContain('provisionReplica was given "DB 2" as "host"');
});

test('says where Temporal does not answer', async () => {
  const address = `127.0.0.1:${String(await freePort())}`;
  const failure = await failureOf(Standfast.connect({ address, connectTimeoutMs: 300 }));
  expect(failure).toMatchObject({ type: 'TemporalUnreachable', exitCode: 8 });
  expect(failure.message).toContain(address);
  expect(failure.message).toContain('TEMPORAL_ADDRESS');
});

test('a namespace that is missing is a fault of the configuration', async () => {
  const lost = await Standfast.connect({ address: temporal.address, namespace: 'nowhere' });
  const failure = await failureOf(lost.failover({ cluster }));
  await lost.close();
  expect(failure).toMatchObject({ type: 'Configuration', exitCode: 3 });
  expect(failure.message).toContain('"nowhere"');
});
