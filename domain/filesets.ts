import type { HostName } from './cluster.ts';

/** A folder of a cluster that is kept in step, as the inventory has it. */
export interface Fileset {
  readonly name: string;
  readonly path: string;
  readonly marker: string;
  /** A run that would delete more entries on a target stops. */
  readonly maxDelete: number;
  /** 0: no limit. */
  readonly bandwidthKiBps: number;
  readonly compress: boolean;
}

/** Name of an entry, from the fileset's folder on. A folder ends with "/". */
export interface FileName {
  /** Bytes that are not UTF-8 are shown as U+FFFD. */
  readonly path: string;
  /** The name as it is, in base64, when `path` does not tell all of it. */
  readonly bytes?: string;
}

/** Entries of a fileset by what happens to them on a target: files, folders and links alike. */
export interface FileCounts {
  readonly created: number;
  readonly updated: number;
  /** The content is the same: another mode, owner, time, attribute or link. */
  readonly touched: number;
  readonly deleted: number;
  /** Of the files that are created or updated. */
  readonly bytes: number;
}

export interface SetAside {
  /** On the target; of several rounds, joined by " and ". */
  readonly folder: string;
  /** Entries that the source does not have; the first of them are in `names`. */
  readonly count: number;
  readonly names: readonly FileName[];
  /** Files of which the source has another version; the target's own is in the folder as well. */
  readonly replaced: number;
}

/** How one target stands to the source, or what was done so that it is in step. */
export interface TargetSync {
  readonly host: HostName;
  readonly outcome: 'in-step' | 'synced' | 'differs';
  readonly counts: FileCounts;
  /** The first entries, of a comparison. */
  readonly changes: readonly FileName[];
  readonly deletions: readonly FileName[];
  /** What only this host had, in the first run after a change of direction. Null: nothing. */
  readonly setAside: SetAside | null;
  readonly warnings: readonly string[];
}

export interface TargetFailure {
  readonly host: HostName;
  readonly type: string;
  readonly message: string;
}

export interface FilesetSync {
  readonly fileset: string;
  readonly source: HostName;
  readonly targets: readonly TargetSync[];
}

export interface FilesResult {
  readonly outcome: 'in-step' | 'synced' | 'differs';
  readonly cluster: string;
  readonly filesets: readonly FilesetSync[];
  readonly sentence: string;
}

/** Why a folder is not used, as its host says it. */
export const FOLDER_FAULTS = [
  {
    code: 'WrongDirection',
    explains: 'files go from the recorded primary to the others only, and this host has on record',
  },
  { code: 'SourceMissing', explains: 'the source has no folder' },
  { code: 'SourceUnmarked', explains: 'the source may be unmounted, since it lacks its marker' },
  { code: 'SourceEmpty', explains: 'there is nothing beside the marker in the source' },
  { code: 'TargetMissing', explains: 'the target has no folder' },
  { code: 'TargetUnmarked', explains: 'the target may be unmounted or another folder, since it lacks the identity' },
  { code: 'OtherFileset', explains: 'the folder says that it is another fileset:' },
  { code: 'DatabaseDirectory', explains: 'a database is in the folder, or the folder in its directory:' },
  { code: 'NestedMount', explains: 'another file system is mounted inside the folder:' },
  { code: 'RsyncMissing', explains: 'rsync is not installed, for' },
  { code: 'RsyncOld', explains: 'rsync follows links that others lay in its way (before 3.5.0), as root:' },
] as const;

type FolderFault = (typeof FOLDER_FAULTS)[number]['code'];

/** Of the fileset; `at` is what the host named. */
type Place = Pick<FaultyFolder, 'at' | 'cluster' | 'fileset' | 'path'>;

/** How a host names an identity that it does not read, such as a link. */
const NO_FILE = '(?)';

