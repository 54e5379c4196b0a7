import type { ClusterRuns, RunsAnswer } from '../../domain/cluster-runs.ts';
import type { ClusterDescription } from '../../domain/cluster.ts';
import type { ClusterObservation, HostObservation } from '../../domain/observation.ts';
import type { ProtectionInput } from '../../domain/protection.ts';
import { answers, seen, serverStatus, SHOP, WAITING } from './shop.ts';

export const QUIET: ClusterRuns = {
  operation: null,
  others: [],
  lastVerification: {
    workflowId: 'verify/shop/scheduled',
    runId: 'v-1',
    at: '2025-01-01T02:59:48.000Z',
    outcome: 'ok',
  },
  lastFailover: null,
  watcher: 'one/17',
  delays: [],
};

export const told = (changes: Partial<ClusterRuns> = {}): RunsAnswer => ({
  reach: 'answers',
  runs: { ...QUIET, ...changes },
});

/** A primary that says that db2 and db3 are connected to it. */
export const PRIMARY = serverStatus({ semiSync: { ...WAITING, attached: [2, 3] } });

export const observed = (changes: Readonly<Record<string, Partial<HostObservation>>> = {}): ClusterObservation =>
  seen({ ...changes, db1: { server: answers(PRIMARY), ...changes['db1'] } });

/** The healthy shop, asked in full, with some of it otherwise. */
export const shop = (changes: {
  readonly hosts?: Readonly<Record<string, Partial<HostObservation>>>;
  readonly runs?: RunsAnswer;
  readonly cluster?: Partial<ClusterDescription>;
}): ProtectionInput => ({
  cluster: { ...SHOP, ...changes.cluster },
  observation: observed(changes.hosts),
  runs: changes.runs ?? told(),
});
