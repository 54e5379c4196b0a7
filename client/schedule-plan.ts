import { auditRunbook, syncFilesRunbook, verifyRunbook } from './runbooks.ts';

export type ScheduleKind = 'verify' | 'files' | 'audit';

/** A schedule as the inventory wants it. */
export interface WantedSchedule {
  readonly scheduleId: string;
  readonly kind: ScheduleKind;
  readonly cluster: string;
  /** Of the kind `files`. */
  readonly fileset: string | null;
  readonly everySeconds: number;
  readonly workflowType: string;
  readonly input: Readonly<Record<string, string>>;
  /** What it is for, as the first half of its note. */
  readonly does: string;
}

/** What makes two schedules the same, each in words that can be shown. */
export type Terms = Readonly<Record<'every' | 'starts' | 'queue' | 'overlap' | 'catch-up' | 'note', string>>;

/** A schedule as Temporal has it. */
export interface FoundSchedule {
  readonly scheduleId: string;
  /** The task queue of the installation that made it; null: Standfast did not. */
  readonly owner: string | null;
  readonly cluster: string | null;
  readonly isPaused: boolean;
  readonly terms: Terms;
}

export interface ScheduleChange {
  readonly scheduleId: string;
  /** `refuse`: the ID is taken by a schedule that is not ours to change. */
  readonly action: 'create' | 'update' | 'delete' | 'keep' | 'refuse';
  readonly cluster: string | null;
  /** What differs, or why it is so. */
  readonly why: string;
  /** Null: the inventory has none. */
  readonly wanted: WantedSchedule | null;
}

const VERIFY_SECONDS = 60;
const AUDIT_SECONDS = 86_400;

/** What of an inventory makes schedules. */
export interface ScheduledClusters {
  readonly clusters: readonly {
    readonly name: string;
    readonly files: readonly { readonly name: string; readonly everyMs: number }[];
  }[];
}

/** Every schedule that the inventory asks for: each cluster is verified and audited, each set of files kept in step. */
export const wantedSchedules = ({ clusters }: ScheduledClusters): readonly WantedSchedule[] =>
  clusters.flatMap(({ name: cluster, files }) => [
    {
      ...common('verify', cluster),
      everySeconds: VERIFY_SECONDS,
      workflowType: verifyRunbook.type,
      does: `Verifies replication of ${cluster}; a run fails when the verdict is bad`,
    },
    ...files.map(({ name: fileset, everyMs }) => ({
      ...common('files', cluster, fileset),
      everySeconds: everyMs / 1000,
      workflowType: syncFilesRunbook.type,
      does: `Copies the files ${fileset} of ${cluster} from its primary to its replicas`,
    })),
    {
      ...common('audit', cluster),
      everySeconds: AUDIT_SECONDS,
      workflowType: auditRunbook.type,
      does: `Looks at how ${cluster} is set up, and lists what is wrong with it`,
    },
  ]);

/** Neither name has a dot, so no two of them give one ID. */
const common = (kind: ScheduleKind, cluster: string, fileset: string | null = null) => ({
  scheduleId: `standfast-${kind}-${cluster}${fileset === null ? '' : `.${fileset}`}`,
  kind,
  cluster,
  fileset,
  input: fileset === null ? { cluster } : { cluster, fileset },
});

/** Where in its period a schedule fires: spread by its ID, so that a fleet does not start all its runs in one second. FNV-1a, 32 bits. */
export function offsetSeconds({
  scheduleId,
  everySeconds,
}: Pick<WantedSchedule, 'scheduleId' | 'everySeconds'>): number {
  let hash = 0x811c9dc5;
  for (const letter of scheduleId) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash % everySeconds;
}

export interface PlanQuestion {
  readonly wanted: readonly WantedSchedule[];
  readonly found: readonly FoundSchedule[];
  /** The task queue of this installation. */
  readonly owner: string;
  readonly termsOf: (wanted: WantedSchedule) => Terms;
}

/** What has to happen so that Temporal's schedules match the inventory; changes nothing. */
export function planSchedules({ wanted, found, owner, termsOf }: PlanQuestion): readonly ScheduleChange[] {
  const byId = new Map(found.map((one) => [one.scheduleId, one]));
  const ids = new Set(wanted.map(({ scheduleId }) => scheduleId));
  const isGone = (one: FoundSchedule): boolean => one.owner === owner && !ids.has(one.scheduleId);
  const clusters = new Set(wanted.map(({ cluster }) => cluster));
  // Another inventory than the one that made them would delete them all.
  const isForeign = !found.some((one) => one.owner === owner && one.cluster !== null && clusters.has(one.cluster));
  return [
    ...wanted.map((one) => ({
      scheduleId: one.scheduleId,
      cluster: one.cluster,
      wanted: one,
      ...judge(byId.get(one.scheduleId), { owner, terms: termsOf(one) }),
    })),
    ...found.filter(isGone).map(({ scheduleId, cluster }) => ({
      scheduleId,
      cluster,
      wanted: null,
      ...(isForeign
        ? {
            action: 'refuse' as const,
            why: 'no cluster of this inventory has a schedule yet, so it may belong to another inventory: delete it in the Temporal UI if it does not',
          }
        : { action: 'delete' as const, why: 'the inventory does not ask for it any more' }),
    })),
  ];
}

function judge(
  found: FoundSchedule | undefined,
  { owner, terms }: { readonly owner: string; readonly terms: Terms },
): Pick<ScheduleChange, 'action' | 'why'> {
  if (found === undefined) return { action: 'create', why: `every ${terms.every}: ${terms.starts}` };
  if (found.owner !== owner) return { action: 'refuse', why: whoseIs(found.owner) };
  const differences = differencesOf(found, terms);
  if (differences.length > 0) return { action: 'update', why: differences.join('; ') };
  return { action: 'keep', why: found.isPaused ? `paused, and left so: ${found.terms.note}` : `every ${terms.every}` };
}

const whoseIs = (owner: string | null): string =>
  owner === null
    ? 'somebody else made the schedule with this ID'
    : `the Standfast of the task queue ${owner} made the schedule with this ID`;

/** The note of a schedule that a person paused is the person's. */
const differencesOf = ({ terms: found, isPaused }: FoundSchedule, wanted: Terms): readonly string[] =>
  (Object.keys(wanted) as (keyof Terms)[])
    .filter((term) => found[term] !== wanted[term] && !(term === 'note' && isPaused))
    .map((term) => `${term}: ${found[term]} → ${wanted[term]}`);
