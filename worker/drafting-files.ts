import type { DraftFileset } from '../inventory/draft.ts';
import type { DiscoveredHost } from './discovery.ts';

/** What cron copies from one host to others. */
export function filesOf(hosts: readonly DiscoveredHost[]): readonly DraftFileset[] {
  const rsyncs = hosts.flatMap(({ facts }) => facts?.rsyncs ?? []);
  const names = new Set<string>();
  return foldersOf(hosts).flatMap(({ source, within }) => {
    const copies = rsyncs.filter((one) => one.source === source);
    const [rsync] = copies;
    if (rsync === undefined || within !== null) return [];
    const own =
      (source.split('/').at(-2) ?? '')
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, '-')
        .replace(/^[^a-z]+|-+$/g, '')
        .slice(0, 50) || 'files';
    const name = names.has(own) ? `${own}-${String(names.size + 1)}` : own;
    names.add(name);
    return [
      {
        name,
        path: {
          value: source,
          because: `rsync from cron, to ${[...new Set(copies.map((one) => one.targetHost))].join(', ')}${rsync.deletes ? ', with --delete' : ''}`,
          ...(rsync.target === source
            ? {}
            : { todo: `it is copied to ${rsync.target} there; here one path is meant on every host` }),
        },
        every:
          rsync.everyMinutes === null || rsync.everyMinutes < 1
            ? { value: '5m', todo: 'how often; cron runs it at times that are no plain period' }
            : { value: `${String(rsync.everyMinutes)}m`, because: 'as cron does' },
      },
    ];
  });
}

export const unreadOf = (hosts: readonly DiscoveredHost[]): readonly string[] => [
  ...new Set(
    hosts.flatMap(({ address, facts }) =>
      (facts?.unreadRsyncs ?? []).map(
        ({ file, line, why }) =>
          `${facts?.hostname ?? ''} (${address}): the rsync of ${file}, line ${String(line)}, is not in here, since ${why}; write its folder under files, if it is one of the cluster`,
      ),
    ),
  ),
];

interface Folder {
  readonly source: string;
  /** Another one that it is a part of: each fileset needs a folder of its own. */
  readonly within: string | null;
}

/** What cron copies, the outer folders first. */
function foldersOf(hosts: readonly DiscoveredHost[]): readonly Folder[] {
  const named = hosts.flatMap(({ facts }) => facts?.rsyncs ?? []).map(({ source }) => source);
  const sources = [...new Set(named)].filter((source) => /^\/([^\p{C}]*[^/\p{C}])?\/$/u.test(source));
  const outerFirst = sources.toSorted((one, other) => one.length - other.length);
  return outerFirst.map((source, index) => ({
    source,
    within: outerFirst.slice(0, index).find((outer) => source.startsWith(outer)) ?? null,
  }));
}

/** Each fileset needs a folder of its own. */
export const innerFoldersOf = (hosts: readonly DiscoveredHost[]): readonly string[] =>
  foldersOf(hosts).flatMap(({ source, within }) =>
    within === null ? [] : [`cron copies ${source} as well, which is a part of ${within}`],
  );
