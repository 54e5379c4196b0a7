import type { FailoverResult } from '../../client/index.ts';
import { dataDirectory } from '../../lab/copies.ts';
import type { Crowd } from '../../lab/crowd.ts';
import { lockAckersOut } from '../../lab/crowd.ts';
import type { Lab } from '../../lab/lab.ts';
import { brokenInvariants } from '../invariants.ts';
import type { Scenario } from '../play.ts';
import { sentenceOf } from '../play.ts';
import { CLUSTER as cluster } from '../stage.ts';
import {
  ALONE,
  AS_SAVED,
  cancel,
  killPrimary,
  unlessCancelled,
  unlessClean,
  unlessDone,
  unlessRecorded,
  WITH_DB2,
} from './outcomes.ts';

export const verify: Scenario = {
  state: 'cluster',
  leavesAsFound: true,
  call: ({ client }, options) => client.verify({ cluster }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
  ],
};

/** The primary comes back closed, as every member does, and is opened again. */
export const prepare: Scenario = {
  state: 'cluster',
  leavesAsFound: true,
  breaks: killPrimary,
  call: ({ client }, options) => client.preparePrimary({ cluster, host: 'db1' }, options),
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, { ...AS_SAVED, faultAt })),
    ...(await unlessRecorded(stage.lab, /lossless db2,db3 1/)),
  ],
};

export const provision: Scenario = {
  state: 'plain',
  leavesAsFound: false,
  call: ({ client }, options) => client.provisionReplica({ cluster, host: 'db2' }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, WITH_DB2)),
    ...(await unlessRecorded(stage.lab, /lossless db2 1/)),
    ...(await unlessClean(stage.lab, ['db1', 'db2'])),
  ],
};

/** Somebody cancels it while the rows are about to be compared: both hosts are clean. */
export const provisionUndone: Scenario = {
  state: 'plain',
  leavesAsFound: true,
  turns: [{ point: 'proveReplica:before', happen: cancel(`provision/${cluster}/db2`) }],
  call: ({ client }, options) => client.provisionReplica({ cluster, host: 'db2' }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, ALONE)),
    ...(await unlessClean(stage.lab, ['db1', 'db2'])),
    ...(await unlessEmpty(stage.lab, 'db2')),
  ],
};

/** Somebody cancels the admission: the replica acknowledges nothing again, and what is proven stays and follows. */
export const admissionUndone: Scenario = {
  state: 'plain',
  leavesAsFound: false,
  turns: [{ point: 'admitReplica.confirm:before', happen: cancel(`operation/${cluster}`) }],
  call: ({ client }, options) => client.provisionReplica({ cluster, host: 'db2' }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...(ending.kind === 'failed' ? [] : [`the run was to fail and ended with ${sentenceOf(ending)}`]),
    ...(await brokenInvariants(stage.lab, ledger, WITH_DB2)),
    ...(await unlessRecorded(stage.lab, /async - 0/)),
    ...(await unlessClean(stage.lab, ['db1', 'db2'])),
  ],
};

/** As a host that was never provisioned: db3 is one. */
async function unlessEmpty(lab: Lab, host: string): Promise<readonly string[]> {
  const [found, fresh] = await Promise.all([dataDirectory(lab, host), dataDirectory(lab, 'db3')]);
  const extra = found.filter((entry) => !fresh.includes(entry));
  return extra.length === 0 ? [] : [`${host} still holds ${extra.slice(0, 5).join(', ')}`];
}

export const failover: Scenario = {
  state: 'cluster',
  leavesAsFound: false,
  breaks: killPrimary,
  call: ({ client }, options) => client.failover({ cluster, reason: 'chaos' }, options),
  judge: async ({ stage, ledger }, { ending, faultAt }) => {
    if (ending.kind !== 'done')
      return [...unlessDone(ending), ...(await brokenInvariants(stage.lab, ledger, AS_SAVED))];
    const { newPrimary, oldPrimary, outcome } = ending.result as FailoverResult;
    const replicas = ['db2', 'db3'].filter((host) => host !== newPrimary);
    return [
      ...(outcome === 'failed-over' && oldPrimary === 'db1'
        ? []
        : [`the failover ended as ${outcome} on ${newPrimary}`]),
      ...(await brokenInvariants(stage.lab, ledger, { primary: newPrimary, replicas, faultAt })),
      ...(await unlessRecorded(stage.lab, /lossless/)),
    ];
  },
};

/** Somebody cancels the failover when everything is ready for the promotion: the old primary is opened again. */
export const failoverUndone: Scenario = {
  ...failover,
  leavesAsFound: true,
  turns: [{ point: 'fenceAndDrain:after', happen: cancel(`operation/${cluster}`) }],
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, { ...AS_SAVED, faultAt })),
    ...(await unlessRecorded(stage.lab, /lossless db2,db3 1/)),
  ],
};

export const removeAcker: Scenario = {
  state: 'cluster',
  leavesAsFound: false,
  call: ({ client }, options) => client.removeAcker({ cluster, host: 'db3' }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
    ...(await unlessRecorded(stage.lab, /lossless db2 1/)),
  ],
};

/** The other one is taken out before: nobody is left to acknowledge, and the primary stops waiting. */
export const removeLastAcker: Scenario = {
  ...removeAcker,
  breaks: async ({ client }) => {
    await client.removeAcker({ cluster, host: 'db2' });
  },
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
    ...(await unlessRecorded(stage.lab, /async - 0/)),
  ],
};

/** Somebody cancels the removal when the replica is shut out: it is let in again, and counts as before. */
export const removalUndone: Scenario = {
  ...removeAcker,
  leavesAsFound: true,
  turns: [{ point: 'removeAcker.record:before', happen: cancel(`operation/${cluster}`) }],
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
    ...(await unlessRecorded(stage.lab, /lossless db2,db3 1/)),
  ],
};

export const goAsync: Scenario = {
  ...removeLastAcker,
  breaks: () => Promise.resolve(),
  call: ({ client }, options) => client.goAsync({ cluster }, options),
};

const FULL = { most: 16, host: 'db1', size: 32, over: 'network', forSeconds: 60 } as const;
const crowds = new WeakMap<Lab, Crowd>();

/** The ackers were away, and come back to a primary whose connections all wait for them. */
export const makeRoom: Scenario = {
  ...removeAcker,
  breaks: async ({ lab }) => {
    crowds.set(lab, await lockAckersOut(lab, FULL));
  },
  call: ({ client }, options) => client.makeRoom({ cluster }, options),
  judge: async ({ stage, ledger }, { ending }) => {
    await crowds.get(stage.lab)?.gone();
    return [
      ...unlessDone(ending),
      ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
      ...(await unlessRecorded(stage.lab, /lossless db2,db3 1/)),
    ];
  },
};