/** As a shell takes it, whatever is in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

const identify = ({ cluster, fileset, path }: Place): string =>
  `echo ${cluster} ${fileset} >${quoted(`${path}.standfast-fileset`)}`;

/** What a person can do. */
const REMEDIES: Readonly<Record<FolderFault, (place: Place) => string>> = {
  WrongDirection: ({ cluster }) =>
    `look at standfast status ${cluster}; a host that was away: standfast rejoin ${cluster} HOST`,
  SourceMissing: () => 'mount it, or correct the path in the inventory',
  SourceUnmarked: ({ at }) => `mount it; when it is the right folder: touch ${quoted(at)}`,
  SourceEmpty: () => 'mount or restore it; an empty source would delete everything',
  TargetMissing: ({ at }) => `mount it, or make it: mkdir -p ${quoted(at)}`,
  TargetUnmarked: (place) => `mount it; when it is the right folder: ${identify(place)}`,
  OtherFileset: (place) =>
    place.at.endsWith(NO_FILE)
      ? 'its identity is no plain file: find out who has put it there, and remove it'
      : `correct the paths in the inventory; when the fileset, or its cluster, was renamed, on this host: ${identify(place)}`,
  DatabaseDirectory: () => 'databases are replicated, not copied: choose another folder',
  NestedMount: () => 'make what is mounted a fileset of its own, outside of this folder',
  RsyncMissing: () => 'install it (Debian: apt-get install rsync)',
  RsyncOld: () => 'install rsync 3.5.0 or later (Debian 12: apt-get install rsync, from its security updates)',
};

export interface FaultyFolder {
  readonly host: HostName;
  readonly fault: string;
  readonly at: string;
  readonly cluster: string;
  readonly fileset: string;
  /** As the inventory has it. */
  readonly path: string;
}

export interface FilesRefusal {
  readonly code: string;
  readonly message: string;
}

export function explainFolder({ host, fault, ...place }: FaultyFolder): FilesRefusal {
  const known = FOLDER_FAULTS.find(({ code }) => code === fault);
  if (known === undefined) return { code: fault, message: `${host}: ${fault} (${place.at}). No file was changed` };
  const { code, explains } = known;
  return {
    code,
    message: `${host}: ${explains} ${place.at}. No file was changed. What you can do: ${REMEDIES[code](place)}`,
  };
}

export type SyncPlan =
  | { readonly kind: 'nothing' }
  /** `none`: nothing has to go. `listed`: exactly what was counted. `aside`: what would go is kept in a dated folder. */
  | { readonly kind: 'push'; readonly deletes: 'none' | 'listed' | 'aside' }
  | ({ readonly kind: 'refused' } & FilesRefusal);

/**
 * What may follow from a dry run. A target that is not settled needs none.
 * @param settled the target received from this source before, and nobody was promoted since
 */
export function planSync(
  counts: FileCounts,
  { settled, target, fileset }: { readonly settled: boolean; readonly target: HostName; readonly fileset: Fileset },
): SyncPlan {
  const { created, updated, touched, deleted } = counts;
  // The first run is made in any case: that it was made is what the target remembers.
  if (!settled) return { kind: 'push', deletes: 'aside' };
  if (created + updated + touched + deleted === 0) return { kind: 'nothing' };
  if (deleted > fileset.maxDelete)
    return {
      kind: 'refused',
      ...{ code: 'TooManyDeletions' },
      message: `${target}: ${String(deleted)} entries of ${fileset.name} would be deleted, and maxDelete is ${String(fileset.maxDelete)}. No file was changed. What you can do: look at them with standfast files diff; when they may go, raise maxDelete in the inventory for one run`,
    };
  return { kind: 'push', deletes: deleted > 0 ? 'listed' : 'none' };
}

export type RsyncEnd =
  | { readonly kind: 'well' }
  | { readonly kind: 'again' | 'failed' | 'cut'; readonly code: string; readonly explains: string };

const ENDS: Readonly<Record<string, Exclude<RsyncEnd, { kind: 'well' }>>> = {
  '23': { kind: 'failed', code: 'PartialTransfer', explains: 'some files could not be transferred' },
  '24': {
    kind: 'again',
    code: 'SourceVanished',
    explains: 'files vanished from the source while they were being sent',
  },
  '25': { kind: 'failed', code: 'DeletionLimit', explains: 'deleting stopped at maxDelete' },
  // Which of the two it is depends on who ended first: ssh, or rsync that waits for it.
  '12': { kind: 'cut', code: 'Disconnected', explains: 'ssh between the two hosts failed, or the target ended it' },
  '255': { kind: 'cut', code: 'Disconnected', explains: 'ssh between the two hosts failed' },
};

/** What the exit code of rsync means; anything that is not listed may be a cut as well, such as 30, a timeout. */
export function judgeRsync(exit: string): RsyncEnd {
  if (exit === '0') return { kind: 'well' };
  return ENDS[exit] ?? { kind: 'cut', code: 'TransferBroken', explains: `rsync ended with ${exit}` };
}

/** The worst of several, in the order in-step, synced, differs. */
export const outcomeOf = (outcomes: readonly TargetSync['outcome'][]): TargetSync['outcome'] =>
  (['differs', 'synced', 'in-step'] as const).find((one) => outcomes.includes(one)) ?? 'in-step';
