import type { Check } from '../domain/checkup.ts';
import { countChecks } from '../domain/checkup.ts';
import type { Paint } from './paint.ts';

const INDENT = ' '.repeat(22);
const MARKS = { ok: '✓', bad: '✗', 'not-asked': '?' } as const;
const COLOURS = { ok: 'good', bad: 'bad', 'not-asked': 'warn' } as const;

/** The sentence, then a line for each check under the place that it is about, and under each red one what mends it. */
export function renderDoctor(checks: readonly Check[], paint: Paint): string {
  const places = [...new Set(checks.map(({ where }) => where))];
  return [
    sentenceOf(checks, paint),
    ...places.map((place) =>
      [
        paint.strong(place),
        ...together(checks.filter(({ where }) => where === place)).flatMap((check) => linesOf(check, paint)),
      ].join('\n'),
    ),
  ].join('\n\n');
}

function sentenceOf(checks: readonly Check[], paint: Paint): string {
  const { ok, bad, notAsked } = countChecks(checks);
  if (bad === 0 && notAsked === 0) return paint.good(`everything is there: ${String(ok)} checks`);
  const open = notAsked === 0 ? '' : `, ${String(notAsked)} could not be asked before that`;
  return paint.bad(`${String(bad)} of ${String(checks.length)} checks failed${open}`);
}

/** Privileges that are there make one line; each that is missing has its own. */
function together(checks: readonly Check[]): readonly Check[] {
  const held = checks.filter(({ code, state }) => code === 'grant' && state === 'ok');
  const [first] = held;
  return checks.flatMap((check) => {
    if (!held.includes(check)) return [check];
    return check === first ? [{ ...check, says: `${String(held.length)} privileges are there` }] : [];
  });
}

const linesOf = ({ code, state, says, fix }: Check, paint: Paint): readonly string[] => [
  `  ${paint[COLOURS[state]](MARKS[state])} ${code.padEnd(17)} ${state === 'not-asked' ? `not asked: ${says}` : says.replaceAll('\n', `\n${INDENT}`)}`,
  ...(fix === null ? [] : [`${INDENT}${paint.strong('fix')}: ${fix}`]),
];
