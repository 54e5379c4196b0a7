import type { HostName } from '../domain/cluster.ts';
import type { TargetSync } from '../domain/filesets.ts';
import type { OfCluster } from './contract.ts';

export interface FilesPlan {
  readonly source: HostName;
  readonly targets: readonly HostName[];
  readonly filesets: readonly string[];
}

export interface FilesErrand extends OfCluster {
  readonly fileset: string;
  readonly source: HostName;
  readonly target: HostName;
  /** Run ID: another attempt of the same run goes on with the rsync that it finds. */
  readonly run: string;
}

/** The steps of file runs; part of the contract. */
export interface FileActivities {
  /**
   * Who sends which filesets to whom: from the recorded primary to every other database host.
   * @throws `BadInput` when the cluster has no such fileset; `Unsafe` when a majority does not tell who is primary
   */
  planFiles(input: OfCluster & { readonly fileset: string | null }): Promise<FilesPlan>;

  /** What a sync would do on `target`, by a dry run; no file is changed. @throws as `syncFileset` */
  diffFileset(input: FilesErrand): Promise<TargetSync>;

  /**
   * Brings one target in step: a dry run, then a run that deletes what was counted and no more, or, when the direction has changed, sets it aside. Both hosts check by
   * their own records that the direction is right, whatever this worker believes; whoever is promoted ends what it receives.
   * @throws `Unsafe` with the fact `code` when a folder may not be used, too much would be deleted, or rsync left something out; `Unreachable` when it was cut off
   * Source: rsync(1), EXIT VALUES and FILTER RULES
   */
  syncFileset(input: FilesErrand): Promise<TargetSync>;

  /** Appends one line to the log of file runs on `source`, `/var/log/standfast-files.log`. */
  logFiles(input: OfCluster & { readonly source: HostName; readonly line: string }): Promise<void>;
}
