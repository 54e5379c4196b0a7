import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { beat } from '../../activities/beats.ts';
import { SHOP } from '../domain/shop.ts';
import { TASK_QUEUE, useRig } from './rig.ts';

const rig = useRig();

const refused = (why: string) => (): never => {
  throw ApplicationFailure.nonRetryable(why, 'Unsafe');
};
const PROOF = { tables: 12, position: '0-1-40' };
const FOLLOWS = { kind: 'follows', primary: 'db1', epoch: 4, timeline: [] };

/** Runs a runbook. How it ended, and which activities it called. */
async function run(runbook: string, activities: Readonly<Record<string, () => unknown>>) {
  const called: string[] = [];
  const asked: unknown[] = [];
  const noted = Object.fromEntries(
    Object.entries({ describeCluster: () => SHOP, ...activities }).map(([name, work]) => [
      name,
      (input: unknown) => {
        called.push(name);
        asked.push(input);
        return work();
      },
    ]),
  );
  const [workflows, worker] = [await rig().runWorkflows(), await rig().runActivities(noted)];
  const workflowId = `${runbook === 'provisionReplica' ? 'provision' : 'rejoin'}/shop/db3`;
  const args = [{ cluster: 'shop', host: 'db3' }];
  const [ended] = await Promise.allSettled([
    rig().client.workflow.execute(runbook, { taskQueue: TASK_QUEUE, workflowId, args }),
  ]);
  await worker.end();
  await workflows.end();
  return { ended, called, lastAsked: asked.at(-1) };
}

/** Runs a runbook that is expected to fail. What it said, and which activities it called. */
async function failing(runbook: string, activities: Readonly<Record<string, () => unknown>>) {
  const { ended, ...seen } = await run(runbook, activities);
  if (ended.status === 'fulfilled') throw new Error('it was expected to fail');
  return { message: (ended.reason as { readonly cause: ApplicationFailure }).cause.message, ...seen };
}

const PROVISION = {
  planProvision: () => ({ primary: 'db1', donor: 'db2', target: 'db3', estimatedBytes: 1 }),
  openTransfer: () => undefined,
  copySnapshot: () => ({ bytes: 1 }),
  installSnapshot: () => ({ bytes: 1, position: '0-1-1' }),
  startReplica: () => undefined,
  proveReplica: () => PROOF,
  keepSnapshot: () => undefined,
  cleanTransfer: () => ({ undone: ['db3: emptied of what was copied'], notUndone: [] }),
  undoAdmission: () => ({ undone: [], notUndone: [] }),
};
const REJOIN = {
  rejoinHost: () => FOLLOWS,
  undoRejoin: () => ({ undone: ['db3 follows nobody'], notUndone: [] }),
  proveReplica: () => PROOF,
  undoAdmission: () => ({ undone: [], notUndone: [] }),
};

it(
  'a copy that is proven stays when it cannot be admitted, and the failure says how it is',
  { timeout: 30_000 },
  async () => {
    const { message, called } = await failing('provisionReplica', {
      ...PROVISION,
      admitReplica: refused('db1 does not answer'),
    });
    expect(called).not.toContain('cleanTransfer');
    expect(called.at(-1)).toBe('keepSnapshot');
    expect(message).toContain('db1 does not answer');
    expect(message).toContain('Undone: what the copy needed is removed from db2 and db3.');
    expect(message).toContain(
      'NOT undone: db3 is proven and replicates from db1; to make it count: standfast acker add shop db3',
    );
  },
);

it('a copy that is not proven is emptied', { timeout: 30_000 }, async () => {
  const differs = refused('db3 differs from its primary');
  const { message, called } = await failing('provisionReplica', { ...PROVISION, proveReplica: differs });
  expect(called.at(-1)).toBe('cleanTransfer');
  expect(message).toContain('Undone: db3: emptied of what was copied.');
});

it.each([
  ['followed before the return goes on', true],
  ['was pointed at the primary by the return follows nobody again', false],
])('a host that %s when its rows differ', { timeout: 30_000 }, async (_, follows) => {
  const differs = refused('db3 differs from its primary');
  const { called, lastAsked } = await failing('rejoinReplica', {
    ...REJOIN,
    planRejoin: () => ({ follows }),
    proveReplica: differs,
  });
  expect(called.at(-1)).toBe('undoRejoin');
  expect(lastAsked).toMatchObject({ host: 'db3', followedBefore: follows });
});

it(
  'a host that was pointed, and not told of in time, follows nobody again; one that followed goes on',
  { timeout: 30_000 },
  async () => {
    for (const follows of [true, false]) {
      const rejoinHost = refused('db1 went away');
      const { called } = await failing('rejoinReplica', { ...REJOIN, planRejoin: () => ({ follows }), rejoinHost });
      expect(called.includes('undoRejoin')).toBe(!follows);
    }
  },
);

it('a host that came back and is proven goes on when it cannot be admitted', { timeout: 30_000 }, async () => {
  const { message, called } = await failing('rejoinReplica', {
    ...REJOIN,
    planRejoin: () => ({ follows: false }),
    admitReplica: refused('db1 does not answer'),
  });
  expect(called).not.toContain('undoRejoin');
  expect(message).toContain(
    'NOT undone: db3 is proven and replicates from db1; to make it count: standfast acker add shop db3',
  );
});

const admitted = (mode: string) => () => ({ outcome: 'admitted', mode, ackers: [], timeline: [] });

it(
  'an acker on record that follows is admitted without a proof, which would stop it',
  { timeout: 30_000 },
  async () => {
    const { ended, called } = await run('rejoinReplica', {
      ...REJOIN,
      planRejoin: () => ({ follows: true }),
      rejoinHost: () => ({ ...FOLLOWS, kind: 'listed' }),
      admitReplica: admitted('lossless'),
    });
    expect(called).not.toContain('proveReplica');
    expect(ended).toMatchObject({
      value: {
        mode: 'lossless',
        checksum: null,
        sentence: 'db3 replicates from db1 and counts again: it is an acker on record, so its rows were not compared',
      },
    });
  },
);

it('nobody is said to count in a cluster of mode async', { timeout: 60_000 }, async () => {
  const admitReplica = admitted('async');
  const copied = await run('provisionReplica', { ...PROVISION, admitReplica });
  expect(copied.ended).toMatchObject({ value: { sentence: 'db3 replicates from db1: 12 tables equal at 0-1-40' } });
  const back = await run('rejoinReplica', { ...REJOIN, planRejoin: () => ({ follows: false }), admitReplica });
  const sentence = 'db3 replicates from db1 again: 12 tables equal at 0-1-40';
  expect(back.ended).toMatchObject({ value: { mode: 'async', sentence } });
});

it(
  'an attempt at a proof finds what the one before it told last, though that failed',
  { timeout: 30_000 },
  async () => {
    const found: unknown[] = [];
    const proveReplica = () => {
      found.push(activityInfo().heartbeatDetails);
      if (found.length > 1) return PROOF;
      beat({ compared: ['`shop`.`orders`'] });
      beat({ compared: ['`shop`.`orders`', '`shop`.`items`'] });
      throw ApplicationFailure.retryable('the session was ended', 'Unreachable');
    };
    const admitReplica = admitted('lossless');
    await run('rejoinReplica', { ...REJOIN, planRejoin: () => ({ follows: true }), proveReplica, admitReplica });
    expect(found).toEqual([undefined, { compared: ['`shop`.`orders`', '`shop`.`items`'] }]);
  },
);
