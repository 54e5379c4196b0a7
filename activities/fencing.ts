import type { Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { isClaimOf } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { diagnosePrimary } from '../domain/diagnosis.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import {
  answeredRecords,
  isAnswering,
  isThere,
  observationOf,
  recordsByMember,
  withRecords,
} from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities, Fenced } from './contract.ts';
import { hostThatIsOff } from './continuing.ts';
import type { FencedOff } from './draining.ts';
import { electAndDrain } from './draining.ts';
import { clusterFor, followersOf, primaryOf } from './electing.ts';
import type { RelayLogs } from './foreseeing.ts';
import { lookAtRelayLogs, refuseWhatIsForeseen } from './foreseeing.ts';
import type { HandedOver } from './handing-over.ts';
import { fencePrimary, proveOff } from './ladder.ts';
import type { Sampled } from './observing.ts';
import { observe, observeBriefly, observeServers } from './observing.ts';
import { together } from './overtaken.ts';
import type { Patience } from './patience.ts';
import { FIRST_LOOK, LAST_LOOK } from './patience.ts';
import { keepRelayLogs, stopReceivers } from './receivers.ts';
import { Refusal, refusalOf } from './refusal.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps } from './steps.ts';
import type { Case } from './unfinished.ts';
import { goOn } from './unfinished.ts';
import type { Agreement } from './votes.ts';
import { agreedNow, requireFresh } from './votes.ts';

/** The first look, when nothing is claimed yet. */
interface Sight {
  readonly first: Sampled;
  readonly logs: RelayLogs;
  readonly handedOver: HandedOver;
}

async function fenceAndDrain(found: Case, { first, logs, handedOver }: Sight): Promise<Fenced> {
  const { steps, cluster, primary } = found;
  const { seen } = first;
  const before = diagnosePrimary(seen, primary);
  const unfinished = await goOn(found, { seen, diagnosis: before });
  if (unfinished !== null) return unfinished;
  requireDead(before, found);
  await refuseWhatIsForeseen({ seen, logs, ...found });
  const proofs: FenceProof[] = [];
  const secondLook = once(() => steps.run('diagnose', primary, () => lookAgain(found, first)));
  const claiming = steps.run('claim', null, () =>
    claimEpoch(cluster, {
      run: found.run,
      claimant: steps.claimant,
      include: [],
      primary,
      mayHang: primary,
      before: recordsByMember(seen),
      proveOff: async () => {
        const sight = await secondLook();
        requireDead(sight.diagnosis, found);
        proofs.push(await proveOff(found, sight.agreed));
        return [primary];
      },
    }),
  );
  // One that says nothing has to be waited for, and may be while the members accept the claim. One that refuses is asked behind it.
  const beside: Promise<unknown> = saysNothing(seen, primary) ? secondLook() : claiming;
  const [authority] = await together(claiming, beside);
  const { looked, diagnosis, agreed } = await secondLook();
  requireDead(diagnosis, found);
  const again = withRecords(looked, authority.records);
  const done = await fenceAndStop(authority, { found, seen: again, agreed, proven: proofs[0] });
  const decided = await electAndDrain(authority, { ...found, diagnosis, seen: again, ...done });
  // A host that is off may count for a majority that the claim did not need.
  if (decided.kind === 'ready' && hostThatIsOff(done.fence) === null) handedOver.leave(authority);
  return decided;
}

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let begun: Promise<T> | null = null;
  return () => (begun ??= work());
};

/** While the members accept the claim, or behind it: what it finds decides, before the power of the primary is taken as well. */
async function lookAgain({ cluster, primary }: Case, first: Sampled): Promise<Sighted> {
  const looked = await observeServers(cluster, { first, anew: [primary] }, lastLook(first, primary));
  return { looked, diagnosis: diagnosePrimary(looked, primary), agreed: agreedNow(primary) };
}

interface Sighted {
  readonly looked: ClusterObservation;
  readonly diagnosis: Diagnosis;
  readonly agreed: Agreement;
}

interface Fencing {
  readonly found: Case;
  /** Under the claim. */
  readonly seen: ClusterObservation;
  readonly agreed: Agreement;
  /** For the claim. */
  readonly proven: FenceProof | undefined;
}

