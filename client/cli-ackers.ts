import { parseAdmitReplica, parseGoAsync, parseRemoveAcker } from '../domain/inputs.ts';
import type { Hands } from './cli-commands.ts';
import { checked } from './cli-commands.ts';
import { requireConfirmation } from './cli-confirm.ts';
import { addAckerJob, goAsyncJob, removeAckerJob } from './cli-jobs.ts';
import type { Root } from './cli-program.ts';

/** Who acknowledges writes: replicas come, go, or nobody is left. */
export function addAckers(program: Root, { io, run }: Hands): void {
  const acker = program.command('acker').description('who has to acknowledge a write before its client is answered');
  acker
    .command('add')
    .description('make a replica acknowledge writes, also one that was removed before')
    .argument('<cluster>')
    .argument('<host>')
    .action(async (cluster, host) => {
      const options = program.opts();
      await run(options, addAckerJob(checked(parseAdmitReplica({ cluster, host })), options));
    });
  acker
    .command('remove')
    .description('a replica that is gone, or is about to be, counts no more; the others cover a failover')
    .argument('<cluster>')
    .argument('<host>')
    .option('--reason <text>', 'kept in the history')
    .option('--confirm <cluster>', 'confirm by naming the cluster')
    .option('--yes', 'confirm')
    .action(async (cluster, host, { reason, confirm, yes }) => {
      const options = program.opts();
      const input = checked(parseRemoveAcker({ cluster, host, ...(reason !== undefined && { reason }) }));
      const danger = `${host} will no longer keep writes of ${cluster} from being lost`;
      await requireConfirmation(io, { cluster, confirm, yes, danger, mayAsk: options.input });
      await run(options, removeAckerJob(input, options));
    });
  acker
    .command('none')
    .description('go async: the primary waits for nobody, and writers that hang go on')
    .argument('<cluster>')
    .option('--reason <text>', 'kept in the history')
    .option('--confirm <cluster>', 'confirm by naming the cluster')
    .option('--yes', 'confirm')
    .action(async (cluster, { reason, confirm, yes }) => {
      const options = program.opts();
      const input = checked(parseGoAsync({ cluster, ...(reason !== undefined && { reason }) }));
      const danger = `from now on the loss of the primary of ${cluster} can lose acknowledged writes`;
      await requireConfirmation(io, { cluster, confirm, yes, danger, mayAsk: options.input });
      await run(options, goAsyncJob(input, options));
    });
}
