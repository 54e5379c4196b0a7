import type { ClusterDescription, HostDescription, HostName } from '../../domain/cluster.ts';
import type { Contender } from '../../domain/election.ts';
import type {
  ClusterObservation,
  HelperAnswer,
  HostFacts,
  HostObservation,
  OtherChannel,
  ReplicationStatus,
  SemiSyncStatus,
  ServerAnswer,
  ServerStatus,
  Silence,
} from '../../domain/observation.ts';
import type { MemberRecords, SyncRecord } from '../../domain/records.ts';

/** A healthy shop: db1 is the primary, db2 and db3 acknowledge. Each test changes the one fact that it is about. */
export const DB1: HostDescription = {
  name: 'db1',
  site: 'oslo-a',
  country: 'NO',
  rank: 101,
  promotable: true,
  serverId: 1,
};
export const DB2: HostDescription = {
  name: 'db2',
  site: 'oslo-b',
  country: 'NO',
  rank: 100,
  promotable: true,
  serverId: 2,
};
export const DB3: HostDescription = {
  name: 'db3',
  site: 'oslo-b',
  country: 'NO',
  rank: 100,
  promotable: true,
  serverId: 3,
};

export const SHOP: ClusterDescription = {
  cluster: 'shop',
  hosts: [DB1, DB2, DB3],
  witnesses: [],
  mode: 'semisync',
  alone: 'stop',
  fence: ['ssh', 'powerOff'],
  salvage: 'apply',
  mayLose: 0,
  lag: { warnMs: 1000, failMs: 10_000 },
  watch: {
    everyMs: 100,
    silenceMs: 500,
    heartbeatMs: 1_000,
    rehearsalMs: 0,
    observers: [],
    automatic: false,
    graceMs: 0,
    cooldownMs: 600_000,
  },
  countries: ['NO'],
};

export const LOSSLESS: SyncRecord = { epoch: 4, mode: 'lossless', ackers: ['db2', 'db3'], k: 1 };
export const NEVER_MS = '18446744073709551615';

const IDLE: SemiSyncStatus = {
  primaryEnabled: false,
  primaryActive: false,
  clients: 0,
  waitPoint: 'AFTER_COMMIT',
  waitsWithoutReplica: false,
  timeoutMs: '10000',
  replicaEnabled: false,
  replicaActive: false,
};

export const WAITING: SemiSyncStatus = {
  ...IDLE,
  primaryEnabled: true,
  primaryActive: true,
  clients: 2,
  waitPoint: 'AFTER_SYNC',
  waitsWithoutReplica: true,
  timeoutMs: NEVER_MS,
};

export const ACKNOWLEDGING: SemiSyncStatus = { ...IDLE, replicaEnabled: true, replicaActive: true };

export const serverStatus = (changes: Partial<ServerStatus> = {}): ServerStatus => ({
  version: '10.11.19-MariaDB-log',
  serverId: 1,
  uptimeSeconds: 3600,
  readOnly: false,
  eventScheduler: true,
  binlog: { enabled: true, format: 'ROW', logsReplicated: true, sync: 1 },
  flushLogAtCommit: 1,
  gtidStrictMode: true,
  lowerCaseTableNames: 0,
  timeZone: 'UTC',
  binlogState: '0-1-100',
  binlogPosition: '0-1-100',
  appliedPosition: '',
  semiSync: WAITING,
  replication: null,
  ...changes,
});

export const channel = (changes: Partial<ReplicationStatus> = {}): ReplicationStatus => ({
  source: 'db1',
  receiver: 'running',
  applier: 'running',
  receiverError: null,
  applierError: null,
  received: '0-1-100',
  usesGtid: true,
  delaySeconds: 0,
  filters: [],
  heartbeatPeriodSeconds: 0.1,
  heartbeatsReceived: 7,
  ...changes,
});

/** A channel that somebody made beside the one of the cluster. */
export const foreign = (changes: Partial<OtherChannel> = {}): OtherChannel => ({
  ...{ name: 'b', source: 'db1', receiver: 'running', applier: 'running' },
  ...changes,
});

export const replicaStatus = (host: HostDescription, changes: Partial<ServerStatus> = {}): ServerStatus =>
  serverStatus({
    serverId: host.serverId,
    readOnly: true,
    eventScheduler: false,
    appliedPosition: '0-1-100',
    semiSync: ACKNOWLEDGING,
    replication: channel(),
    ...changes,
  });

export const contender = (host: HostDescription, changes: Partial<ServerStatus> = {}): Contender => ({
  host,
  status: replicaStatus(host, changes),
  diskFreeBytes: 10_000_000_000,
});

export const records = (changes: Partial<MemberRecords> = {}): MemberRecords => ({
  owner: 'control-1',
  epoch: { number: 4, run: 'run-4' },
  primary: { epoch: 4, host: 'db1' },
  sync: LOSSLESS,
  fenced: false,
  ...changes,
});

export const helper = (changes: Partial<HostFacts> = {}): HelperAnswer => ({
  reach: 'answers',
  mysqld: 'running',
  holdsVip: false,
  role: 0,
  keepalived: 'running',
  mac: '02:00:00:00:00:01',
  diskFreeBytes: 10_000_000_000,
  records: records(),
  ...changes,
});

export const answers = (status: ServerStatus): ServerAnswer => ({ reach: 'answers', status });
export const silence = (reach: Silence = 'silent', why = 'no answer in 2 s'): { reach: Silence; why: string } => ({
  reach,
  why,
});

const HEALTHY: Readonly<Record<HostName, HostObservation>> = {
  db1: { host: 'db1', helper: helper({ holdsVip: true }), server: answers(serverStatus()), hearsSource: null },
  db2: { host: 'db2', helper: helper(), server: answers(replicaStatus(DB2)), hearsSource: null },
  db3: { host: 'db3', helper: helper(), server: answers(replicaStatus(DB3)), hearsSource: null },
};

export const healthy = (host: HostName): HostObservation => {
  const found = HEALTHY[host];
  if (found === undefined) throw new Error(`${host} is not in the shop`);
  return found;
};

export const witness = (host: HostName, answer: HelperAnswer = helper({ mysqld: 'stopped' })): HostObservation => ({
  host,
  helper: answer,
  server: null,
  hearsSource: null,
});

/** The healthy shop with some of its hosts seen otherwise. */
export const seen = (
  changes: Readonly<Record<HostName, Partial<HostObservation>>> = {},
  hosts: readonly HostName[] = ['db1', 'db2', 'db3'],
): ClusterObservation => ({
  cluster: 'shop',
  at: '2025-01-01T03:00:00.000Z',
  hosts: hosts.map((host) => ({ ...healthy(host), ...changes[host] })),
});
