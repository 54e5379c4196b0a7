/** An rsync that cron starts: the folder that it copies, and to where. */
export interface CronRsync {
  /** Every so many minutes; null: not a plain period. */
  readonly everyMinutes: number | null;
  /** Absolute, with a slash at its end: what is in it is copied. */
  readonly source: string;
  readonly targetHost: string;
  /** As the source; of rsync's own rules about a missing slash. */
  readonly target: string;
  readonly deletes: boolean;
}

export interface CronLine {
  readonly everyMinutes: number | null;
  readonly command: string;
}

/** The lines of crontabs that start something, with a user in front of the command or without. Source: crontab(5). */
export const parseCronLines = (text: string): readonly CronLine[] =>
  text.split('\n').flatMap((line) => {
    const [, fields, command] = /^\s*((?:[\d*,/-]+\s+){5})(\S.*)$/.exec(line) ?? [];
    if (fields === undefined || command === undefined) return [];
    return [{ everyMinutes: periodOf(fields.trim().split(/\s+/)), command }];
  });

function periodOf([minute = '', ...rest]: readonly string[]): number | null {
  const [hour = '', ...days] = rest;
  if (days.some((field) => field !== '*')) return null;
  const step = (field: string): number | null => {
    if (field === '*') return 1;
    const [, every] = /^\*\/(\d+)$/.exec(field) ?? [];
    return every === undefined ? null : Number(every);
  };
  if (hour === '*' && step(minute) !== null) return step(minute);
  const hours = step(hour);
  return /^\d+$/.test(minute) && hours !== null ? hours * 60 : null;
}

/** The scripts that a command of cron names, which may hold the rsync. */
export const scriptsIn = (command: string): readonly string[] =>
  (command.match(/(?:^|\s)(\/[\w./-]+)/g) ?? [])
    .map((word) => word.trim())
    .filter((word) => !/^\/(s?bin|usr\/s?bin|dev|proc|sys)\//.test(word));

/** Every rsync in a text, a command or a whole script, whose source is a local folder and whose target another host. Variables that the text itself sets are followed. */
export function findRsyncs(text: string, everyMinutes: number | null): readonly CronRsync[] {
  const joined = text.replaceAll(/\\\n/g, ' ');
  const variables = new Map(
    [...joined.matchAll(/^\s*(?:export\s+)?(\w+)=("[^"]*"|'[^']*'|\S*)\s*$/gm)].map(([, name = '', value = '']) => [
      name,
      bare(value),
    ]),
  );
  const filled = (word: string): string =>
    word.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => variables.get(name) ?? whole);
  return joined
    .split('\n')
    .map((line) => line.replace(/^\s*#.*$/, ''))
    .flatMap((line) => [...line.matchAll(/(?:^|[\s;&|(/])rsync\s+([^|;&>]*)/g)].map(([, words = '']) => words))
    .flatMap((words) =>
      rsyncFrom(
        (words.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) => filled(bare(word))),
        everyMinutes,
      ),
    );
}

const bare = (word: string): string => word.replaceAll(/["']/g, '');

/** Options whose value is a word of its own. Source: rsync(1). */
const WITH_VALUE = new Set([
  '-e',
  '--rsh',
  '-f',
  '--filter',
  '--exclude',
  '--include',
  '--exclude-from',
  '--include-from',
  '--bwlimit',
  '--timeout',
  '--log-file',
  '--max-delete',
  '--rsync-path',
]);

function rsyncFrom(words: readonly string[], everyMinutes: number | null): readonly CronRsync[] {
  const places = words.filter((word, index) => !word.startsWith('-') && !WITH_VALUE.has(words[index - 1] ?? ''));
  const [source, destination, ...others] = places;
  const [, targetHost, target] = /^(?:[\w.-]+@)?([\w.-]+):(\/.*)$/.exec(destination ?? '') ?? [];
  if (source?.startsWith('/') !== true || targetHost === undefined || target === undefined || others.length > 0)
    return [];
  const inside = source.endsWith('/');
  const slashed = (path: string): string => (path.endsWith('/') ? path : `${path}/`);
  return [
    {
      everyMinutes,
      source: slashed(source),
      targetHost,
      target: slashed(inside ? target : `${slashed(target)}${source.slice(source.lastIndexOf('/') + 1)}`),
      deletes: words.some((word) => word.startsWith('--delete') || word === '--del'),
    },
  ];
}
