import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { FilesErrand, FilesPlan } from '../activities/contract.ts';
import { filesId } from '../domain/addresses.ts';
import { fileLogLine, filesSentence } from '../domain/files-report.ts';
import type { FilesetSync, FilesResult, TargetFailure, TargetSync } from '../domain/filesets.ts';
import { outcomeOf } from '../domain/filesets.ts';
import type { SyncFilesInput } from '../domain/inputs.ts';
import { isFailureType } from '../domain/failure.ts';
import { failure } from './failures.ts';
import { atAddress } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, transfer } from './steps.ts';
import { compensated, factsOf, namedFailure, sentenceOf } from './undo.ts';

interface Errands {
  readonly title: string;
  /** Whether the source's log gets a line. */
  readonly isLogged: boolean;
  readonly each: (errand: FilesErrand) => Promise<TargetSync>;
}

export const SYNC: Errands = {
  title: 'Sync',
  isLogged: true,
  each: (errand) => transfer(`${errand.fileset}: ${errand.source} to ${errand.target}`).syncFileset(errand),
};

export const DIFF: Errands = {
  title: 'Compare',
  isLogged: false,
  each: (errand) => transfer(`${errand.fileset}: ${errand.source} beside ${errand.target}`).diffFileset(errand),
};

/** One fileset runs at its address, so that it runs once at a time; every fileset of a cluster is so many runs. */
export async function fileRun(order: SyncFilesInput, errands: Errands): Promise<FilesResult> {
  const { cluster, fileset } = order;
  if (fileset !== undefined)
    return atAddress(filesId(cluster, fileset), order, () =>
      compensated(`${errands.title.toLowerCase()} of ${fileset} of ${cluster}`, () =>
        one({ cluster, fileset }, errands),
      ),
    );
  const { filesets } = await brief(`filesets of ${cluster}`).planFiles({ cluster, fileset: null });
  const ends = await Promise.allSettled(
    filesets.map((name) => {
      const own = { cluster, fileset: name };
      return atAddress(filesId(cluster, name), own, () => one(own, errands));
    }),
  );
  const done = ends.flatMap((end) => (end.status === 'fulfilled' ? end.value.filesets : []));
  const failures = ends.flatMap((end, index) =>
    end.status === 'rejected' ? [failureOf(filesets[index] ?? '', end.reason)] : [],
  );
  requireNone(failures, done);
  return resultOf(cluster, done);
}

async function one(
  { cluster, fileset }: Required<SyncFilesInput>,
  { title, isLogged, each }: Errands,
): Promise<FilesResult> {
  const page = new RunPage(`${title} ${fileset} of ${cluster}`, ['plan', 'files']);
  page.enter('plan');
  const plan = await brief(`who sends ${fileset} to whom?`).planFiles({ cluster, fileset });
  const { source } = plan;
  page.enter('files');
  page.note(`${source} → ${plan.targets.join(', ')}`);
  const { targets, failures } = await toEach({ cluster, fileset, plan }, each);
  const done: FilesetSync = { fileset, source, targets };
  if (isLogged) await log(cluster, { source, line: fileLogLine(done, failures) }, page);
  requireNone(failures, [done]);
  const result = resultOf(cluster, [done]);
  page.note(result.sentence);
  page.end(result.outcome, null);
  return result;
}

async function toEach(
  { cluster, fileset, plan }: Required<SyncFilesInput> & { readonly plan: FilesPlan },
  each: Errands['each'],
): Promise<{ readonly targets: readonly TargetSync[]; readonly failures: readonly TargetFailure[] }> {
  const { runId: run } = workflowInfo();
  const { source } = plan;
  const ends = await Promise.allSettled(plan.targets.map((target) => each({ cluster, fileset, source, target, run })));
  if (CancellationScope.current().consideredCancelled)
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return {
    targets: ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])),
    failures: ends.flatMap((end, index) =>
      end.status === 'rejected' ? [failureOf(plan.targets[index] ?? '', end.reason)] : [],
    ),
  };
}

interface Failed extends TargetFailure {
  readonly facts: Readonly<Record<string, unknown>>;
}

function failureOf(host: string, error: unknown): Failed {
  const type = namedFailure(error)?.type;
  return {
    host,
    type: isFailureType(type) ? type : 'Unverified',
    message: sentenceOf(error),
    facts: { ...factsOf(error) },
  };
}

/** One target that cannot be brought in step keeps no other from it, but the run is red. */
function requireNone(failures: readonly TargetFailure[], filesets: readonly FilesetSync[]): void {
  const [first] = failures;
  if (first === undefined) return;
  const changed =
    filesets.some(({ targets }) => targets.some(({ outcome }) => outcome === 'synced')) ||
    failures.some((one) => 'facts' in one && (one as Failed).facts['changed'] !== false);
  throw failure(
    isFailureType(first.type) ? first.type : 'Unverified',
    failures.map(({ message }) => message).join(' '),
    { changed, failures, filesets },
  );
}

const resultOf = (cluster: string, filesets: readonly FilesetSync[]): FilesResult => ({
  outcome: outcomeOf(filesets.flatMap(({ targets }) => targets.map(({ outcome }) => outcome))),
  cluster,
  filesets,
  sentence: filesSentence(filesets),
});

/** The files are where they belong: a log that cannot be written is said, and is no reason to call the run failed. */
async function log(
  cluster: string,
  entry: { readonly source: string; readonly line: string },
  page: RunPage,
): Promise<void> {
  try {
    await brief(`log of ${entry.source}`).logFiles({ cluster, ...entry });
  } catch (error) {
    if (namedFailure(error) === null) throw error;
    page.note(`Not logged: ${sentenceOf(error)}`);
  }
}
