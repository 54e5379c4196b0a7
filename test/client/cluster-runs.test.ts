import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Standfast } from '../../client/index.ts';
import { RunsAside } from '../../client/runs-aside.ts';
import { endNextRun } from './poller.ts';
import { freePort, TestTemporal } from './temporal.ts';

let temporal: TestTemporal;
let connection: Connection;
let standfast: Standfast;

beforeAll(async () => {
  temporal = await TestTemporal.start();
  connection = await Connection.connect({ address: temporal.address });
  standfast = await Standfast.connect({ address: temporal.address });
});

afterAll(async () => {
  await standfast.close();
  await connection.close();
  await temporal.stop();
});

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const CLUSTER = keyword('StandfastCluster');
const PHASE = keyword('StandfastPhase');
const OUTCOME = keyword('StandfastOutcome');

interface Started {
  readonly type: string;
  readonly workflowId: string;
  readonly cluster: string;
  readonly said: 'nothing' | { readonly phase: string } | { readonly outcome: string };
}

/** A run as a runbook leaves it: it has said where it is, or what came of it. */
const start = ({ type, workflowId, cluster, said }: Started) =>
  new Client({ connection }).workflow.start(type, {
    taskQueue: `queue-${cluster}`,
    workflowId,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: CLUSTER, value: cluster },
      ...(said !== 'nothing' && 'phase' in said ? [{ key: PHASE, value: said.phase }] : []),
      ...(said !== 'nothing' && 'outcome' in said ? [{ key: OUTCOME, value: said.outcome }] : []),
    ]),
  });

async function ended(run: Started, isGood = true): Promise<void> {
  await start(run);
  await endNextRun(
    connection,
    `queue-${run.cluster}`,
    isGood ? { result: {} } : { failure: { type: 'Unhealthy', message: 'x', details: {} } },
  );
}

const runsOf = (cluster: string) => standfast.clusterRuns({ cluster, shard: 'main' });

describe('what Temporal knows of a cluster', () => {
  test('is nothing of one that nobody ever did anything with', async () => {
    expect(await runsOf('unknown')).toEqual({
      operation: null,
      others: [],
      lastVerification: null,
      lastFailover: null,
      watcher: null,
      delays: [],
    });
  });

  test('is who holds it, at which phase, whether it waits for a person, and what runs beside it', async () => {
    const cluster = 'held';
    await start({ type: 'failover', workflowId: `operation/${cluster}`, cluster, said: { phase: 'asks a person' } });
    await start({ type: 'provisionReplica', workflowId: `provision/${cluster}/db3`, cluster, said: { phase: 'copy' } });
    await start({ type: 'verifyReplication', workflowId: `verify/${cluster}/1`, cluster, said: 'nothing' });
    await expect.poll(async () => (await runsOf(cluster)).others.length, { timeout: 20_000 }).toBe(1);
    const { operation, others } = await runsOf(cluster);
    expect(operation).toMatchObject({ type: 'failover', phase: 'asks a person', asksPerson: true });
    expect(Date.parse(operation?.since ?? '')).not.toBeNaN();
    expect(others).toMatchObject([{ type: 'provisionReplica', phase: 'copy', asksPerson: false }]);
  });

  test('is its last verification, good or bad or without a word, and the last failover that promoted somebody', async () => {
    const cluster = 'ended';
    const verified = async (outcome: string | null, run: number, isGood: boolean): Promise<void> => {
      const said = outcome === null ? 'nothing' : { outcome };
      const workflowId = `verify/${cluster}/${String(run)}`;
      await ended({ type: 'verifyReplication', workflowId, cluster, said }, isGood);
      const last = async () => (await runsOf(cluster)).lastVerification;
      await expect.poll(last, { timeout: 20_000 }).toMatchObject({ workflowId, outcome: outcome ?? 'failed' });
    };
    await verified('ok', 1, true);
    await verified('bad', 2, false);
    await verified(null, 3, false);
    const workflowId = `operation/${cluster}`;
    await ended({ type: 'failover', workflowId, cluster, said: { outcome: 'failed-over' } });
    await ended({ type: 'failover', workflowId: `${workflowId}-2`, cluster, said: { outcome: 'reopened' } });
    const failover = async () => (await runsOf(cluster)).lastFailover;
    await expect.poll(failover, { timeout: 20_000 }).toMatchObject({ workflowId, outcome: 'failed-over' });
    expect((await runsOf(cluster)).operation).toBeNull();
  });
});

test('a Temporal that is away is an answer, and asked again the next time', async () => {
  const aside = new RunsAside({ address: `127.0.0.1:${String(await freePort())}` });
  const question = { cluster: 'shop', shard: 'main' };
  const [first, second] = await Promise.all([aside.runs(question), aside.runs(question)]);
  expect(first).toMatchObject({ reach: 'silent', why: expect.stringContaining('Temporal does not answer') });
  expect(second.reach).toBe('silent');
  const there = new RunsAside({ address: temporal.address });
  expect(await there.runs(question)).toMatchObject({ reach: 'answers', runs: { operation: null } });
});
