import { activityInfo, Context } from '@temporalio/activity';
import { restartReplication, stopUncounted } from '../adapters/mariadb.ts';
import { applyUntil, baseTables, endSums, openSnapshot, prepareToSum, sumTable } from '../adapters/mariadb-checksum.ts';
import type { ClusterPorts, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { gtidGap, parseGtids } from '../domain/gtid.ts';
import type { ComparedTable, TableSum } from '../domain/table-sums.ts';
import { TableComparison } from '../domain/table-sums.ts';
import { awaitApplied } from './applying.ts';
import { statusOf } from './asking.ts';
import { beat, carry } from './beats.ts';
import type { ChecksumProof } from './contract.ts';
import type { JobAttempt } from './job-attempt.ts';
import { until } from './steps.ts';

/** A definition waits for the snapshot in which its table was compared: after so long it is let go, and a new one is taken. */
const SNAPSHOT_LASTS_MS = 5_000;
const SNAPSHOT_EVERY_MS = 20;
const SNAPSHOT_MS = 60_000;
/** Where tables are made all the time, those that are newer than the comparison are what replication made of it. */
const LISTS = 5;
/** Of the names of tables that are equal, in every beat; Temporal takes two megabytes. */
const CARRIED_CHARACTERS = 200_000;

export interface Proof {
  readonly cluster: ClusterPorts;
  readonly attempt: JobAttempt;
  readonly job: string;
  readonly target: HostName;
  readonly primary: HostName;
  /** What a person does when it differs. */
  readonly remedy: string;
}

interface Comparing {
  readonly proof: Proof;
  readonly source: Session;
  readonly copy: Session;
  readonly tables: TableComparison;
}

/**
 * Each table on both servers at one GTID position: the replica stands still first, the primary's snapshot names the position, the replica goes on to exactly
 * there. Writers go on, and no snapshot lasts for much longer than one table takes.
 */
export async function compareRows(proof: Proof): Promise<ChecksumProof> {
  const { attempt, target } = proof;
  // On a session of its own: the one that compares may be gone with a statement that was ended.
  const goOn = (): Promise<void> => attempt.withSession(target, restartReplication);
  let proven: ChecksumProof;
  try {
    proven = await attempt.withSession(target, (copy) => compareOn(proof, copy));
  } catch (error) {
    await goOn().catch((why: unknown) => {
      Context.current().log.warn(`the replication threads of ${target} were left stopped`, { why });
    });
    throw error;
  }
  await goOn();
  return proven;
}

const compareOn = (proof: Proof, copy: Session): Promise<ChecksumProof> =>
  looking(proof.cluster, proof.primary, async (source) => {
    for (const session of [source, copy]) await prepareToSum(session);
    await endSums(source, proof.job);
    const tables = new TableComparison(equalBefore());
    let position = '';
    // A table that was renamed before its turn is on the next list.
    for (let lists = 0; lists < LISTS; lists += 1) {
      tables.add(await tablesOf(source, copy));
      if (lists > 0 && tables.pending().length === 0) break;
      do {
        position = await meet({ proof, source, copy, tables });
        await compareInSnapshot({ proof, source, copy, tables });
      } while (tables.pending().length > 0);
    }
    requireEqual(proof, tables);
    return { tables: tables.equal, position };
  });

/** What was equal stays so by replication, as in one attempt: a proof of days needs no worker that lives for days. */
export function equalBefore(): readonly string[] {
  const { compared } = (activityInfo().heartbeatDetails ?? {}) as { readonly compared?: unknown };
  return Array.isArray(compared) ? compared.filter((name) => typeof name === 'string') : [];
}

/** Only looks: a session without a proven right to change anything. */
async function looking<T>(cluster: ClusterPorts, host: HostName, look: (session: Session) => Promise<T>): Promise<T> {
  const session = await cluster.session(host);
  try {
    return await look(session);
  } finally {
    session.close();
  }
}

/** What either of the two has. */
async function tablesOf(source: Session, copy: Session): Promise<readonly ComparedTable[]> {
  const [wanted, found] = await Promise.all([baseTables(source), baseTables(copy)]);
  const names = new Set(wanted.map(({ name }) => name));
  return [...wanted, ...found.filter(({ name }) => !names.has(name))];
}

/** @returns the position at which the primary's new snapshot and the copy, whose threads stand still, are alike */
async function meet({ proof, source, copy }: Comparing): Promise<string> {
  const { cluster, target } = proof;
  await stopUncounted(copy);
  const { appliedPosition } = await statusOf(cluster, target);
  const position = await snapshotBeyond(source, { host: target, held: appliedPosition });
  await applyUntil(copy, position);
  await awaitApplied(cluster, copy, position);
  return position;
}

/**
 * A transaction that waits for its acknowledgement has been sent to every replica, and is not visible on the primary yet: the position of a snapshot can be
 * behind a replica that stands still, and nothing takes the replica back to it.
 */
async function snapshotBeyond(
  source: Session,
  { host, held }: { readonly host: HostName; readonly held: string },
): Promise<string> {
  const { cancellationSignal: signal } = Context.current();
  const covering = async (): Promise<string | null> => {
    const position = await openSnapshot(source);
    return gtidGap(parseGtids(held), parseGtids(position)) === 0 ? position : null;
  };
  const position = await until(covering, { signal, everyMs: SNAPSHOT_EVERY_MS, forMs: SNAPSHOT_MS });
  if (position !== null) return position;
  throw new AdapterFailure({
    type: 'NotYet',
    host,
    message: `${host} has transactions that ${source.host} has not committed yet: they wait for the acknowledgement of another replica`,
  });
}

async function compareInSnapshot({ proof, source, copy, tables }: Comparing): Promise<void> {
  const endsAt = performance.now() + SNAPSHOT_LASTS_MS;
  for (const table of tables.pending()) {
    const { name } = table;
    beat({ host: copy.host, table: name, equal: tables.equal });
    const [primary, own] = await sumsOf(proof.job, name, [source, copy]);
    tables.note(table, { primary, copy: own });
    carry({ compared: tables.equalWithin(CARRIED_CHARACTERS) });
    if (performance.now() >= endsAt) return;
  }
}

/** On both at once. A sum takes as long as it takes; it is ended with the other one, and with the activity. */
async function sumsOf(
  job: string,
  table: string,
  [source, copy]: readonly [Session, Session],
): Promise<readonly [TableSum, TableSum]> {
  const ended = new AbortController();
  const signal = AbortSignal.any([Context.current().cancellationSignal, ended.signal]);
  const sum = async (session: Session): Promise<TableSum> => {
    try {
      return await sumTable(session, table, { job, signal });
    } catch (error) {
      ended.abort(error);
      throw error;
    }
  };
  // Both have ended when this goes on: a statement is never left behind on a session that is used again.
  const [primary, own] = await Promise.allSettled([sum(source), sum(copy)]);
  if (primary.status === 'rejected') throw primary.reason;
  if (own.status === 'rejected') throw own.reason;
  return [primary.value, own.value];
}

function requireEqual({ target: host, remedy }: Proof, tables: TableComparison): void {
  if (tables.differing.length === 0) return;
  throw new AdapterFailure({
    type: 'Unsafe',
    host,
    message: `${host} differs from its primary at the same GTID position in ${tables.differing.join(', ')}. To go on: ${remedy}`,
  });
}
