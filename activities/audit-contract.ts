import type { AuditFacts } from '../domain/audit/facts.ts';

/** The step of an audit. */
export interface AuditActivities {
  /**
   * What an audit judges, of all hosts at once, each question with a deadline; what could not be seen says why. Changes nothing, and takes no secret with it.
   * Source: docs/audit.md
   */
  gatherAuditFacts(input: { readonly cluster: string }): Promise<AuditFacts>;
}
