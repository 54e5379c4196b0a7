import type { Variables } from './shell-lines.ts';
import { bare, filled, Loops, shellLines, variablesIn } from './shell-lines.ts';

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

/** An rsync that may go to another host, and that no inventory can be made from. */
export interface UnreadRsync {
  readonly line: number;
  readonly why: string;
}

export interface FoundRsyncs {
  readonly rsyncs: readonly CronRsync[];
  readonly unread: readonly UnreadRsync[];
}

export interface CronLine {
  readonly file: string;
  readonly line: number;
  readonly everyMinutes: number | null;
  readonly command: string;
}

/** The lines of crontabs, each behind `FILE:LINE:`, that start something, with a user in front of the command or without. Source: crontab(5). */
export const parseCronLines = (text: string): readonly CronLine[] =>
  text.split('\n').flatMap((whole) => {
    const [, file = '', line, content = ''] = /^(.*?):(\d+):(.*)$/.exec(whole) ?? [];
    const [, fields, command] = /^\s*((?:[\d*,/-]+\s+){5})(\S.*)$/.exec(content) ?? [];
    if (fields === undefined || command === undefined) return [];
    return [{ file, line: Number(line), everyMinutes: periodOf(fields.trim().split(/\s+/)), command }];
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

/**
 * Every rsync in a text, a command or a whole script. Read is one whose source is a local folder and whose target another host; variables that the text itself sets are followed, and
 * loops over names that stand in it.
 */
export function findRsyncs(text: string, everyMinutes: number | null): FoundRsyncs {
  const lines = shellLines(text);
  const variables = variablesIn(lines);
  const loops = new Loops(variables);
  const found = lines.flatMap(({ number, text: raw }) => {
    const line = withProgram(raw, variables);
    const commands = [...line.matchAll(/(?:^|[\s;&|(/])rsync\s+([^|;&>]*)/g)].map((match) => ({
      at: match.index,
      words: match[1] ?? '',
    }));
    return [...commands, ...Loops.keywords(line)]
      .toSorted((one, other) => one.at - other.at)
      .flatMap((event) => {
        if ('words' in event) return loops.runs().map((run) => rsyncFrom(wordsOf(event.words, run), number));
        loops.pass(event.keyword, line.slice(event.at));
        return [];
      });
  });
  const unread = found.filter((one) => one !== null && 'why' in one);
  return {
    rsyncs: found.flatMap((one) => (one === null || 'why' in one ? [] : [{ ...one, everyMinutes }])),
    unread: unread.filter(
      ({ line, why }, index) => !unread.slice(0, index).some((other) => other.line === line && other.why === why),
    ),
  };
}

/** A variable that holds the program, written out. */
const withProgram = (line: string, variables: Variables): string =>
  line.replaceAll(/"?\$\{?(\w+)\}?"?/g, (whole, name: string) => {
    const value = variables.get(name) ?? '';
    return /^(\S*\/)?rsync(\s|$)/.test(value) ? value : whole;
  });

const wordsOf = (command: string, variables: Variables): readonly string[] =>
  (command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) => filled(bare(word), variables));

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

/** Null: it stays on this host. */
function rsyncFrom(words: readonly string[], line: number): Omit<CronRsync, 'everyMinutes'> | UnreadRsync | null {
  const places = words.filter((word, index) => !word.startsWith('-') && !WITH_VALUE.has(words[index - 1] ?? ''));
  const [source, destination, ...others] = places;
  const unknown = places.flatMap((place) => place.match(/\$(\{[^}]*\}?|\w+|\S)|`/g) ?? []);
  if (unknown.length > 0) return { line, why: `${[...new Set(unknown)].join(', ')} is not known` };
  const [, targetHost, target] = /^(?:[\w.-]+@)?([\w.-]+):(\/(?!\/).*)$/.exec(destination ?? '') ?? [];
  if (source?.startsWith('/') !== true || targetHost === undefined || target === undefined || others.length > 0)
    return places.some((place) => place.includes(':'))
      ? { line, why: 'what it copies is not one folder of this host to one of another' }
      : null;
  const inside = source.endsWith('/');
  const slashed = (path: string): string => (path.endsWith('/') ? path : `${path}/`);
  return {
    source: slashed(source),
    targetHost,
    target: slashed(inside ? target : `${slashed(target)}${source.slice(source.lastIndexOf('/') + 1)}`),
    deletes: words.some((word) => word.startsWith('--delete') || word === '--del'),
  };
}
