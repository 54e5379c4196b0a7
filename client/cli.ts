import { CommanderError } from '@commander-js/extra-typings';
import { addAckers } from './cli-ackers.ts';
import { addAudit } from './cli-audit.ts';
import { addChanges, addChecks } from './cli-commands.ts';
import { addDoctor } from './cli-doctor.ts';
import { addFailover } from './cli-failover.ts';
import { addFiles } from './cli-files.ts';
import { addInit } from './cli-init.ts';
import type { CliIo, CliWorld, GlobalOptions } from './cli-io.ts';
import { rootCommand } from './cli-program.ts';
import { addSchedules } from './cli-schedules.ts';
import type { Job } from './cli-session.ts';
import { addStatus } from './cli-status.ts';
import { addWorker, startWorkerOrExplain } from './cli-worker.ts';
import { EXIT } from './errors.ts';
import { asJson, perform, reportError } from './cli-session.ts';

const HELP_WITHOUT_COMMAND = 'commander.help';

/** Runs one command line and returns its exit code. */
export async function main(argv: readonly string[], io: CliIo, world: CliWorld): Promise<number> {
  const program = rootCommand(io);
  let exitCode = 0;
  const run = async (options: GlobalOptions, job: Job): Promise<void> => {
    exitCode = await perform({ io, world, options }, job);
  };
  addInit(program, async (options, order) => {
    exitCode = await (await import('./init.ts')).performInit({ io, world, options }, order);
  });
  addDoctor(program, async (options, cluster) => {
    exitCode = await (await import('./doctor.ts')).performDoctor({ io, world, options }, cluster);
  });
  addStatus(program, async (options, order) => {
    exitCode = await (await import('./status.ts')).performStatus({ io, world, options }, order);
  });
  addChecks(program, { io, run });
  addAudit(program, { io, run });
  addChanges(program, { io, run });
  addAckers(program, { io, run });
  addFailover(program, { io, run });
  addFiles(program, { io, run });
  addSchedules(program, { io, run, world });
  addWorker(program, async (order) => {
    exitCode = await startWorkerOrExplain(() => world.startWorker(order));
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, program.opts(), io);
    return reportError({ io, options: program.opts() }, error);
  }
}

/** Commander has told the person; a program that reads JSON is told too. */
function usageExit(error: CommanderError, options: GlobalOptions, io: CliIo): number {
  if (error.exitCode === 0) return 0;
  const what = error.code === HELP_WITHOUT_COMMAND ? 'a command is missing' : error.message.replace(/^error: /, '');
  if (options.output === 'json')
    io.out(asJson('Error', { type: 'BadInput', message: what, exitCode: EXIT.usage, facts: { changed: false } }));
  return EXIT.usage;
}
