import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { GtidSet } from '../domain/gtid.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { HostObservation, ServerStatus } from '../domain/observation.ts';
import { answeredRecords, isAnswering, observationOf, replicatesFrom } from '../domain/observation.ts';
import { appliedBy } from '../domain/tail.ts';
import { lineageOf, primaryOf, recordedAckers, syncOf } from './electing.ts';
import { observe } from './observing.ts';
import { unsafe } from './refusal.ts';

/** A host that may come back, and the primary that it would follow. */
export interface Standing {
  readonly cluster: string;
  readonly host: HostName;
  readonly primary: HostName;
  readonly primaryHolds: GtidSet;
  readonly lineage: Lineage;
  /** Null: its server does not run. */
  readonly status: ServerStatus | null;
  readonly fenced: boolean;
  /** Somebody started its server behind the fence, where it serves nobody. */
  readonly runsBehindFence: boolean;
  /** It replicates from the primary with both threads already. */
  readonly follows: boolean;
  /** An acker on record, whether it acknowledges or not. */
  readonly listed: boolean;
  /** It follows, acknowledges, and `lossless` is on record with it. */
  readonly counts: boolean;
}

/** @throws AdapterFailure when the host cannot come back as things stand; nothing was changed then */
export async function standingOf(cluster: ClusterPorts, host: HostName): Promise<Standing> {
  const seen = await observe(cluster);
  const primary = primaryOf(cluster, seen);
  const { description } = cluster;
  if (primary === host)
    throw unsafe(
      host,
      `${host} is recorded as the primary of ${description.cluster}; nothing was changed. To open it, use standfast prepare ${description.cluster} ${host}`,
    );
  const primaryStatus = writableStatus(observationOf(seen, primary));
  const own = observationOf(seen, host);
  if (!isAnswering(own.helper))
    throw unsafe(
      host,
      `${host} does not answer: ${own.helper.why}. Nothing was changed. Bring it back, then start again`,
    );
  const status = closedStatus(own, primary);
  const { fenced } = own.helper.records;
  const follows = replicatesFrom(status?.replication ?? null, primary);
  const records = answeredRecords(seen);
  const listed = recordedAckers(cluster, records).includes(host);
  const acknowledges = status?.semiSync.replicaActive === true;
  return {
    cluster: description.cluster,
    host,
    primary,
    primaryHolds: appliedBy(primaryStatus),
    lineage: lineageOf(cluster, records),
    status,
    fenced,
    runsBehindFence: fenced && status === null && own.helper.mysqld === 'running',
    follows,
    listed,
    counts: follows && listed && acknowledges && syncOf(cluster, records)?.mode === 'lossless',
  };
}

function writableStatus({ host, server }: HostObservation): ServerStatus {
  if (isAnswering(server) && !server.status.readOnly) return server.status;
  const why = isAnswering(server) ? 'it refuses writes' : (server?.why ?? 'it runs no database');
  throw unsafe(
    host,
    `${host}, the recorded primary, does not serve (${why}), so nobody can follow it. Nothing was changed`,
  );
}

function closedStatus({ host, server, helper }: HostObservation, primary: HostName): ServerStatus | null {
  if (isAnswering(server)) {
    if (server.status.readOnly) return server.status;
    throw unsafe(
      host,
      `${host} accepts writes beside ${primary}; nothing was changed. SET GLOBAL read_only=1 on it at once, then start again: what it wrote is set aside. If that hangs, its commits wait for an acknowledgement: kill its server first (SIGKILL; a stop would commit them), and see that it stays down or comes back closed`,
    );
  }
  if (server?.reach === 'denied')
    throw unsafe(
      host,
      `the server of ${host} refuses the operation account, which everything that was replicated to it would have brought along: ${host} was neither primary nor replica. Nothing was changed. Stop it, then make it a replica with standfast provision`,
    );
  if (isAnswering(helper) && helper.mysqld === 'running' && !helper.records.fenced)
    throw new AdapterFailure({
      type: 'NotYet',
      host,
      message: `the server of ${host} runs and does not answer: ${server?.why ?? 'nothing'}`,
    });
  return null;
}
