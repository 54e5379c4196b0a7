import type { AuditFacts } from './facts.ts';
import type { LinkCost } from './latency.ts';
import { costOf } from './latency.ts';
import type { AuditSeverity, Rule, Ruling } from './rule.ts';
import { RULES } from './rules.ts';

export interface AuditFinding {
  readonly code: string;
  readonly severity: AuditSeverity;
  /** A host, two hosts as `db1/db2`, or the cluster. */
  readonly where: string;
  readonly found: string;
  readonly expected: string;
  readonly why: string;
  readonly fix: string;
}

export interface AuditReport {
  readonly cluster: string;
  /** ISO 8601, the worker's clock. */
  readonly at: string;
  /** One true sentence. */
  readonly sentence: string;
  readonly findings: readonly AuditFinding[];
  /** How often a rule was judged, one place each; those that could not be are findings. */
  readonly judged: number;
  readonly links: readonly LinkCost[];
}

/** What an audit ends with. It does not fail for what it finds. */
export interface AuditResult extends AuditReport {
  /** `clean`: nothing but what is worth knowing was found. */
  readonly outcome: 'clean' | 'findings';
}

const WORST_FIRST: readonly AuditSeverity[] = ['bad', 'warn', 'info'];
export const NOT_SEEN = 'NotSeen';

export const worstFirst = (findings: readonly AuditFinding[]): readonly AuditFinding[] =>
  findings.toSorted((one, other) => WORST_FIRST.indexOf(one.severity) - WORST_FIRST.indexOf(other.severity));

/** Judges every rule, and says of what was not seen that it was not. */
export function judgeAudit(facts: AuditFacts): AuditReport {
  const rulings = RULES.flatMap((rule) => rule.judge(facts).map((ruling) => ({ rule, ruling })));
  const broken = rulings.flatMap(({ rule, ruling }) =>
    ruling.kind === 'broken' ? [findingOf(rule, ruling, facts)] : [],
  );
  const findings = worstFirst([...broken, ...unseenFindings(rulings)]);
  const { cluster } = facts.cluster;
  return {
    cluster,
    at: facts.at,
    sentence: `${cluster}: ${sentenceOf(findings)}`,
    findings,
    judged: rulings.filter(({ ruling }) => ruling.kind !== 'not-seen').length,
    links: facts.links.flatMap((link) => costOf(facts, link) ?? []),
  };
}

function findingOf(rule: Rule, ruling: Ruling & { readonly kind: 'broken' }, facts: AuditFacts): AuditFinding {
  const { code, severity, why } = rule;
  const { where, found, expected } = ruling;
  return { code, severity, where, found, expected, why, fix: fixOf(rule, where, facts) };
}

const fixOf = ({ fix }: Rule, where: string, { cluster, primary }: AuditFacts): string => {
  const host = where.split('/').at(-1) ?? where;
  return fix
    .replaceAll('CLUSTER', cluster.cluster)
    .replaceAll('PRIMARY', primary.kind === 'seen' ? primary.value : 'PRIMARY')
    .replaceAll('HOST', host);
};

interface Judged {
  readonly rule: Rule;
  readonly ruling: Ruling;
}

/** One finding for each thing that was not seen, with all the rules that it leaves open. */
function unseenFindings(rulings: readonly Judged[]): readonly AuditFinding[] {
  const unseen = new Map<
    string,
    { readonly where: string; readonly what: string; readonly why: string; readonly codes: string[] }
  >();
  for (const { rule, ruling } of rulings) {
    if (ruling.kind !== 'not-seen') continue;
    const { where, what, why } = ruling;
    const key = JSON.stringify([where, what, why]);
    const entry = unseen.get(key) ?? { where, what, why, codes: [] };
    entry.codes.push(rule.code);
    unseen.set(key, entry);
  }
  return [...unseen.values()].map(({ where, what, why, codes }) => ({
    code: NOT_SEEN,
    severity: 'warn',
    where,
    found: `${what} was not seen (${why})`,
    expected: `seen, so that ${codes.join(', ')} can be judged`,
    why: 'what was not seen may be as it should be, or not: it is not passed over',
    fix: 'mend what kept it from being seen, and audit again',
  }));
}

export function sentenceOf(findings: readonly AuditFinding[]): string {
  const count = (severity: AuditSeverity): number => findings.filter((one) => one.severity === severity).length;
  const unseen = findings.filter(({ code }) => code === NOT_SEEN).length;
  const [bad, warn] = [count('bad'), count('warn') - unseen];
  const parts = [
    ...(bad > 0 ? [`${String(bad)} bad`] : []),
    ...(warn > 0 ? [plural(warn, 'warning')] : []),
    ...(unseen > 0 ? [`${plural(unseen, 'thing')} not seen`] : []),
  ];
  return parts.length === 0
    ? 'nothing to mend was found'
    : `${plural(bad + warn + unseen, 'finding')}: ${parts.join(', ')}`;
}

const plural = (count: number, word: string): string => `${String(count)} ${word}${count === 1 ? '' : 's'}`;
