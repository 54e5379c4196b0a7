import type { WeighedReport } from '../domain/audit/baseline.ts';
import { LINK_HEAD, linkCells } from './render-audit.ts';

const TITLES = { bad: 'Bad', warn: 'Warnings', info: 'Notes' } as const;

/** The same report for a ticket, or a wiki. */
export function renderAuditMarkdown({
  cluster,
  at,
  sentence,
  findings,
  accepted,
  links,
  judged,
}: WeighedReport): string {
  const sections = (['bad', 'warn', 'info'] as const).flatMap((severity) => {
    const found = findings.filter((one) => one.severity === severity);
    if (found.length === 0) return [];
    const rows = found.map((one) => [one.where, `\`${one.code}\``, one.found, one.expected, one.why, one.fix]);
    return [`## ${TITLES[severity]}\n\n${table(['where', 'code', 'found', 'expected', 'why', 'fix'], rows)}`];
  });
  const taken = accepted.map((one) => [one.where, `\`${one.code}\``, one.found, one.reason, one.expires]);
  return [
    `# Audit of ${cluster}, ${at}`,
    text(sentence),
    ...sections,
    ...(taken.length === 0 ? [] : [`## Accepted\n\n${table(['where', 'code', 'found', 'reason', 'until'], taken)}`]),
    ...(links.length === 0
      ? []
      : [
          `## Distances\n\n${table(
            LINK_HEAD.map((one) => one.toLowerCase()),
            links.map(linkCells),
          )}`,
        ]),
    `${String(judged)} rules were judged, one for each place.`,
  ].join('\n\n');
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map((cells) => row(cells.map(text)))].join('\n');

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** What a server says of itself must neither end a cell nor become a link or a tag. */
const text = (value: string): string => value.replaceAll(/\s+/g, ' ').replaceAll(/[|<>[\]]/g, String.raw`\$&`);
