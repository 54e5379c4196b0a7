import type { FileName, FilesetSync, FilesResult, TargetSync } from '../domain/filesets.ts';
import type { Paint } from './paint.ts';
import { renderBytes } from './render-quantities.ts';

export const renderFiles = ({ cluster, filesets }: FilesResult, paint: Paint): string =>
  filesets.flatMap((one) => renderFileset(cluster, one, paint)).join('\n');

const renderFileset = (cluster: string, { fileset, source, targets }: FilesetSync, paint: Paint): readonly string[] => [
  paint.strong(`${fileset} of ${cluster}, from ${source}`),
  ...targets.flatMap((target) => renderTarget(target, paint)),
];

function renderTarget(target: TargetSync, paint: Paint): readonly string[] {
  const { host, outcome, counts, changes, deletions, setAside, warnings } = target;
  if (outcome === 'in-step') return [`  ${host}: ${paint.good('in step')}`];
  const { created, updated, touched, deleted, bytes } = counts;
  const what = `${String(created)} created, ${String(updated)} updated, ${String(touched)} with other attributes, ${String(deleted)} deleted, ${renderBytes(bytes)}`;
  return [
    `  ${host}: ${outcome === 'differs' ? paint.warn('differs') : paint.good('synced')}: ${what}`,
    ...listed('+', changes, created + updated + touched),
    ...listed('-', deletions, deleted),
    ...(setAside === null
      ? []
      : [
          paint.warn(
            `    kept in ${setAside.folder} on ${host}: ${String(setAside.count)} that only ${host} had, and ${String(setAside.replaced)} other versions`,
          ),
          ...listed('!', setAside.names, setAside.count),
        ]),
    ...warnings.map((warning) => paint.warn(`    ${warning}`)),
  ];
}

/** Names that a terminal could take for orders, or for two lines, are quoted. */
function listed(sign: string, names: readonly FileName[], of: number): readonly string[] {
  if (names.length === 0) return [];
  const lines = names.map(
    ({ path }) => `    ${sign} ${/[\p{Cc}\p{Cf}\uFFFD]/u.test(path) ? JSON.stringify(path) : path}`,
  );
  return of > names.length ? [...lines, `    ${sign} … and ${String(of - names.length)} more`] : lines;
}
