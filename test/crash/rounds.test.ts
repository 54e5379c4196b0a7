import { Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Fault, Plan } from '../../chaos/rounds/plan.ts';
import { playRound } from '../../chaos/rounds/round.ts';
import type { Stage } from '../../chaos/rounds/stage.ts';
import { TemporalServer } from '../../lab/temporal.ts';
import { useCluster } from '../integration/cluster.ts';

const round = (number: number, faults: readonly Fault[]): Plan => ({
  ...{ round: number, seed: 1, mode: 'lossless', failoverAtMs: 800, faults },
  ...{ isAnswered: false, afterwards: ['acker'] },
  settings: { mode: 'semisync', lagFail: '3s' },
});
const killPrimary: Fault = {
  ...{ kind: 'kill', host: 'db1', peer: null, when: { after: 'begin', ms: 56 }, lastsMs: null },
};

/**
 * Rounds that once ended in a violation, or that stand for many, written out: what a seed composes changes with the catalogue of faults.
 * More: `npm run chaos -- rounds`.
 */
const ROUNDS: readonly (readonly [string, Plan, boolean])[] = [
  [
    'the primary dies, a replica has a transaction of its own, and the worker that repairs it is killed',
    round(3, [
      killPrimary,
      { kind: 'errant', host: 'db3', peer: null, when: { after: 'begin', ms: 478 }, lastsMs: null },
      { kind: 'global-lock', host: 'db2', peer: null, when: { after: 'begin', ms: 554 }, lastsMs: 3000 },
      { kind: 'worker-kill', host: null, peer: null, when: { after: 'failover', ms: 213 }, lastsMs: null },
    ]),
    false,
  ],
  [
    'Temporal dies too, and locks are held on a replica',
    round(8, [
      killPrimary,
      { kind: 'temporal-kill', host: null, peer: null, when: { after: 'failover', ms: 700 }, lastsMs: 1384 },
      { kind: 'row-lock', host: 'db3', peer: null, when: { after: 'promotion', ms: 0 }, lastsMs: 2880 },
    ]),
    false,
  ],
  [
    'a watcher starts the failover, and is killed in it',
    round(9, [
      killPrimary,
      // As soon as it is seen: on a machine that is not busy it may be over 100 ms later.
      { kind: 'worker-kill', host: null, peer: null, when: { after: 'failover', ms: 0 }, lastsMs: null },
    ]),
    true,
  ],
];

const cluster = useCluster();
let connection: Connection;
let stage: Stage | undefined;

beforeAll(async () => {
  connection = await Connection.connect({ address: cluster().temporal });
});
afterEach(async () => {
  for (const worker of stage?.workers ?? []) if (worker.isRunning()) await worker.kill();
  stage?.lab.configure({});
});
afterAll(async () => {
  await connection.close();
});

test.each(ROUNDS)(
  'keeps every promise when %s',
  async (_what, plan, isWatched) => {
    const { lab, client } = cluster();
    stage = {
      ...{ lab, client, connection, temporal: TemporalServer.attach(lab), isWatched, workers: [] },
      saved: { lossless: 'cluster', async: 'cluster' },
    };
    const { round: played } = await playRound(stage, plan);
    expect(played.violations).toEqual([]);
    if (isWatched) expect(played.ending).toMatchObject({ kind: 'failed-over', operation: 'failover' });
    if (isWatched) expect(played.faults.map(({ madeAtMs }) => madeAtMs)).not.toContain(null);
  },
  240_000,
);
