import { weighBaseline } from '../domain/audit/baseline.ts';
import { parseAuditCluster } from '../domain/inputs.ts';
import type { AuditClusterInput } from '../domain/inputs.ts';
import type { Hands } from './cli-commands.ts';
import { attached, checked } from './cli-commands.ts';
import type { Root } from './cli-program.ts';
import type { Job } from './cli-session.ts';
import { EXIT } from './errors.ts';

interface AuditOptions {
  readonly baseline?: string | undefined;
  readonly exitCode?: true | undefined;
}

export function addAudit(program: Root, { run }: Hands): void {
  program
    .command('audit')
    .description('judge settings, files, VIP, placement, continuity and access; changes nothing')
    .argument('<cluster>')
    .option('--baseline <file>', 'findings that are accepted: a list of { code, where, reason, expires }')
    .option('--exit-code', 'exit with 10 when something bad, or a warning, was found and is not accepted')
    .action(async (cluster, options) => {
      await run(attached(program.opts(), 'audit'), auditJob(checked(parseAuditCluster({ cluster })), options));
    });
}

const auditJob = (input: AuditClusterInput, options: AuditOptions): Job => ({
  title: `audit ${input.cluster}`,
  work: async (client, wait) => {
    const { baseline: file } = options;
    const baseline = file === undefined ? [] : await (await import('./baseline.ts')).readBaseline(file);
    const weighed = weighBaseline(await client.audit(input, wait), baseline);
    const isClean = weighed.findings.every(({ severity }) => severity === 'info');
    return {
      kind: 'Audit',
      data: { ...weighed, outcome: isClean ? 'clean' : 'findings' },
      text: async (paint) => (await import('./render-audit.ts')).renderAudit(weighed, paint),
      markdown: async () => (await import('./render-audit-markdown.ts')).renderAuditMarkdown(weighed),
      exitCode: options.exitCode === true && !isClean ? EXIT.findings : 0,
    };
  },
});
