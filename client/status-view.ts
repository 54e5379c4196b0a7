import type { ClusterRuns, RunsAnswer } from '../domain/cluster-runs.ts';
import type { ClusterDescription, HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { ClusterObservation, HostObservation, Silence } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf } from '../domain/observation.ts';
import type { MemberRecords } from '../domain/records.ts';
import type { Protection } from '../domain/protection.ts';
import { judgeProtection } from '../domain/protection.ts';
import type { Takeover } from '../domain/takeover.ts';

/** One member, as it was seen. Null: not known, or no matter of this host. */
export interface HostStatus {
  readonly host: HostName;
  readonly role: 'primary' | 'replica' | 'witness' | 'unknown';
  /** `open`: it accepts writes. `down`: its host says that no server runs. Otherwise how it was silent; null: it runs no database. */
  readonly server: 'open' | 'closed' | 'down' | Silence | null;
  readonly vip: boolean | null;
  readonly fenced: boolean | null;
  /** Whether what it has on record counts, and was confirmed since its host started: see `records` of the host helper. */
  readonly records: 'sure' | 'unconfirmed' | 'booted' | 'blank' | null;
  readonly source: HostName | null;
  readonly receiver: string | null;
  readonly applier: string | null;
  /** As the watcher measured it last. */
  readonly lagMs: number | null;
  readonly lagErrorMs: number | null;
  /** Transactions of the primary that it has not applied. */
  readonly gtidGap: number | null;
  readonly acknowledges: boolean | null;
  readonly takeover: Takeover | null;
}

/** What `standfast status -o json` prints of one cluster. */
export interface StatusView extends Protection {
  /** When the hosts had been asked: ISO 8601. */
  readonly at: string;
  readonly members: number;
  /** How many members name that primary, of that epoch. */
  readonly agreeing: number;
  readonly hosts: readonly HostStatus[];
  /** Holds the cluster now. */
  readonly operation: ClusterRuns['operation'];
  /** Null: Temporal did not tell, for the reason `temporal`. */
  readonly runs: ClusterRuns | null;
  readonly temporal: string | null;
}

export interface Gathered {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly runs: RunsAnswer;
}

export function viewOf(gathered: Gathered): StatusView {
  const { cluster, observation, runs } = gathered;
  const protection = judgeProtection(gathered);
  const { primary } = protection;
  const named = answeredRecords(observation).filter(
    (records) => records.primary?.host === primary?.host && records.primary?.epoch === primary?.epoch,
  );
  return {
    ...protection,
    at: observation.at,
    members: memberNames(cluster).length,
    agreeing: primary === null ? 0 : named.length,
    hosts: memberNames(cluster).map((host) => hostStatus(observationOf(observation, host), protection)),
    operation: runs.reach === 'answers' ? runs.runs.operation : null,
    runs: runs.reach === 'answers' ? runs.runs : null,
    temporal: runs.reach === 'answers' ? null : runs.why,
  };
}

function hostStatus(entry: HostObservation, { primary, takeovers, verdict }: Protection): HostStatus {
  const { host, helper, server } = entry;
  const status = isAnswering(server) ? server.status : null;
  const evidence = verdict?.replicas.find((replica) => replica.host === host);
  return {
    host,
    role: roleOf(entry, primary?.host ?? null),
    server: serverOf(entry),
    vip: isAnswering(helper) ? helper.holdsVip : null,
    fenced: isAnswering(helper) ? helper.records.fenced : null,
    records: isAnswering(helper) ? recordsOf(helper.records) : null,
    source: status?.replication?.source ?? null,
    receiver: status?.replication?.receiver ?? null,
    applier: status?.replication?.applier ?? null,
    lagMs: evidence?.lagMs ?? null,
    lagErrorMs: evidence?.lagErrorMs ?? null,
    gtidGap: evidence?.gtidGap ?? null,
    acknowledges: status === null || host === primary?.host ? null : status.semiSync.replicaActive,
    takeover: takeovers.find((one) => one.host === host) ?? null,
  };
}

function recordsOf({ standing = 'sure', confirmed }: MemberRecords): HostStatus['records'] {
  return standing === 'sure' && confirmed === false ? 'unconfirmed' : standing;
}

function roleOf({ host, server }: HostObservation, primary: HostName | null): HostStatus['role'] {
  if (server === null) return 'witness';
  if (primary === null) return 'unknown';
  return host === primary ? 'primary' : 'replica';
}

function serverOf({ helper, server }: HostObservation): HostStatus['server'] {
  if (server === null) return null;
  if (isAnswering(server)) return server.status.readOnly ? 'closed' : 'open';
  return isAnswering(helper) && helper.mysqld === 'stopped' ? 'down' : server.reach;
}
