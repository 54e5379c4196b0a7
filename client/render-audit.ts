import type { AcceptedFinding, WeighedReport } from '../domain/audit/baseline.ts';
import type { LinkCost } from '../domain/audit/latency.ts';
import type { AuditFinding } from '../domain/audit/report.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';

const MARKS = { bad: 'BAD', warn: 'warning', info: 'note' } as const;
const COLOURS = { bad: 'bad', warn: 'warn', info: 'good' } as const;

/** The sentence, the findings with the worst first, what is accepted, and what the distances cost. */
export function renderAudit(report: WeighedReport, paint: Paint): string {
  const { sentence, findings, accepted, links, judged } = report;
  return [
    paint.strong(sentence),
    ...findings.map((finding) => renderFinding(finding, paint)),
    ...(accepted.length === 0 ? [] : [`accepted by the baseline:\n${accepted.map(renderAccepted).join('\n')}`]),
    ...(links.length === 0 ? [] : [renderLinks(links)]),
    `${String(judged)} rules were judged, one for each place`,
  ].join('\n\n');
}

function renderFinding({ severity, where, code, found, expected, why, fix }: AuditFinding, paint: Paint): string {
  return [
    `${paint[COLOURS[severity]](MARKS[severity])} ${where} ${code}: ${found}`,
    `  expected: ${expected}`,
    `  why: ${why}`,
    `  fix: ${fix}`,
  ].join('\n');
}

const renderAccepted = ({ where, code, found, reason, expires }: AcceptedFinding): string =>
  `  ${where} ${code}: ${found} (until ${expires}: ${reason})`;

export const LINK_HEAD = ['LINK', 'P50', 'P99', 'LATENCY', 'COMMITS/S', 'BUSY'];

/** Commits a second on one connection, when each waits for that replica. */
export const linkCells = ({ from, to, p50Ms, p99Ms, class: latency, commitsPerSecond, busy }: LinkCost) => [
  `${from} → ${to}`,
  `${p50Ms.toFixed(2)} ms`,
  `${p99Ms.toFixed(2)} ms`,
  latency,
  commitsPerSecond === null ? '-' : `≤ ${String(commitsPerSecond)}`,
  busy === null ? '?' : `${(busy * 100).toFixed(1)} %`,
];

const renderLinks = (links: readonly LinkCost[]): string => renderTable(LINK_HEAD, links.map(linkCells));
