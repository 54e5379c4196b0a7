import type { Acceptance, Risk } from '../domain/acceptance.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { EventsReport } from '../domain/events.ts';
import type { FenceDeposedInput } from '../domain/inputs.ts';
import type { FailoverPlan } from '../domain/plan.ts';
import type { FailoverDecision, FenceProof, TimelineEntry } from '../domain/report.ts';
import type { OfCluster, OfOperation, Undone } from './contract-shapes.ts';

export type Fenced =
  | {
      /** `alive`: open for writes, left alone. `closed`: it answers and refuses writes, as after a restart. */
      readonly kind: 'alive' | 'closed';
      readonly primary: HostName;
      /** Of one that is alive: an earlier attempt may have fenced it or stopped receivers, which the undo takes back. Runs of earlier versions do not say. */
      readonly changed?: boolean;
      readonly diagnosis: Diagnosis;
      readonly timeline: readonly TimelineEntry[];
    }
  | {
      readonly kind: 'refused';
      /** Whom a person's word would be about; null when it would not help. Runs of earlier versions do not say. */
      readonly primary?: HostName | null;
      /** On record as the primary; null when nobody knows. Runs of earlier versions do not say. */
      readonly recorded?: HostName | null;
      readonly explains: string;
      readonly remedy: string;
      /** False: nothing was changed anywhere. True: the undo has work to do. */
      readonly changed: boolean;
      /** What a person could accept, so that it goes on; null when nobody's word helps. */
      readonly risk: Risk | null;
      readonly timeline: readonly TimelineEntry[];
    }
  | {
      readonly kind: 'ready';
      readonly winner: HostName;
      readonly epoch: Epoch;
      readonly decision: FailoverDecision;
      readonly timeline: readonly TimelineEntry[];
    };

export interface Promoted {
  readonly epoch: Epoch;
  readonly mode: 'lossless' | 'async';
  readonly ackers: readonly HostName[];
  /** Who else is heard for the VIP, when the old primary could not be switched off; null when nobody is. */
  readonly secondHolder: string | null;
  readonly timeline: readonly TimelineEntry[];
}

export type DeposedFence =
  { readonly kind: 'fenced'; readonly proof: string } | { readonly kind: 'left-alone'; readonly why: string };

export interface Settled {
  /** Null: the policy is not to run events. */
  readonly events: EventsReport | null;
}

/** The steps of a failover. */
export interface FailoverActivities {
  /**
   * What a failover would do if the primary were dead now, by its own looks and rules. Changes nothing.
   * @throws `Unsafe` when no majority of the members says who is primary
   */
  planFailover(input: OfCluster & { readonly candidate: HostName | null }): Promise<FailoverPlan>;

  /**
   * Steps 2 to 9 of a failover: observe, claim, diagnose again, fence with proof, stop the receivers, elect, check coverage, drain. Can be undone.
   * Steps inside: see `FENCE_STEPS`. Nothing is changed when the prediction at step 2 already refuses.
   * @param input.accepted what a person answers for: an unproven fence, a loss; a refusal that says `risk` asks for it. It counts for the primary it names
   */
  fenceAndDrain(
    input: OfOperation & { readonly candidate: HostName | null; readonly accepted?: Acceptance | null },
  ): Promise<Fenced>;

  /** Undo of `fenceAndDrain`: fence removed, server started closed and opened again by majority, receivers started. */
  undoFence(input: OfOperation): Promise<Undone>;

  /**
   * Steps 11 and 12: `primary` record on a majority, siblings pointed at the winner, semi-sync on, opened, VIP moved and proven. Forward only. See `PROMOTE_STEPS`.
   * @param input.kept hosts whose relay logs were kept under `epoch`, and whose receivers stand still since
   */
  promoteAndRoute(
    input: OfOperation & {
      readonly winner: HostName;
      readonly fence: FenceProof;
      readonly epoch: Epoch;
      readonly kept?: readonly HostName[];
    },
  ): Promise<Promoted>;

  /**
   * Shuts off a deposed primary that could not be reached when it was deposed, under the epoch that the others obey.
   * @returns `left-alone` when it is primary again, or follows the primary
   * @throws `Unreachable` while its helper does not answer; `NotYet` while too few members say who is primary, while nobody is recorded in its place, and when an
   * operation claims at the same time
   */
  fenceDeposed(input: FenceDeposedInput): Promise<DeposedFence>;

  /**
   * Step 13: forgets the old channel on the new primary and enables its events, if the policy is that it runs them.
   * @param input.fence  whom it proved off counts for the majority; runs of earlier versions do not say
   * @returns what became of the events; nothing in runs of earlier versions
   * @throws `Stale` when another host is primary by now
   */
  settleCluster(
    input: OfOperation & { readonly primary: HostName; readonly epoch: Epoch; readonly fence?: FenceProof },
  ): Promise<Settled | undefined>;
}
