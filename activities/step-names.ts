/** What the steps inside an activity are called, in their order: in timelines, and where one can be held. */

export const FENCE_STEPS = [
  'observe',
  'claim',
  'diagnose',
  'fence',
  'receivers',
  'elect',
  'coverage',
  'drain',
  'salvage',
] as const;
export const PROMOTE_STEPS = ['claim', 'record', 'siblings', 'semi-sync', 'open', 'vip', 'confirm', 'prove'] as const;
export const OPEN_STEPS = [
  'claim',
  'check',
  'record',
  'semi-sync',
  'open',
  'replicas',
  'confirm',
  'vip',
  'prove',
] as const;
export const ADMIT_STEPS = ['claim', 'check', 'start', 'record', 'replica', 'primary', 'confirm'] as const;
export const REMOVE_STEPS = ['claim', 'check', 'refuse', 'record', 'release', 'quieten'] as const;
export const ASYNC_STEPS = ['claim', 'check', 'record', 'release', 'quieten'] as const;
export const ROOM_STEPS = ['claim', 'check', 'room', 'attach', 'restore'] as const;
export const REJOIN_STEPS = ['claim', 'look', 'judge', 'start', 'point', 'quarantine'] as const;
export type StepName =
  | (typeof REJOIN_STEPS)[number]
  | (typeof FENCE_STEPS)[number]
  | (typeof PROMOTE_STEPS)[number]
  | (typeof OPEN_STEPS)[number]
  | (typeof ADMIT_STEPS)[number]
  | (typeof REMOVE_STEPS)[number]
  | (typeof ASYNC_STEPS)[number]
  | (typeof ROOM_STEPS)[number];
