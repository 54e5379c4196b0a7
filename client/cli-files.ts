import type { SyncFilesInput } from '../domain/inputs.ts';
import { parseDiffFiles, parseSyncFiles } from '../domain/inputs.ts';
import type { GlobalOptions } from './cli-io.ts';
import type { Hands } from './cli-commands.ts';
import { checked } from './cli-commands.ts';
import type { Root } from './cli-program.ts';
import type { Job } from './cli-session.ts';
import { runbookJob } from './cli-session.ts';
import { EXIT } from './errors.ts';

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

const syncJob = (input: SyncFilesInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `sync ${named(input)}`,
    kind: 'FilesSync',
    options,
    call: (client, how) => client.syncFiles(input, how),
    text: async (answer, paint) => (await import('./render-files.ts')).renderFiles(answer, paint),
    exitCode: ({ filesets }) => {
      const isKept = filesets.some(({ targets }) => targets.some(({ setAside }) => setAside !== null));
      return isKept ? EXIT.findings : 0;
    },
  });

const diffJob = (input: SyncFilesInput, options: GlobalOptions & { readonly isFinding: boolean }): Job =>
  runbookJob({
    title: `compare ${named(input)}`,
    kind: 'FilesDiff',
    options,
    call: (client, how) => client.diffFiles(input, how),
    text: async (answer, paint) => (await import('./render-files.ts')).renderFiles(answer, paint),
    exitCode: ({ outcome }) => (options.isFinding && outcome === 'differs' ? EXIT.findings : 0),
  });
