import { Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { composeRound } from '../../chaos/rounds/plan.ts';
import type { RoundName } from '../../chaos/rounds/plan.ts';
import { playRound } from '../../chaos/rounds/round.ts';
import type { Stage } from '../../chaos/rounds/stage.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { useCluster } from '../integration/cluster.ts';

/** Rounds that once ended in a violation, or that stand for many; each is played as it was then. More: `npm run chaos -- rounds`. */
const ROUNDS: readonly (readonly [string, RoundName])[] = [
  [
    'the primary dies, a replica has a transaction of its own, and the worker that repairs it is killed',
    { seed: 1, round: 3, mode: 'lossless' },
  ],
  ['Temporal dies too, and locks are held on a replica', { seed: 1, round: 8, mode: 'lossless' }],
];

const cluster = useCluster();
let connection: Connection;
let stage: Stage | undefined;

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('stage').temporal });
});
afterEach(async () => {
  for (const worker of stage?.workers ?? []) if (worker.isRunning()) await worker.kill();
  stage?.lab.configure({});
});
afterAll(async () => {
  await connection.close();
});

test.each(ROUNDS)('keeps every promise when %s', async (_what, name) => {
  const { lab, client } = cluster();
  stage = {
    ...{ lab, client, connection, temporal: TemporalServer.attach(lab), workers: [] },
    saved: { lossless: 'cluster', async: 'cluster' },
  };
  const { round } = await playRound(stage, composeRound(name));
  expect(round.violations).toEqual([]);
});
