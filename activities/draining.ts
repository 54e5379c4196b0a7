import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { waitApplied } from '../adapters/mariadb.ts';
import type { HostName } from '../domain/cluster.ts';
import { judgeCoverage } from '../domain/coverage.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Election } from '../domain/election.ts';
import { isAnswering } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import type { Fenced } from './contract.ts';
import { electFrom, lineageOf, syncOf } from './electing.ts';
import { lossOf, refuseUnaccepted } from './foreseeing.ts';
import { askServer, observe } from './observing.ts';
import { stopReceivers } from './receivers.ts';
import { Refusal } from './refusal.ts';
import type { Steps } from './steps.ts';
import { until } from './steps.ts';
import type { Case } from './unfinished.ts';

const BINLOG_END_MS = 60_000;
const DRAIN_SLICE_MS = 500;
const DRAIN_MS = 600_000;

/** Steps 6 to 9, after the fence: received sets stand still, a winner is elected, nothing acknowledged is missing on it, all of it is applied. */
export async function electAndDrain(
  authority: Authority,
  found: Case & { readonly diagnosis: Diagnosis; readonly fence: FenceProof },
): Promise<Fenced> {
  const { steps, cluster, primary } = found;
  const followers = await steps.run('receivers', null, () => stopReceivers(authority, primary, steps.signal));
  const seen = await observe(cluster, primary);
  const election = await steps.run('elect', null, () =>
    Promise.resolve(electFrom(cluster, { ...found, seen, followers })),
  );
  const winner = winnerOf(election);
  const coverage = await steps.run('coverage', primary, async () => {
    const known = {
      sync: syncOf(cluster, seen),
      contributors: election.because.map((vote) => vote.host),
      winnerReceived: winner.received,
      lineage: lineageOf(cluster, seen),
    };
    const byAckers = judgeCoverage({ ...known, oldBinlogEnd: null });
    if (byAckers.kind === 'lossless' || found.fence.rung !== 'ssh') return byAckers;
    return judgeCoverage({ ...known, oldBinlogEnd: await binlogEnd(cluster, primary) });
  });
  if (coverage.kind === 'lossy') refuseUnaccepted({ fence: null, loss: lossOf(coverage) }, found.accepted);
  await steps.run('drain', winner.host, () => drain(authority, winner.host, steps));
  return {
    kind: 'ready',
    winner: winner.host,
    epoch: authority.epoch,
    decision: {
      diagnosis: found.diagnosis,
      votes: election.because,
      fence: found.fence,
      coverage,
      accepted: found.fence.rung === 'accepted' || coverage.kind === 'lossy' ? found.accepted : null,
    },
    timeline: steps.timeline,
  };
}

function winnerOf(election: Election): Extract<Election, { kind: 'elected' }> {
  if (election.kind === 'elected') return election;
  throw new Refusal(
    `no replica can be promoted: ${election.explains}`,
    'mend a replica, then start the failover again',
  );
}

async function binlogEnd(cluster: ClusterPorts, primary: HostName): Promise<string> {
  return (await cluster.helper(primary).request('binlog-end', {}, { timeoutMs: BINLOG_END_MS }))['gtid'] ?? '';
}

/** Waits until the winner has applied everything it received. Its receiver stands still, so the goal does not move. */
async function drain(authority: Authority, winner: HostName, steps: Steps): Promise<void> {
  const drained = await until(
    async () => {
      const answer = await askServer(authority.cluster, winner);
      if (!isAnswering(answer)) throw new AdapterFailure({ type: 'Unreachable', host: winner, message: answer.why });
      const error = answer.status.replication?.applierError ?? null;
      if (error !== null)
        throw new Refusal(
          `the applier of ${winner} stopped with error ${String(error.code)}: ${error.message}`,
          `mend ${winner}`,
        );
      const goal = answer.status.replication?.received ?? '';
      const done = await authority.withSession(winner, (session) => waitApplied(session, goal, DRAIN_SLICE_MS));
      return done ? true : null;
    },
    { signal: steps.signal, everyMs: 0, forMs: DRAIN_MS },
  );
  if (drained === null)
    throw new AdapterFailure({ type: 'NotYet', host: winner, message: `${winner} is still applying what it received` });
}
