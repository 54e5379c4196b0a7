import type { Risk } from './acceptance.ts';
import type { ClusterDescription, FenceRung, HostName } from './cluster.ts';
import type { Coverage } from './coverage.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Vote } from './election.ts';

/** One step of a plan, in the order in which it would be done. */
export interface PlannedStep {
  /** As it is called in a timeline. */
  readonly step: string;
  readonly explains: string;
  /** Whether it is undone when a later one fails; false: from here on it only goes forward. */
  readonly undone: boolean;
}

/** Why a failover would stop before anything is changed. */
export interface PlannedRefusal {
  readonly explains: string;
  readonly remedy: string;
  /** What a person could answer for, so that it goes on; null when nobody's word helps. */
  readonly risk: Risk | null;
}

/** What a failover would do with what was seen just now. Nothing was changed to find out. */
export interface FailoverPlan {
  readonly outcome: 'planned' | 'would-refuse';
  readonly cluster: string;
  /** The primary on record. */
  readonly primary: HostName;
  /** How it is now. The plan is for its death. */
  readonly diagnosis: Diagnosis;
  /** Who would be promoted; null when nobody can be. */
  readonly winner: HostName | null;
  readonly votes: readonly Vote[];
  /** Who would acknowledge the writes of the winner. */
  readonly ackers: readonly HostName[];
  /** Rungs of the fence that are at hand, in the order in which they would be tried. */
  readonly fence: readonly FenceRung[];
  /** What is known of a loss, in words. */
  readonly loss: string;
  readonly refusal: PlannedRefusal | null;
  /** While the host of the primary answers: why a failover would refuse if that died as well, with its power; null: it would not. */
  readonly ifHostDies: PlannedRefusal | null;
  /** Empty when nobody can be promoted. */
  readonly steps: readonly PlannedStep[];
  readonly sentence: string;
}

/** What was found out for a plan. */
export interface PlanInput {
  readonly cluster: ClusterDescription;
  readonly primary: HostName;
  readonly diagnosis: Diagnosis;
  readonly fence: readonly FenceRung[];
  /** Null: nobody can be promoted. */
  readonly elected: {
    readonly winner: HostName;
    readonly votes: readonly Vote[];
    readonly ackers: readonly HostName[];
    /** What the ackers alone promise. */
    readonly byAckers: Coverage;
    readonly risk: Risk;
  } | null;
  readonly refusal: PlannedRefusal | null;
  readonly ifHostDies: PlannedRefusal | null;
}

export function planOf(input: PlanInput): FailoverPlan {
  const { cluster, primary, diagnosis, fence, elected, refusal, ifHostDies } = input;
  const found = {
    cluster: cluster.cluster,
    primary,
    diagnosis,
    winner: elected?.winner ?? null,
    votes: elected?.votes ?? [],
    ackers: elected?.ackers ?? [],
    fence,
    loss: elected === null ? 'nobody can be promoted' : lossInWords(elected, primary),
    refusal,
    ifHostDies,
    steps: elected === null ? [] : stepsOf(cluster, { ...elected, primary, fence }),
  };
  const isDead = diagnosis.consequence === 'failOver';
  if (elected === null || refusal !== null) {
    const when = isDead ? 'a failover now' : `a failover, if ${primary} died now,`;
    const sentence = `${when} would refuse, and change nothing: ${refusal?.explains ?? 'nobody can be promoted'}`;
    return { outcome: 'would-refuse', ...found, sentence };
  }
  const { winner, byAckers } = elected;
  const without = byAckers.kind === 'lossless' ? ' without loss' : '';
  const when = isDead ? 'now' : `if ${primary} died now`;
  const promoted = `${winner} would be promoted${without} ${when}`;
  const sentence =
    ifHostDies === null ? promoted : `${promoted}, but not if its host died as well: ${ifHostDies.explains}`;
  return { outcome: 'planned', ...found, sentence };
}

function lossInWords({ byAckers, risk }: NonNullable<PlanInput['elected']>, primary: HostName): string {
  if (byAckers.kind === 'lossless') return `none: ${byAckers.why}`;
  if (risk.loss !== null) return risk.loss.explains;
  return `none if the binary log of ${primary} can be read after the fence, which is all that covers it`;
}

interface Ahead {
  readonly primary: HostName;
  readonly winner: HostName;
  readonly votes: readonly Vote[];
  readonly ackers: readonly HostName[];
  readonly fence: readonly FenceRung[];
}

const RUNGS: Readonly<Record<FenceRung, (host: HostName) => string>> = {
  ssh: (host) => `stopping ${host}'s server and closing its port, over SSH`,
  powerOff: (host) => `switching ${host} off by the power hook`,
  revocation: (host) => `stopping the receivers that ${host} waits for`,
};

function stepsOf(
  cluster: ClusterDescription,
  { primary, winner, votes, ackers, fence }: Ahead,
): readonly PlannedStep[] {
  const receivers = votes.map(({ host }) => host).join(' and ');
  const others = votes.map(({ host }) => host).filter((host) => host !== winner);
  const salvage = cluster.salvage === 'apply' ? `applied to ${winner}` : 'kept aside';
  const undone: readonly (readonly [string, string])[] = [
    ['claim', 'a majority of the members accepts a new epoch, and older sessions are ended'],
    ['diagnose', `${primary} is looked at again under the claim: alive after all, it is left alone`],
    ['fence', `proof that ${primary} acknowledges nothing any more, by ${rungsInWords(fence, primary)}`],
    ['receivers', `relay logs of ${receivers} are kept, then their receivers are stopped`],
    ['elect', `who has received most is elected: ${winner}, by what was received until now`],
    ['coverage', 'every acknowledged write is proven to be there, or its loss is counted'],
    ['drain', `${winner} applies everything that it has received`],
    ['salvage', `what only ${primary} has is read from its files, if its host answers, and ${salvage}`],
  ];
  const forward: readonly (readonly [string, string])[] = [
    ['record', `a majority records ${winner} as the primary`],
    ...(others.length === 0
      ? []
      : [['siblings', `${others.join(' and ')} ${others.length > 1 ? 'follow' : 'follows'} ${winner}`] as const]),
    ['semi-sync', waiting(cluster, winner, ackers)],
    ['open', `${winner} accepts writes`],
    ['vip', `the VIP is on ${winner}, proven by ARP and by a write through it`],
  ];
  return [
    ...undone.map(([step, explains]) => ({ step, explains, undone: true })),
    ...forward.map(([step, explains]) => ({ step, explains, undone: false })),
  ];
}

function waiting({ mode }: ClusterDescription, winner: HostName, ackers: readonly HostName[]): string {
  if (mode === 'async') return `${winner} waits for nobody (async)`;
  return ackers.length === 0
    ? `${winner} waits for nobody, since nobody is left to acknowledge (policy.alone)`
    : `${winner} waits for ${ackers.join(' or ')} before it acknowledges a write`;
}

const rungsInWords = (fence: readonly FenceRung[], primary: HostName): string =>
  fence.length === 0 ? `a person's word` : fence.map((rung) => RUNGS[rung](primary)).join(', or else ');
