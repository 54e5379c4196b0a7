import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { describeHost } from '../domain/cluster.ts';
import type { FenceDeposedInput } from '../domain/inputs.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import { newestEpoch } from '../domain/records.ts';
import { Authority } from './authority.ts';
import type { Activities, DeposedFence } from './contract.ts';
import { primaryRecordOf } from './electing.ts';
import { shutOff } from './ladder.ts';
import { observe } from './observing.ts';
import { isStale } from './overtaken.ts';

/**
 * The host takes the epoch that the others obey, and is fenced under it: nothing is claimed, so an operation that runs meanwhile is not disturbed.
 * @throws AdapterFailure `Unreachable` while it does not answer
 */
async function fenceDeposed(
  cluster: ClusterPorts,
  { host: name, epoch: deposed = 0 }: FenceDeposedInput,
): Promise<DeposedFence> {
  const host = describeHost(cluster.description, name).name;
  const seen = await observe(cluster);
  const recorded = primaryRecordOf(cluster, seen, 'NotYet');
  const primary = recorded.host;
  if (primary === host && recorded.epoch < deposed)
    throw new AdapterFailure({
      type: 'NotYet',
      host,
      message: `${host} is still on record as the primary; the failover of epoch ${String(deposed)} has recorded nobody in its place`,
    });
  if (primary === host) return { kind: 'left-alone', why: `${host} is the primary by now` };
  const { helper, server } = observationOf(seen, host);
  if (!isAnswering(helper)) throw new AdapterFailure({ type: 'Unreachable', host, message: helper.why });
  if (isAnswering(server) && server.status.readOnly && server.status.replication?.source === primary)
    return { kind: 'left-alone', why: `${host} follows ${primary} by now` };
  const epoch = newestEpoch(answeredRecords(seen));
  if (epoch === null) throw new Error('a primary is recorded, so an epoch is');
  const authority = new Authority(cluster, epoch, { members: [], provenOff: [], records: new Map() });
  return { kind: 'fenced', proof: (await shutOff(authority, { primary: host })).proof };
}

export const deposingActivities = (ports: Ports): Pick<Activities, 'fenceDeposed'> => ({
  fenceDeposed: async (input) => {
    try {
      return await fenceDeposed(await ports.cluster(input.cluster), input);
    } catch (error) {
      // An operation claimed in between; the next look sees what it made of the host.
      if (!isStale(error)) throw error;
      throw new AdapterFailure({ type: 'NotYet', host: input.host, message: error.message });
    }
  },
});
