/** Who is who at the start of a campaign, and as long as no failover happens. */
export const PRIMARY = 'db1';
export const REPLICAS = ['db2', 'db3'] as const;

interface Entry {
  readonly explains: string;
  /** Hosts that it may hit, beside the watcher. */
  readonly hosts: readonly string[];
  /** How long it lasts at least and at most, in milliseconds. */
  readonly lasts: readonly [number, number];
}

const AT_PRIMARY = { hosts: [PRIMARY] } as const;
const AT_REPLICA = { hosts: REPLICAS } as const;
const AT_WATCHER = { hosts: [] } as const;

/**
 * What must not start a failover. Whatever leaves the primary heard by somebody, or takes the watcher its own ears, lasts far longer than policy.watch.silence (0.4 s)
 * too. What silences the primary for everybody is death when it lasts that long, so it ends before.
 */
const ENTRIES = {
  'watcher-cut': {
    ...{ ...AT_PRIMARY, lasts: [100, 6000] },
    explains: 'nothing passes between the watcher and the primary, SQL and SSH; the replicas hear it',
  },
  'watcher-and-replica-cut': {
    ...{ ...AT_REPLICA, lasts: [100, 6000] },
    explains: 'the primary hears neither the watcher nor one replica, which is a majority; the other replica hears it',
  },
  'watcher-isolated': { ...{ ...AT_WATCHER, lasts: [100, 6000] }, explains: "the watcher's cable is out" },
  'replica-isolated': { ...{ ...AT_REPLICA, lasts: [100, 6000] }, explains: 'the cable of a replica is out' },
  'watcher-loss': {
    ...{ ...AT_WATCHER, lasts: [500, 8000] },
    explains: '30 % of the packets between the watcher and every host are lost, both ways',
  },
  'primary-loss': {
    ...{ ...AT_PRIMARY, lasts: [500, 8000] },
    explains: '30 % of the packets between the primary and everybody are lost, both ways',
  },
  'full-connections': {
    ...{ ...AT_PRIMARY, lasts: [200, 5000] },
    explains: 'every connection of the primary is taken when the watcher has to connect anew (1040)',
  },
  'slow-log-in': {
    ...{ ...AT_PRIMARY, lasts: [500, 6000] },
    explains: 'the primary greets the watcher late when it has to connect anew, as with a slow name service',
  },
  'watcher-stopped': { ...{ ...AT_WATCHER, lasts: [1000, 10_000] }, explains: 'SIGSTOP of the watcher, then SIGCONT' },
  'watcher-starved': {
    ...{ ...AT_WATCHER, lasts: [1000, 5000] },
    explains: 'the watcher shares its only core with a process of higher priority that never waits',
  },
  'clock-ahead': {
    ...{ ...AT_REPLICA, lasts: [500, 3000] },
    explains: "the watcher's wall clock jumps an hour ahead and back, and a replica's applier stops meanwhile",
  },
  'clock-behind': {
    ...{ ...AT_REPLICA, lasts: [500, 3000] },
    explains: "the watcher's wall clock jumps an hour back and forth, and a replica's applier stops meanwhile",
  },
  'server-stopped': {
    ...{ ...AT_PRIMARY, lasts: [50, 300] },
    explains: 'SIGSTOP of the mysqld of the primary, and SIGCONT before the silence is over',
  },
  'replica-restarted': {
    ...{ ...AT_REPLICA, lasts: [100, 2000] },
    explains: 'the mysqld of a replica is stopped and started, and its threads are started by hand',
  },
  'applier-stopped': {
    ...{ ...AT_REPLICA, lasts: [50, 4000] },
    explains: 'STOP SLAVE SQL_THREAD on a replica, then START',
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type BlipKind = keyof typeof ENTRIES;

export const KINDS = Object.keys(ENTRIES) as readonly BlipKind[];

export const entryOf = (kind: BlipKind): Entry => ENTRIES[kind];
