import type { AuditFinding, AuditReport } from './report.ts';
import { sentenceOf, worstFirst } from './report.ts';

/** A finding that somebody answers for, until a day. */
export interface BaselineEntry {
  readonly code: string;
  readonly where: string;
  readonly reason: string;
  /** The last day, as YYYY-MM-DD. */
  readonly expires: string;
  /** Where it stands, for people: `FILE:LINE`. */
  readonly place: string;
}

export interface AcceptedFinding extends AuditFinding {
  readonly reason: string;
  readonly expires: string;
}

export interface WeighedReport extends AuditReport {
  /** What the baseline accepts; no finding of its own any more. */
  readonly accepted: readonly AcceptedFinding[];
}

/** An entry accepts the finding of its code at its place. One that is over, or that accepts nothing, is a finding itself. */
export function weighBaseline(report: AuditReport, baseline: readonly BaselineEntry[]): WeighedReport {
  const today = report.at.slice(0, 10);
  const current = baseline.filter(({ expires }) => expires >= today);
  const entryOf = ({ code, where }: AuditFinding): BaselineEntry | undefined =>
    current.find((entry) => entry.code === code && entry.where === where);
  const accepted = report.findings.flatMap((finding) => {
    const entry = entryOf(finding);
    return entry === undefined ? [] : [{ ...finding, reason: entry.reason, expires: entry.expires }];
  });
  const findings = worstFirst([
    ...report.findings.filter((finding) => entryOf(finding) === undefined),
    ...baseline.filter((entry) => !current.includes(entry)).map(expired),
    ...current
      .filter(({ code, where }) => !report.findings.some((one) => one.code === code && one.where === where))
      .map(unmatched),
  ]);
  const told = accepted.length === 0 ? '' : ` (${String(accepted.length)} accepted by the baseline)`;
  return { ...report, sentence: `${report.cluster}: ${sentenceOf(findings)}${told}`, findings, accepted };
}

const expired = ({ code, where, expires, place }: BaselineEntry): AuditFinding => ({
  code: 'BaselineExpired',
  severity: 'warn',
  where,
  found: `${code} was accepted until ${expires} (${place})`,
  expected: 'a day that has not passed',
  why: 'somebody answered for it until then, and not longer',
  fix: 'mend what it accepted, or have it accepted anew',
});

const unmatched = ({ code, where, place }: BaselineEntry): AuditFinding => ({
  code: 'BaselineUnmatched',
  severity: 'warn',
  where,
  found: `${code} is accepted (${place}) and was not found`,
  expected: 'no more is accepted than is there',
  why: 'an entry that accepts nothing today hides the same fault tomorrow',
  fix: 'remove the entry from the baseline',
});