/** Relay logs are kept while the old primary is fenced; receivers are stopped behind it, since one that could not be fenced would wait for them without need. */
async function fenceAndStop(authority: Authority, fencing: Fencing): Promise<FencedOff> {
  const { found, seen, agreed, proven } = fencing;
  const { steps, primary } = found;
  const gone = isThere(observationOf(seen, primary).helper) ? null : primary;
  const keeping = keepRelayLogs(authority, { followers: followersOf(seen, primary), gone });
  const prove = async (): Promise<FenceProof> => {
    requireFresh(agreed);
    return fencePrimary(authority, { found, seen, keeping });
  };
  const proving = proven === undefined ? steps.run('fence', primary, prove) : Promise.resolve(proven);
  const [fence, kept] = await together(proving, keeping);
  const stopped = await steps.run('receivers', null, () => stopReceivers(authority, kept, steps.signal));
  return { fence, kept, stopped };
}

function saysNothing(seen: ClusterObservation, primary: HostName): boolean {
  const server = observationOf(seen, primary).server?.reach;
  return server === 'silent' || server === 'hung';
}

/** The silence of a server and of its host counts from the first look on. */
function lastLook({ seen, startedMs }: Sampled, primary: HostName): Patience {
  const silentMs = performance.now() - startedMs;
  const serverMs = Math.max(FIRST_LOOK.serverMs, LAST_LOOK.serverMs - silentMs);
  if (isAnswering(observationOf(seen, primary).helper)) return { ...LAST_LOOK, serverMs };
  return { ...LAST_LOOK, serverMs, helperMs: LAST_LOOK.serverMs, hostMs: LAST_LOOK.hostMs / 2 };
}

/** The primary is not dead: nothing is refused, and nothing done to it. */
class Spared extends Error {
  readonly fenced: Extract<Fenced, { kind: 'alive' | 'closed' }>;

  constructor(fenced: Spared['fenced']) {
    super(`${fenced.primary} is not dead: ${fenced.diagnosis.explains}`);
    this.fenced = fenced;
  }
}

/** @throws Spared, or Refusal when it cannot be told */
function requireDead(diagnosis: Diagnosis, { primary, steps }: Case): void {
  const { timeline } = steps;
  if (diagnosis.consequence === 'leave') throw new Spared({ kind: 'alive', primary, diagnosis, timeline });
  if (diagnosis.consequence === 'reopen') throw new Spared({ kind: 'closed', primary, diagnosis, timeline });
  const refusal = refusalOf(diagnosis);
  if (refusal !== null) throw refusal;
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
  const ours = answeredRecords(seen).filter((records) => isClaimOf(records.epoch, run));
  return acted || (steps.attempt > 1 && ours.length > 0) || ours.some((records) => records.fenced);
}

/** What a member or a record refuses says what is to be done about it. */
const SAID_THERE = 'see to that, then start the failover again';

const isRefusal = (error: unknown): error is Refusal | AdapterFailure =>
  error instanceof Refusal || (error instanceof AdapterFailure && error.type === 'Unsafe');

/** The inventory lacks the cluster or the host, or it or what it leads to cannot be read. An earlier attempt of another worker may have had it. */
function withNothingChanged(error: unknown): never {
  if (!(error instanceof AdapterFailure)) throw error;
  const { type, host, silence, message, facts, cause } = error;
  throw new AdapterFailure({ type, host, silence, message, cause, facts: { ...facts, changed: false } });
}

export const fencingActivities = (
  ports: Ports,
  hooks: StepHooks,
  handedOver: HandedOver,
): Pick<Activities, 'fenceAndDrain'> => ({
  fenceAndDrain: ({ cluster, run, candidate, accepted = null }) =>
    inSteps(hooks, async (steps): Promise<Fenced> => {
      const unlessRepeated = steps.attempt === 1 ? withNothingChanged : undefined;
      const managed = await clusterFor(ports, cluster, candidate).catch(unlessRepeated);
      const logs = lookAtRelayLogs(managed);
      const first = await steps.run('observe', null, () => observeBriefly(managed, FIRST_LOOK)).catch(unlessRepeated);
      let recorded: HostName | null = null;
      try {
        const primary = primaryOf(managed, first.seen);
        recorded = primary;
        return await fenceAndDrain(
          { cluster: managed, primary, candidate, accepted, run, steps },
          { first, logs, handedOver },
        );
      } catch (error) {
        if (error instanceof Spared) return { ...error.fenced, changed: hasChanged(first.seen, { run, steps }) };
        if (!isRefusal(error)) throw error;
        const changed = hasChanged(await observe(managed), { run, steps });
        const { remedy, risk, primary } = error instanceof Refusal ? error : new Refusal(error.message, SAID_THERE);
        const { message: explains } = error;
        return { kind: 'refused', ...{ primary, recorded, explains, remedy, changed, risk }, timeline: steps.timeline };
      }
    }),
});
