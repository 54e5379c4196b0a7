import type { FileCounts, FilesetSync, TargetFailure, TargetSync } from './filesets.ts';

const countsOf = ({ created, updated, touched, deleted, bytes }: FileCounts): string =>
  `${String(created)} created, ${String(updated)} updated, ${String(touched)} touched, ${String(deleted)} deleted, ${String(bytes)} bytes`;

function targetText({ host, outcome, counts, setAside, warnings }: TargetSync): string {
  if (outcome === 'in-step') return `${host}: in step`;
  const kept =
    setAside === null
      ? ''
      : `; kept in ${setAside.folder}: ${String(setAside.count)} that only ${host} had, ${String(setAside.replaced)} other versions`;
  return `${host}: ${countsOf(counts)}${kept}${warnings.length === 0 ? '' : '; files vanished while they were sent'}`;
}

/** The line that the log of the source gets, behind its date. */
export function fileLogLine({ fileset, source, targets }: FilesetSync, failures: readonly TargetFailure[]): string {
  const done = targets.map(targetText);
  const failed = failures.map(({ host, message }) => `${host}: ${message}`);
  const verdict = failures.length === 0 ? 'Sync successful' : 'Sync FAILED';
  // A message may hold what rsync said, in lines.
  return `${verdict} ${fileset} from ${source}: ${[...failed, ...done].join('; ')}`.replaceAll(/\p{Cc}+/gu, ' ');
}

/** One sentence for people. */
export function filesSentence(filesets: readonly FilesetSync[]): string {
  if (filesets.every(({ targets }) => targets.length === 0)) return 'there is no other host to bring in step';
  return filesets
    .map((one) => `${one.fileset} from ${one.source}: ${one.targets.map(targetText).join('; ')}`)
    .join('. ');
}
