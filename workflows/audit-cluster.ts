import type { AuditResult } from '../domain/audit/report.ts';
import { judgeAudit } from '../domain/audit/report.ts';
import { parseAuditCluster } from '../domain/inputs.ts';
import { accept, label } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief } from './steps.ts';
import { compensated } from './undo.ts';

/** Settings, files, VIP, placement, continuity and access, judged by every rule. Changes nothing, and does not fail for what it finds. */
export async function auditCluster(input: unknown): Promise<AuditResult> {
  const { cluster } = accept(parseAuditCluster(input));
  label('auditCluster', cluster);
  const page = new RunPage(`Audit ${cluster}`, ['look', 'judge']);
  return compensated(`auditing ${cluster}`, async () => {
    page.enter('look');
    const facts = await brief('ask every host for what an audit judges').gatherAuditFacts({ cluster });
    page.enter('judge');
    const report = judgeAudit(facts);
    page.note(report.sentence);
    for (const { code, where, found, fix } of report.findings.filter(({ severity }) => severity !== 'info'))
      page.note(`${where} ${code}: ${found}. Fix: ${fix}`);
    const outcome = report.findings.some(({ severity }) => severity !== 'info') ? 'findings' : 'clean';
    page.end(outcome);
    return { outcome, ...report };
  });
}
