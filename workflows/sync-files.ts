import type { FilesResult } from '../domain/filesets.ts';
import { parseSyncFiles } from '../domain/inputs.ts';
import { fileRun, SYNC } from './file-runs.ts';
import { accept, label } from './operation.ts';

/** Files go from the host of the primary to every other: nothing is deleted that was not counted first, and nothing at all after a change of direction. */
export async function syncFiles(input: unknown): Promise<FilesResult> {
  const order = accept(parseSyncFiles(input));
  label('syncFiles', order.cluster);
  return fileRun(order, SYNC);
}
