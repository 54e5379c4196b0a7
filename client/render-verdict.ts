import type { Finding, ReplicaEvidence, Verdict } from '../domain/verdict.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';

const MARKS = { ok: 'ok', warn: 'warning', bad: 'BAD' } as const;
const COLOURS = { ok: 'good', warn: 'warn', bad: 'bad' } as const;

/** The sentence, the hosts, and what to do about each finding. */
export function renderVerdict(verdict: Verdict, paint: Paint): string {
  const colour = paint[COLOURS[verdict.state]];
  return [
    `${colour(MARKS[verdict.state])}: ${paint.strong(verdict.sentence)}`,
    '',
    renderHosts(verdict),
    ...verdict.findings.flatMap((finding) => ['', renderFinding(finding, paint)]),
  ].join('\n');
}

function renderHosts(verdict: Verdict): string {
  const vip = (host: string): string => (verdict.vipHolders.includes(host) ? 'VIP' : '-');
  return renderTable(
    ['HOST', 'ROLE', 'IO', 'SQL', 'LAG', 'BEHIND', 'WRITES', 'VIP'],
    [
      [verdict.primary, 'primary', '-', '-', '-', '-', primaryWrites(verdict), vip(verdict.primary)],
      ...verdict.replicas.map((replica) => [
        replica.host,
        roleOf(replica),
        replica.receiver,
        replica.applier,
        replica.lagMs === null ? '?' : `${String(Math.round(replica.lagMs))} ms`,
        replica.gtidGap === null ? '?' : `${String(replica.gtidGap)} trx`,
        writes(replica.readOnly),
        vip(replica.host),
      ]),
    ],
  );
}

const roleOf = ({ source, neverPromoted = false }: ReplicaEvidence): string =>
  `replica of ${source ?? 'nobody'}${neverPromoted ? ', never promoted' : ''}`;

const writes = (readOnly: boolean | null): string => (readOnly === null ? '?' : readOnly ? 'refused' : 'ACCEPTED');

/** The verdict has no field for it: a primary that does not accept writes is always a finding. */
function primaryWrites(verdict: Verdict): string {
  const codes = verdict.findings.filter((finding) => finding.host === verdict.primary).map((finding) => finding.code);
  if (codes.includes('PrimaryDown')) return '?';
  return codes.includes('PrimaryClosed') ? 'REFUSED' : 'accepted';
}

function renderFinding({ severity, host, code, explains, remedy }: Finding, paint: Paint): string {
  const mark = paint[COLOURS[severity]](MARKS[severity]);
  return `${mark} ${host} ${code}: ${explains}\n  fix: ${remedy}`;
}
