/** Who a fault hits. At the start of every round db1 is primary; db2 is the first to be elected, db3 the other replica. */
export const ROLES = { primary: 'db1', candidate: 'db2', other: 'db3' } as const;
export type Role = keyof typeof ROLES;

export interface FaultEntry {
  readonly explains: string;
  /** Hosts it may hit; empty for faults of the control plane. */
  readonly roles: readonly Role[];
  /** Whether the primary can take no more writes from it, so that a failover is called for. */
  readonly endsPrimary: boolean;
  /** How often it is chosen among those that fit. */
  readonly weight: number;
  /** How long it lasts at least and at most, in milliseconds; null for one that is over at once. */
  readonly lasts: readonly [number, number] | null;
  /** Whether it may as well last until the run has ended. */
  readonly mayLast: boolean;
  /** Whether it makes the host's copy of the data one that cannot be used any more. */
  readonly spoils: boolean;
}

const ANY = ['primary', 'candidate', 'other'] as const;
const REPLICAS = ['candidate', 'other'] as const;
const usual = { endsPrimary: false, weight: 2, lasts: null, mayLast: false, spoils: false } as const;

/** Every kind of fault; chaos/rounds/acts.ts makes and heals them. */
const ENTRIES = {
  kill: {
    ...{ ...usual, explains: 'SIGKILL of mariadbd; started again later', roles: ANY, endsPrimary: true, weight: 3 },
    ...{ lasts: [500, 8000], mayLast: true },
  },
  power: {
    ...{ ...usual, explains: 'the host loses its power; back later', roles: ANY, endsPrimary: true },
    ...{ lasts: [2000, 8000], mayLast: true },
  },
  freeze: {
    ...{ ...usual, explains: 'SIGSTOP of mariadbd; SIGCONT later', roles: ANY, endsPrimary: true },
    ...{ lasts: [500, 8000], mayLast: true },
  },
  isolate: {
    ...{ ...usual, explains: 'the cable of the host is out', roles: ANY, endsPrimary: true },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  'instant-restart': {
    ...{ ...usual, explains: 'SIGKILL of mariadbd, which a supervisor starts again at once', roles: ANY },
    ...{ endsPrimary: true },
  },
  'full-disk': {
    ...{ ...usual, explains: 'no byte left on the disk of the data', roles: ANY, weight: 1 },
    ...{ lasts: [1000, 6000], mayLast: true },
  },
  cut: {
    ...{ ...usual, explains: 'nothing passes between two hosts', roles: ANY },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  'one-way-cut': {
    ...{ ...usual, explains: 'nothing passes from one host to another; what comes back does', roles: ANY },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  parted: {
    ...{ ...usual, explains: 'nothing passes between the primary and its replicas', roles: ['primary'] },
    ...{ weight: 3, lasts: [1000, 8000], mayLast: true },
  },
  'control-cut': {
    ...{ ...usual, explains: 'the workers and a host cannot reach each other', roles: ANY },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  'relay-damage': { ...usual, explains: 'bytes of a relay log are flipped', roles: REPLICAS, spoils: true },
  'relay-cut': { ...usual, explains: 'a relay log ends early', roles: REPLICAS, spoils: true },
  'full-connections': {
    ...{ ...usual, explains: 'every connection is taken (1040)', roles: ANY },
    ...{ lasts: [1000, 6000], mayLast: true },
  },
  'open-transaction': {
    ...{ ...usual, explains: 'a transaction that wrote and does not end', roles: ['primary'] },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  'long-transaction': { ...usual, explains: 'a transaction of 20,000 rows is committed', roles: ['primary'] },
  'row-lock': { ...usual, explains: 'locks that the applier needs are held', roles: REPLICAS, lasts: [1000, 6000] },
  'global-lock': {
    ...{ ...usual, explains: 'FLUSH TABLES WITH READ LOCK, and its session stays', roles: REPLICAS },
    ...{ lasts: [1000, 6000] },
  },
  'applier-stopped': {
    ...{ ...usual, explains: 'STOP SLAVE SQL_THREAD', roles: REPLICAS },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  'receiver-stopped': {
    ...{ ...usual, explains: 'STOP SLAVE IO_THREAD', roles: REPLICAS, weight: 1 },
    ...{ lasts: [1000, 8000], mayLast: true },
  },
  errant: { ...usual, explains: 'a transaction of its own on a replica', roles: REPLICAS, spoils: true },
  'worker-kill': { ...usual, explains: 'SIGKILL of the worker that is at work', roles: [], weight: 6 },
  'worker-zombie': {
    ...{ ...usual, explains: 'SIGSTOP of the worker that is at work; SIGCONT when its time is over', roles: [] },
    ...{ weight: 5, lasts: [1500, 6000], mayLast: true },
  },
  'temporal-kill': {
    ...{ ...usual, explains: 'SIGKILL of the Temporal server; started again later', roles: [] },
    ...{ weight: 4, lasts: [200, 2500] },
  },
} as const satisfies Readonly<Record<string, FaultEntry>>;

export type FaultKind = keyof typeof ENTRIES;

export const CATALOGUE = (Object.keys(ENTRIES) as readonly FaultKind[]).map((kind) => ({ kind, ...entryOf(kind) }));

export function entryOf(kind: FaultKind): FaultEntry {
  return ENTRIES[kind];
}
