import type { ClusterPorts } from '../adapters/ports.ts';
import { AdapterFailure, isOfConfiguration } from '../adapters/ports.ts';
import type { Epoch, HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { MemberRecords, PrimaryRecord, SyncRecord } from '../domain/records.ts';
import { explainUndecided, isOlder, recordedLineage, recordedPrimary, recordedSync } from '../domain/records.ts';
import { LOOK_MS } from './asking.ts';
import { recordsFrom, renderLineage } from './records-answer.ts';

const ORDER_MS = 15_000;

export type RecordsByMember = ReadonlyMap<HostName, MemberRecords>;

/** What the members know, as a claim found it. */
export interface Newest {
  readonly primary: PrimaryRecord | null;
  readonly sync: SyncRecord | null;
  readonly lineage: Lineage;
}

/** Silence is left out. */
export const readRecords = async (cluster: ClusterPorts, members: readonly HostName[]): Promise<RecordsByMember> =>
  (await askRecords(cluster, members)).records;

/**
 * @param onAnswer called for each that answers, as it does
 * @returns `fault`: of this side, for which nobody could be asked. Whoever answers over a connection that was kept is enough.
 */
export async function askRecords(
  cluster: ClusterPorts,
  members: readonly HostName[],
  onAnswer: (member: HostName, records: MemberRecords) => void = () => undefined,
): Promise<{ readonly records: RecordsByMember; readonly fault: AdapterFailure | null }> {
  const answers = await Promise.allSettled(
    members.map(async (member) => {
      const answer = await cluster.helper(member).request('records', {}, { timeoutMs: LOOK_MS });
      const records = recordsFrom(member, answer);
      onAnswer(member, records);
      return [member, records] as const;
    }),
  );
  const records = new Map(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
  const faults = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  return { records, fault: records.size > 0 ? null : (faults.find(isOfConfiguration) ?? null) };
}

/** Whether the helper of a member understands what came with that level. */
export const knows = (records: MemberRecords | undefined, level: number): boolean => (records?.level ?? 1) >= level;

export const isAt = (records: MemberRecords, epoch: Epoch): boolean =>
  records.epoch?.number === epoch.number && records.epoch.run === epoch.run;

/**
 * What is recorded, asked of members that have accepted our epoch: no older operation can record anything behind our back any more.
 * @throws AdapterFailure `Unsafe` when too few of them count
 */
export function newestOf(cluster: ClusterPorts, under: RecordsByMember): Newest {
  const all = memberNames(cluster.description);
  const records = [...under.values()];
  const primary = recordedPrimary(records, all.length);
  const sync = recordedSync(records, all.length);
  for (const known of [primary, sync])
    if (known.kind === 'undecided')
      throw new AdapterFailure({
        type: 'Unsafe',
        host: cluster.description.cluster,
        message: explainUndecided(known.why, { all, answers: under }),
      });
  return {
    primary: primary.kind === 'known' ? primary.record : null,
    sync: sync.kind === 'known' ? sync.record : null,
    lineage: recordedLineage(records, all.length),
  };
}

interface Confirmation {
  readonly epoch: Epoch;
  readonly newest: Newest;
  /** Read before the claim: whoever booted since is not confirmed. */
  readonly before: RecordsByMember;
  readonly under: RecordsByMember;
  readonly members: readonly HostName[];
}

/**
 * Brings every claimed member up to what is recorded, before anything else. From then on one that was off counts again, since it cannot have
 * missed anything. One that booted between the two looks is left as it is: whom it has missed is not known.
 * @returns what is recorded then
 */
export async function confirmMembers(cluster: ClusterPorts, work: Confirmation): Promise<RecordsByMember> {
  const behind = work.members.filter((member) => {
    const records = work.under.get(member);
    return records !== undefined && needsConfirming(records, work.newest);
  });
  await Promise.all(
    behind.map(async (member) => {
      const { owner } = cluster;
      const { number, run } = work.epoch;
      const boot = work.before.get(member)?.boot ?? '';
      const args = { owner, epoch: String(number), run, name: member, boot, ...renderNewest(work.newest, run) };
      await cluster.helper(member).request('confirm', args, { timeoutMs: ORDER_MS });
    }),
  );
  const { primary, sync } = work.newest;
  const upToDate = { standing: 'sure', confirmed: true, primary, sync } as const;
  return new Map(
    [...work.under].map(([member, records]) => [
      member,
      behind.includes(member) ? { ...records, ...upToDate } : records,
    ]),
  );
}

/**
 * A replica counts whenever it boots. But it is confirmed in its new boot all the same: once it is recorded as primary, it would not count any more.
 * A helper of an earlier version says no standing, and cannot confirm.
 */
const needsConfirming = (records: MemberRecords, { primary, sync }: Newest): boolean =>
  records.standing !== undefined &&
  (records.standing !== 'sure' ||
    records.confirmed === false ||
    isOlder(records.primary, primary) ||
    isOlder(records.sync, sync));

const renderNewest = ({ primary, sync, lineage }: Newest, run: string): Record<string, string> => ({
  ...(primary === null
    ? {}
    : {
        primary: primary.host,
        primary_epoch: String(primary.epoch),
        primary_run: primary.run ?? run,
        lineage: renderLineage(lineage),
      }),
  ...(sync === null
    ? {}
    : { sync_epoch: String(sync.epoch), mode: sync.mode, ackers: sync.ackers.join(','), k: String(sync.k) }),
});
