import type { FilesResult } from '../domain/filesets.ts';
import { parseDiffFiles } from '../domain/inputs.ts';
import { DIFF, fileRun } from './file-runs.ts';
import { accept, label } from './operation.ts';

/** What `syncFiles` would change, by name. No file is changed. */
export async function diffFiles(input: unknown): Promise<FilesResult> {
  const order = accept(parseDiffFiles(input));
  label('diffFiles', order.cluster);
  return fileRun(order, DIFF);
}
