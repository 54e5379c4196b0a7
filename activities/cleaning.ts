import { activityInfo } from '@temporalio/activity';
import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { FAILURE_TYPES } from '../domain/failure.ts';
import { answeredRecords } from '../domain/observation.ts';
import type { Activities, Transfer, Undone } from './contract.ts';
import { observe } from './observing.ts';
import { unsafe } from './refusal.ts';
import { undoAll } from './undoing.ts';

const CLEAN_MS = 120_000;
/** Nine minutes at Temporal's pace: a host may start anew meanwhile, or empty a large directory. */
const ATTEMPTS = 60;

/** Cleaning up must never empty a server that the cluster relies on by now. */
async function requireNotCounted(cluster: ClusterPorts, target: HostName): Promise<void> {
  const records = answeredRecords(await observe(cluster));
  const counts = records.some(
    (record) => record.primary?.host === target || record.sync?.ackers.includes(target) === true,
  );
  if (counts)
    throw unsafe(
      target,
      `${target} is recorded as primary or acker of ${cluster.description.cluster}, so nothing on it was removed`,
    );
}

async function clean(cluster: ClusterPorts, { job, donor, target }: Transfer): Promise<Undone> {
  const { owner } = cluster;
  await requireNotCounted(cluster, target);
  const passing: AdapterFailure[] = [];
  const part = (host: HostName, done: string) => ({
    what: `${host}: ${done}`,
    work: async () => {
      try {
        await cluster.helper(host).request('job-clean', { owner, job }, { timeoutMs: CLEAN_MS });
      } catch (error) {
        if (!(error instanceof AdapterFailure) || !FAILURE_TYPES[error.type].retried) throw error;
        passing.push(error);
        throw new Error(
          `${error.message}; when ${host} is back: standfast-host job-clean owner=${owner} job=${job}, as root on ${host}`,
          { cause: error },
        );
      }
    },
  });
  // At once after the look, which the target itself makes once more.
  const undone = await undoAll([part(target, 'emptied of what was copied'), part(donor, 'copy ended, keys removed')]);
  const [first] = passing;
  if (first !== undefined && activityInfo().attempt < ATTEMPTS) throw first;
  return undone;
}

export const cleaningActivities = (ports: Ports): Pick<Activities, 'cleanTransfer'> => ({
  cleanTransfer: async (input) => clean(await ports.cluster(input.cluster), input),
});
