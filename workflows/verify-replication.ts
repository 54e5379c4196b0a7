import { parseVerifyReplication } from '../domain/inputs.ts';
import type { VerifyResult } from '../domain/report.ts';
import { failure } from './failures.ts';
import { accept, label } from './operation.ts';
import { RunPage } from './progress.ts';
import { compensated } from './undo.ts';
import { lookAgain } from './verdict.ts';

/** One verdict with evidence. Changes nothing but a heartbeat row; fails when the verdict is bad, so that a schedule shows red. */
export async function verifyReplication(input: unknown): Promise<VerifyResult> {
  const { cluster } = accept(parseVerifyReplication(input));
  label('verifyReplication', cluster);
  const page = new RunPage(`Verify ${cluster}`, ['observe', 'judge']);
  return compensated(`verifying ${cluster}`, async () => {
    page.enter('observe');
    const verdict = await lookAgain(cluster);
    page.enter('judge');
    page.note(verdict.sentence);
    for (const finding of verdict.findings)
      page.note(`${finding.host}: ${finding.explains}. Fix: \`${finding.remedy}\``);
    page.end(verdict.state, verdict.findings[0]?.remedy ?? null);
    if (verdict.state === 'bad') throw failure('Unhealthy', verdict.sentence, { ...verdict });
    return { outcome: verdict.state, cluster, verdict };
  });
}
