import type { Scenario } from './play.ts';
import { diffFiles, syncFiles } from './stories/files.ts';
import { deposed, rejoin, rejoinDiverged, rejoinUndone } from './stories/returns.ts';
import {
  failover,
  failoverUndone,
  goAsync,
  makeRoom,
  prepare,
  provision,
  admissionUndone,
  provisionUndone,
  removalUndone,
  removeAcker,
  removeLastAcker,
  verify,
} from './stories/runbooks.ts';

export const SCENARIOS = {
  verify,
  prepare,
  'failover-undone': failoverUndone,
  failover,
  provision,
  'provision-undone': provisionUndone,
  'admission-undone': admissionUndone,
  'remove-acker': removeAcker,
  'remove-last-acker': removeLastAcker,
  'removal-undone': removalUndone,
  'go-async': goAsync,
  'make-room': makeRoom,
  rejoin,
  'rejoin-undone': rejoinUndone,
  'rejoin-diverged': rejoinDiverged,
  deposed,
  'sync-files': syncFiles,
  'diff-files': diffFiles,
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;
