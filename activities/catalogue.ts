import type { Activities } from './contract.ts';
import type { StepName } from './step-names.ts';
import {
  ADMIT_STEPS,
  ASYNC_STEPS,
  FENCE_STEPS,
  OPEN_STEPS,
  PROMOTE_STEPS,
  REJOIN_STEPS,
  REMOVE_STEPS,
  ROOM_STEPS,
} from './step-names.ts';

export interface CatalogueEntry {
  /** Whether it changes anything outside Temporal, be it a heartbeat row. */
  readonly changes: boolean;
  /** Its inner steps, in their order; each can be held. */
  readonly steps: readonly StepName[];
}

const LOOKS = { changes: false, steps: [] } as const;
const CHANGES = { changes: true, steps: [] } as const;

/** Every activity of the contract, for what has to go through all of them: the compiler refuses a contract with an activity that is missing here. */
export const CATALOGUE = {
  describeCluster: LOOKS,
  observeCluster: LOOKS,
  measureLag: CHANGES,
  gatherAuditFacts: LOOKS,
  equipMembers: CHANGES,
  openPrimary: { changes: true, steps: OPEN_STEPS },
  planProvision: CHANGES,
  openTransfer: CHANGES,
  copySnapshot: CHANGES,
  installSnapshot: CHANGES,
  startReplica: CHANGES,
  proveReplica: CHANGES,
  keepSnapshot: CHANGES,
  cleanTransfer: CHANGES,
  admitReplica: { changes: true, steps: ADMIT_STEPS },
  undoAdmission: CHANGES,
  removeAcker: { changes: true, steps: REMOVE_STEPS },
  undoRemoval: CHANGES,
  goAsync: { changes: true, steps: ASYNC_STEPS },
  makeRoom: { changes: true, steps: ROOM_STEPS },
  planFailover: LOOKS,
  fenceAndDrain: { changes: true, steps: FENCE_STEPS },
  // It opens the old primary as `openPrimary` does, under a claim of its own.
  undoFence: { changes: true, steps: OPEN_STEPS.filter((step) => step !== 'claim') },
  promoteAndRoute: { changes: true, steps: PROMOTE_STEPS },
  fenceDeposed: CHANGES,
  planRejoin: LOOKS,
  rejoinHost: { changes: true, steps: REJOIN_STEPS },
  undoRejoin: CHANGES,
  settleCluster: CHANGES,
  planFiles: LOOKS,
  diffFileset: CHANGES,
  syncFileset: CHANGES,
  logFiles: CHANGES,
} as const satisfies Record<keyof Activities, CatalogueEntry>;
