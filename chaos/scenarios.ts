import type { FailoverResult, FenceDeposedResult, RejoinResult } from '../client/index.ts';
import { dataDirectory, tracesOfCopies } from '../lab/copies.ts';
import type { Lab } from '../lab/lab.ts';
import { brokenInvariants, replicaStatus, writableHosts } from './invariants.ts';
import type { Roles } from './invariants.ts';
import type { Ending, Scenario } from './play.ts';
import { sentenceOf } from './play.ts';
import type { Scene } from './scene.ts';
import { CLUSTER } from './stage.ts';
import type { Stage } from './stage.ts';

const cluster = CLUSTER;
const AS_SAVED: Roles = { primary: 'db1', replicas: ['db2', 'db3'] };
const ALONE: Roles = { primary: 'db1', replicas: [] };
const WITH_DB2: Roles = { primary: 'db1', replicas: ['db2'] };

const killPrimary = ({ lab }: Stage): Promise<void> => {
  lab.host('db1').signal('mariadbd', 'SIGKILL');
  return Promise.resolve();
};

const unlessDone = (ending: Ending): readonly string[] =>
  ending.kind === 'done' ? [] : [`the run was to succeed and ended with ${sentenceOf(ending)}`];

const unlessCancelled = (ending: Ending): readonly string[] =>
  ending.kind === 'failed' && ending.error.type === 'Cancelled'
    ? []
    : [`the run was to end as cancelled and ended with ${sentenceOf(ending)}`];

/** Cancels a run whose worker is held: the step under way ends there. */
const cancel =
  (workflowId: string) =>
  ({ runs }: Scene): Promise<void> =>
    runs.cancel(workflowId);

async function record(lab: Lab, host: string, name: 'sync'): Promise<string> {
  return (await lab.host(host).exec(['cat', `/var/lib/standfast/${name}`])).stdout.trim();
}

/** What members record about acknowledgement, without the epoch. */
async function unlessRecorded(lab: Lab, wanted: RegExp): Promise<readonly string[]> {
  const found: string[] = [];
  let matching = 0;
  for (const { name } of lab.hosts) {
    if (!lab.host(name).isOn()) continue;
    const sync = await record(lab, name, 'sync');
    if (wanted.test(sync)) matching += 1;
    else found.push(`the sync record of ${name} is "${sync}", not ${String(wanted)}`);
  }
  return matching * 2 > lab.hosts.length ? [] : found;
}

async function unlessClean(lab: Lab, hosts: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    hosts.map(async (host) => (await tracesOfCopies(lab, host)).map((trace) => `${host} still has ${trace}`)),
  );
  return lists.flat();
}

const verify: Scenario = {
  state: 'cluster',
  leavesAsFound: true,
  call: ({ client }, options) => client.verify({ cluster }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
  ],
};

/** The primary comes back closed, as every member does, and is opened again. */
const prepare: Scenario = {
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

const provision: Scenario = {
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

/** Somebody cancels the admission: the replica acknowledges nothing again, and both hosts are clean. */
const provisionUndone: Scenario = {
  state: 'plain',
  leavesAsFound: true,
  turns: [{ point: 'admitReplica.confirm:before', happen: cancel(`operation/${cluster}`) }],
  call: ({ client }, options) => client.provisionReplica({ cluster, host: 'db2' }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...(ending.kind === 'failed' ? [] : [`the run was to fail and ended with ${sentenceOf(ending)}`]),
    ...(await brokenInvariants(stage.lab, ledger, ALONE)),
    ...(await unlessRecorded(stage.lab, /async - 0/)),
    ...(await unlessClean(stage.lab, ['db1', 'db2'])),
    ...(await unlessEmpty(stage.lab, 'db2')),
  ],
};

/** As a host that was never provisioned: db3 is one. */
async function unlessEmpty(lab: Lab, host: string): Promise<readonly string[]> {
  const [found, fresh] = await Promise.all([dataDirectory(lab, host), dataDirectory(lab, 'db3')]);
  const extra = found.filter((entry) => !fresh.includes(entry));
  return extra.length === 0 ? [] : [`${host} still holds ${extra.slice(0, 5).join(', ')}`];
}

const failover: Scenario = {
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
const failoverUndone: Scenario = {
  ...failover,
  leavesAsFound: true,
  turns: [{ point: 'fenceAndDrain:after', happen: cancel(`operation/${cluster}`) }],
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, { ...AS_SAVED, faultAt })),
    ...(await unlessRecorded(stage.lab, /lossless db2,db3 1/)),
  ],
};

