import type { FenceDeposedResult, RejoinResult } from '../../client/index.ts';
import type { Lab } from '../../lab/lab.ts';
import type { Roles } from '../invariants.ts';
import { brokenInvariants, replicaStatus, writableHosts } from '../invariants.ts';
import type { Scenario } from '../play.ts';
import { CLUSTER as cluster } from '../stage.ts';
import { cancel, killPrimary, unlessCancelled, unlessDone, unlessRecorded, WITH_DB2 } from './outcomes.ts';

/** The old primary holds nothing of its own: it follows the new one and counts again. */
export const rejoin: Scenario = {
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
export const rejoinUndone: Scenario = {
  ...rejoin,
  turns: [{ point: 'rejoinHost.point:after', happen: cancel(`rejoin/${cluster}/db1`) }],
  judge: async ({ stage, ledger }, { ending, faultAt }) => [
    ...unlessCancelled(ending),
    ...(await brokenInvariants(stage.lab, ledger, { ...(await afterFailover(stage.lab, [])), faultAt })),
    ...((await replicaStatus(stage.lab, 'db1')).size === 0 ? [] : ['db1 still follows somebody']),
  ],
};

/** A replica holds a write of its own: it is set aside, and its server stays down. */
export const rejoinDiverged: Scenario = {
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
export const deposed: Scenario = {
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
