import type { Parsed } from '../domain/inputs.ts';
import {
  isName,
  parsePreparePrimary,
  parseProvisionReplica,
  parseRejoinReplica,
  parseVerifyReplication,
} from '../domain/inputs.ts';
import type { CliIo, GlobalOptions } from './cli-io.ts';
import { lagJob, prepareJob, provisionJob, rejoinJob, verifyJob } from './cli-jobs.ts';
import type { Root } from './cli-program.ts';
import type { Job } from './cli-session.ts';
import { StandfastError } from './errors.ts';

export interface Hands {
  readonly io: CliIo;
  readonly run: (options: GlobalOptions, job: Job) => Promise<void>;
}

export function addChecks(program: Root, { run }: Hands): void {
  program
    .command('lag')
    .description('how far its replicas are behind, by the watcher')
    .argument('<cluster>')
    .option('--shard <shard>', 'policy.watch.shard of the cluster', 'main')
    .action(async (cluster, { shard }) => {
      const options = attached(program.opts(), 'lag');
      await run(options, lagJob({ cluster: clusterName('lag', cluster), shard }));
    });
  program
    .command('verify')
    .description('prove replication; exits with 10 when the verdict is bad')
    .argument('<cluster>')
    .action(async (cluster) => {
      const options = program.opts();
      await run(options, verifyJob(checked(parseVerifyReplication({ cluster })), options));
    });
}

export function addChanges(program: Root, { run }: Hands): void {
  program
    .command('prepare')
    .description('check a plain primary, take it into care, and open it; missing settings are named')
    .argument('<cluster>')
    .argument('<host>')
    .action(async (cluster, host) => {
      const options = program.opts();
      await run(options, prepareJob(checked(parsePreparePrimary({ cluster, host })), options));
    });
  program
    .command('provision')
    .description('make a host a replica: snapshot, copy, start, prove, admit')
    .argument('<cluster>')
    .argument('<host>')
    .option('--from <host>', 'the donor (the primary unless given)')
    .action(async (cluster, host, { from }) => {
      const options = program.opts();
      const input = checked(parseProvisionReplica({ cluster, host, ...(from !== undefined && { from }) }));
      await run(options, provisionJob(input, options));
    });
  program
    .command('rejoin')
    .description(
      'an old primary, or a replica that was away, follows the primary again; exits with 10 when it has diverged',
    )
    .argument('<cluster>')
    .argument('<host>')
    .action(async (cluster, host) => {
      const options = program.opts();
      await run(options, rejoinJob(checked(parseRejoinReplica({ cluster, host })), options));
    });
}

export function checked<T>(parsed: Parsed<T>): T {
  if (parsed.kind === 'ok') return parsed.value;
  throw usage(parsed.message);
}

/** For commands whose answer is all they are for. */
export function attached<T extends GlobalOptions>(options: T, command: string): T {
  if (options.detach === true) throw usage(`${command} has nothing to detach from; leave --detach out`);
  return options;
}

/** For commands that start no runbook, whose input it would be. */
export function clusterName(command: string, text: string): string {
  if (isName(text)) return text;
  throw usage(
    `${command} was given ${JSON.stringify(text.slice(0, 80))} as the cluster, which is not a name (small letters, digits, dashes); nothing was changed. The names of clusters are in standfast.yaml`,
  );
}

const usage = (message: string): StandfastError =>
  new StandfastError({ type: 'BadInput', message, facts: { changed: false, about: 'argument' } });