const removeAcker: Scenario = {
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
const removeLastAcker: Scenario = {
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
const removalUndone: Scenario = {
  ...removeAcker,
  leavesAsFound: true,
  turns: [{ point: 'removeAcker.record:before', happen: cancel(`operation/${cluster}`) }],
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, AS_SAVED)),
    ...(await unlessRecorded(stage.lab, /lossless db2,db3 1/)),
  ],
};

const goAsync: Scenario = {
  ...removeLastAcker,
  breaks: () => Promise.resolve(),
  call: ({ client }, options) => client.goAsync({ cluster }, options),
};

/** The old primary holds nothing of its own: it follows the new one and counts again. */
const rejoin: Scenario = {
  state: 'cluster',
  leavesAsFound: false,
  breaks: async (stage) => {
    await killPrimary(stage);
    await stage.client.failover({ cluster, reason: 'chaos' });
  },
  call: ({ client }, options) => client.rejoinReplica({ cluster, host: 'db1' }, options),
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessDone(ending),
    ...(await brokenInvariants(stage.lab, ledger, { ...(await afterFailover(stage.lab, ['db1'])), faultAt })),
    ...(await unlessRecorded(stage.lab, /lossless \S*db1/)),
  ],
};

/** Who is primary is seen from outside; `back` follows it as well. */
async function afterFailover(lab: Lab, back: readonly string[]): Promise<Roles> {
  const [primary = ''] = await writableHosts(lab);
  return { primary, replicas: [...back, ...['db2', 'db3'].filter((host) => host !== primary)] };
}

/** Somebody cancels the return when the old primary was pointed at the new one: it follows nobody again, and is closed. */
const rejoinUndone: Scenario = {
  ...rejoin,
  turns: [{ point: 'rejoinHost.point:after', happen: cancel(`rejoin/${cluster}/db1`) }],
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, { ...(await afterFailover(stage.lab, [])), faultAt })),
    ...((await replicaStatus(stage.lab, 'db1')).size === 0 ? [] : ['db1 still follows somebody']),
  ],
};

/** A replica holds a write of its own: it is set aside, and its server stays down. */
const rejoinDiverged: Scenario = {
  state: 'cluster',
  leavesAsFound: false,
  breaks: async ({ lab }) => {
    await lab.host('db3').sql(`STOP SLAVE; INSERT INTO ledger.writes (token, route, server) VALUES (0, 'chaos', 3)`);
  },
  call: ({ client }, options) => client.rejoinReplica({ cluster, host: 'db3' }, options),
  judge: async ({ stage, ledger }, { ending }) => [
    ...unlessDone(ending),
    ...(ending.kind === 'done' ? unlessSetAside(ending.result as RejoinResult) : []),
    ...(stage.lab.host('db3').processes('mariadbd').length === 0 ? [] : ['the server of db3 runs']),
    ...(await brokenInvariants(stage.lab, ledger, WITH_DB2)),
  ],
};

/** Somebody lifted the fence of the old primary and started its server: it is shut off again. */
const deposed: Scenario = {
  state: 'cluster',
  leavesAsFound: false,
  breaks: async (stage) => {
    await killPrimary(stage);
    await stage.client.failover({ cluster, reason: 'chaos' });
    const lift = 'rm /var/lib/standfast/fenced && nft delete table inet standfast && service mariadb start';
    await stage.lab.host('db1').exec(['bash', '-c', lift]);
  },
  call: ({ client }, options) => client.fenceDeposed({ cluster, host: 'db1' }, options),
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessDone(ending),
    ...(ending.kind === 'done' && (ending.result as FenceDeposedResult).outcome !== 'fenced'
      ? ['db1 was left alone']
      : []),
    ...(stage.lab.host('db1').processes('mariadbd').length === 0 ? [] : ['the server of db1 runs']),
    ...(await brokenInvariants(stage.lab, ledger, { ...(await afterFailover(stage.lab, [])), faultAt })),
  ],
};

function unlessSetAside(result: RejoinResult): readonly string[] {
  if (result.outcome !== 'quarantined') return [`db3 was ${result.outcome}`];
  const gtids = result.tails.flatMap((tail) => tail.gtids);
  return gtids.length === 1 && gtids[0]?.startsWith('0-3-') === true ? [] : [`set aside was ${gtids.join(', ')}`];
}

export const SCENARIOS = {
  verify,
  prepare,
  'failover-undone': failoverUndone,
  failover,
  provision,
  'provision-undone': provisionUndone,
  'remove-acker': removeAcker,
  'remove-last-acker': removeLastAcker,
  'removal-undone': removalUndone,
  'go-async': goAsync,
  rejoin,
  'rejoin-undone': rejoinUndone,
  'rejoin-diverged': rejoinDiverged,
  deposed,
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;
