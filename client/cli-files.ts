import type { SyncFilesInput } from '../domain/inputs.ts';
import { parseDiffFiles, parseSyncFiles } from '../domain/inputs.ts';
import type { GlobalOptions } from './cli-io.ts';
import type { Hands } from './cli-commands.ts';
import { checked } from './cli-commands.ts';
import type { Root } from './cli-program.ts';
import type { Job } from './cli-session.ts';
import { detachedReport, isRunReference } from './cli-session.ts';

const FINDINGS = 10;

/** The folders that are kept in step beside the databases. */
export function addFiles(program: Root, { run }: Hands): void {
  const files = program.command('files').description('folders kept in step from the primary to the other hosts');
  files
    .command('sync')
    .description('bring them in step; exits with 10 when something had to be set aside')
    .argument('<cluster>')
    .argument('[fileset]')
    .action(async (cluster, fileset) => {
      const options = program.opts();
      await run(options, syncJob(checked(parseSyncFiles(orderOf(cluster, fileset))), options));
    });
  files
    .command('diff')
    .description('what sync would change, by name; changes nothing')
    .argument('<cluster>')
    .argument('[fileset]')
    .option('--exit-code', 'exit with 10 when something differs')
    .action(async (cluster, fileset, { exitCode }) => {
      const options = program.opts();
      const input = checked(parseDiffFiles(orderOf(cluster, fileset)));
      await run(options, diffJob(input, { ...options, isFinding: exitCode === true }));
    });
}

const orderOf = (cluster: string, fileset: string | undefined): SyncFilesInput => ({
  cluster,
  ...(fileset !== undefined && { fileset }),
});

const named = ({ cluster, fileset }: SyncFilesInput): string => `${fileset ?? 'every fileset'} of ${cluster}`;

const syncJob = (input: SyncFilesInput, options: GlobalOptions): Job => ({
  title: `sync ${named(input)}`,
  work: async (client, wait) => {
    const answer = await client.syncFiles(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    const isKept = answer.filesets.some(({ targets }) => targets.some(({ setAside }) => setAside !== null));
    return {
      kind: 'FilesSync',
      data: answer,
      text: async (paint) => (await import('./render-files.ts')).renderFiles(answer, paint),
      exitCode: isKept ? FINDINGS : 0,
    };
  },
});

const diffJob = (input: SyncFilesInput, options: GlobalOptions & { readonly isFinding: boolean }): Job => ({
  title: `compare ${named(input)}`,
  work: async (client, wait) => {
    const answer = await client.diffFiles(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'FilesDiff',
      data: answer,
      text: async (paint) => (await import('./render-files.ts')).renderFiles(answer, paint),
      exitCode: options.isFinding && answer.outcome === 'differs' ? FINDINGS : 0,
    };
  },
});
