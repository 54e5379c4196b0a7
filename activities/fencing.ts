import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { waitApplied } from '../adapters/mariadb.ts';
import type { FenceRung, HostName } from '../domain/cluster.ts';
import { judgeCoverage } from '../domain/coverage.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { diagnosePrimary } from '../domain/diagnosis.ts';
import type { Election } from '../domain/election.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './authority.ts';
import type { Activities, Fenced } from './contract.ts';
import { electFrom, lineageOf, predictRefusal, primaryOf, syncOf } from './electing.ts';
import { askServer, observe } from './observing.ts';
import { stopReceivers } from './receivers.ts';
import type { Case } from './unfinished.ts';
import { goOn } from './unfinished.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';

const POWER_OFF_MS = 60_000;
const DRAIN_SLICE_MS = 500;
const DRAIN_MS = 600_000;

/** A refusal met on the way; the workflow decides what is undone. */
class Refusal extends Error {
  readonly remedy: string;
  constructor(explains: string, remedy: string) {
    super(explains);
    this.remedy = remedy;
  }
}

async function fenceAndDrain(found: Case, seen: ClusterObservation): Promise<Fenced> {
  const { steps, cluster, primary } = found;
  const before = diagnosePrimary(seen, primary);
  const spared = (await goOn(found, { seen, diagnosis: before })) ?? sparing(before, found);
  if (spared !== null) return spared;
  const refusal = before.consequence === 'refuse' ? before.explains : await predictRefusal(cluster, { seen, ...found });
  if (refusal !== null) throw new Refusal(refusal, 'bring back a host that is missing, or the primary itself');
  const proofs: FenceProof[] = [];
  const authority = await steps.run('claim', null, () =>
    claimEpoch(cluster, {
      run: found.run,
      include: [],
      primary,
      mayHang: primary,
      leaveOut: isAnswering(observationOf(seen, primary).helper) ? null : primary,
      proveOff: async () => {
        proofs.push(await powerOff(found));
        return [primary];
      },
    }),
  );
  const again = await steps.run('diagnose', primary, () => observe(cluster));
  const diagnosis = diagnosePrimary(again, primary);
  const sparedNow = sparing(diagnosis, found);
  if (sparedNow !== null) return sparedNow;
  if (diagnosis.consequence === 'refuse')
    throw new Refusal(diagnosis.explains, 'look at the network between the hosts');
  const fence = await steps.run(
    'fence',
    primary,
    async () => proofs[0] ?? (await fencePrimary(authority, found, again)),
  );
  return electAndDrain(authority, { ...found, diagnosis, fence });
}

function sparing(diagnosis: Diagnosis, { primary, steps }: Case): Fenced | null {
  const { timeline } = steps;
  if (diagnosis.consequence === 'leave') return { kind: 'alive', primary, diagnosis, timeline };
  return diagnosis.consequence === 'reopen' ? { kind: 'closed', primary, diagnosis, timeline } : null;
}

async function electAndDrain(
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
  if (coverage.kind === 'lossy')
    throw new Refusal(
      `no acknowledged write may be lost, and that cannot be promised: ${coverage.why}`,
      `bring back ${primary} or the missing replica`,
    );
  await steps.run('drain', winner.host, () => drain(authority, winner.host, steps));
  return {
    kind: 'ready',
    winner: winner.host,
    epoch: authority.epoch,
    decision: { diagnosis: found.diagnosis, votes: election.because, fence: found.fence, coverage },
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

/** Climbs the rungs of the policy until one gives a proof. */
async function fencePrimary(authority: Authority, found: Case, seen: ClusterObservation): Promise<FenceProof> {
  const { helper } = observationOf(seen, found.primary);
  const reachable = isAnswering(helper);
  const rungs = found.cluster.description.fence.filter((rung) => rung !== 'ssh' || reachable);
  const tried: string[] = isAnswering(helper) ? [] : [`ssh: ${helper.why}`];
  for (const rung of rungs) {
    try {
      return await climb(rung, { authority, found });
    } catch (error) {
      if (!(error instanceof AdapterFailure) || error.type === 'Stale') throw error;
      tried.push(`${rung}: ${error.message}`);
    }
  }
  throw new Refusal(
    `it is not proven that ${found.primary} can no longer acknowledge a write (${tried.join('; ')})`,
    `switch ${found.primary} off, or bring it back`,
  );
}

async function climb(
  rung: FenceRung,
  { authority, found }: { readonly authority: Authority; readonly found: Case },
): Promise<FenceProof> {
  if (rung === 'powerOff') return powerOff(found);
  const { address, prefix, interface: device } = found.cluster.vip;
  const answer = await authority.order(found.primary, 'fence', {
    vip: address,
    prefix: String(prefix),
    interface: device,
  });
  const proof = Object.entries(answer).map(([name, value]) => `${name}=${value}`);
  return { rung, host: found.primary, proof: proof.join(' ') };
}

async function powerOff(found: Case): Promise<FenceProof> {
  const { cluster, primary, steps } = found;
  if (!cluster.description.fence.includes('powerOff'))
    throw new AdapterFailure({
      type: 'Unsafe',
      host: primary,
      message: `the policy has no power switch for ${primary}`,
    });
  const said = await cluster.powerOff(primary, { timeoutMs: POWER_OFF_MS, signal: steps.signal });
  return { rung: 'powerOff', host: primary, proof: `the power hook confirms: ${said}` };
}

async function binlogEnd(cluster: ClusterPorts, primary: HostName): Promise<string> {
  return (await cluster.helper(primary).request('binlog-end', {}, { timeoutMs: POWER_OFF_MS }))['gtid'] ?? '';
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

/**
 * Whether there is something to undo: a fence, stopped receivers, a host that may have been switched off. A claimed epoch alone is not: it only
 * makes the next one higher. In doubt, yes.
 */
function hasChanged(
  seen: ClusterObservation,
  { run, steps }: { readonly run: string; readonly steps: Steps },
): boolean {
  const acted = steps.timeline.some((entry) => entry.step === 'fence' || entry.step === 'receivers');
  const ours = answeredRecords(seen).filter((records) => records.epoch?.run === run);
  return acted || (steps.attempt > 1 && ours.length > 0) || ours.some((records) => records.fenced);
}

const isRefusal = (error: unknown): error is Refusal | AdapterFailure =>
  error instanceof Refusal || (error instanceof AdapterFailure && error.type === 'Unsafe');

export const fencingActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'fenceAndDrain'> => ({
  fenceAndDrain: ({ cluster, run, candidate }) =>
    inSteps(hooks, async (steps): Promise<Fenced> => {
      const managed = await ports.cluster(cluster);
      const seen = await steps.run('observe', null, () => observe(managed));
      try {
        const primary = primaryOf(managed, seen);
        return await fenceAndDrain({ cluster: managed, primary, candidate, run, steps }, seen);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const changed = hasChanged(await observe(managed), { run, steps });
        const remedy = error instanceof Refusal ? error.remedy : `bring back the members that do not answer`;
        return { kind: 'refused', explains: error.message, remedy, changed, timeline: steps.timeline };
      }
    }),
});
